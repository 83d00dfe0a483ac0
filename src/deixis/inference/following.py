"""Objects that are given as masks, followed through a whole video.

    Follower("stcn", "stcn.pth")("dog.mp4", "first_frame.png").save("out")

Forward from its first mask on, an object is where it is followed to, corrected wherever it is given again.
Before its first mask it is where the same propagator follows it to backward, from a fresh state. The pixels
of the frames that are gone through backward wait on disk; nothing else grows with the video but run lengths.

Axes: k objects, H W pixels of the video.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from deixis import propagators
from deixis.configuration import to_plain
from deixis.ops.device import find_device
from deixis.ops.masks import decode_rle, encode_rle
from deixis.propagators.base import ObjectMasks, PropagatedMasks, Propagator
from deixis.video.frames import Frame, Source
from deixis.video.results import FrameResult
from deixis.video.sources import take_source

from .frame_spool import FrameSpool
from .given import GivenMasks, describe_given, object_ids, place_given, read_given
from .offline import Answer, FrameStamp
from .prediction import Prediction, PredictionBuilder
from .progress import Progress, progress_reporter
from .propagation import walk
from .record import versions, weights_hash

Ways = Literal["both", "forward"]
"""Whether objects are also looked for before their first masks."""


class Follower:
    """A propagator ready to follow the objects of masks through videos.

    Example:
        >>> follower = deixis.Follower()  # doctest: +SKIP
        >>> prediction = follower("dog.mp4", {0: "first.png", 40: "corrected.png"})  # doctest: +SKIP

    Attributes:
        propagator: follows the masks.
        name: that it was built by; None for one that was passed.
    """

    def __init__(
        self,
        propagator: Propagator | str = propagators.DEFAULT,
        *,
        checkpoint: str | Path | None = None,
        device: str | torch.device = "auto",
    ) -> None:
        """Take a propagator, or build one.

        Args:
            propagator: a method, its name in ``deixis.propagators``, or a folder of a UniRef of ours.
            checkpoint: weights of one given by name.
            device: of one given by name.

        Raises:
            DeixisError: unknown name, unfit weights, absent device.
        """
        self.name = propagator if isinstance(propagator, str) else None
        if isinstance(propagator, str):
            propagator = propagators.build(propagator, checkpoint, device=find_device(device))
        elif checkpoint is not None:
            raise ValueError("a checkpoint goes with a propagator's name; this one has its weights already")
        self.propagator = propagator

    def __call__(
        self,
        source: Any,
        masks: Any,
        *,
        ways: Ways = "both",
        start: float | str | None = None,
        end: float | str | None = None,
        stride: int = 1,
        progress: bool | Progress = False,
    ) -> Prediction:
        """Follow the objects of ``masks`` through a whole video.

        Args:
            source: as :class:`~deixis.inference.segmenter.Segmenter` takes it.
            masks: as :func:`~deixis.inference.given.read_given` takes them; "00007" and 7 are frames of the
                source, before ``start`` and ``stride`` left any out.
            ways: "both": objects are also looked for before their first masks; "forward": they are not.
            start: as of ``open_source``.
            end: as of ``open_source``.
            stride: as of ``open_source``.
            progress: True for a progress bar, or a function that is told stage and frames done.

        Returns:
            The masks of the objects in the order of their ids, which are called "object 1", ...; scores and
            presence are those of the propagator.

        Raises:
            DeixisError: masks or a source that cannot be used.
        """
        given = read_given(masks)
        opened = take_source(source, start=start, end=end, stride=stride)
        builder = PredictionBuilder()
        for found in self.iterate(opened, given, ways=ways, progress=progress):
            builder.add(Answer(FrameStamp.of(found.frame), found.masks, found.scores, found.presence))
        ids = object_ids(given)
        again = opened if opened.num_frames is not None else None
        description = self.describe(given, ways)
        prediction = builder.build(names_of(ids), opened.frame_rate, description, again)
        return replace(prediction, object_ids=ids)

    def iterate(
        self, source: Source, masks: Any, *, ways: Ways = "both", progress: bool | Progress = False
    ) -> Iterator[FrameResult]:
        """Yield frames with the masks of the objects, in the order of their ids: for sinks.

        With masks of the first frame alone the source is read once, as it comes. Arguments and errors as
        those of a call.
        """
        if ways not in get_args(Ways):
            raise ValueError(f"ways must be one of {', '.join(get_args(Ways))}, got {ways!r}")
        placed = place_given(read_given(masks), source)
        return self._results(source, placed, ways, progress)

    def describe(self, masks: Any, ways: Ways = "both") -> dict[str, Any]:
        """Return a plain record of what this makes of ``masks``."""
        given = read_given(masks)
        found = {
            "expressions": list(names_of(object_ids(given))),
            "masks": describe_given(given),
            "ways": ways,
            "propagator": self.name or type(self.propagator).__name__,
            "versions": versions(),
        }
        network = getattr(self.propagator, "network", None)
        if isinstance(network, torch.nn.Module):
            found["weights"] = self.weights_hash
            found["propagator_config"] = to_plain(getattr(self.propagator, "config", None))
            found["device"] = str(next(network.parameters()).device)
        return found

    @cached_property
    def weights_hash(self) -> str:
        """The hash of the propagator's weights, "" where it has none."""
        network = getattr(self.propagator, "network", None)
        return weights_hash(network) if isinstance(network, torch.nn.Module) else ""

    def _results(
        self, source: Source, placed: Mapping[int, GivenMasks], ways: Ways, progress: bool | Progress
    ) -> Iterator[FrameResult]:
        given = {position: one.masks for position, one in placed.items()}
        ids = object_ids(placed)
        firsts = {number: min(at for at, one in given.items() if number in one.ids) for number in ids}
        with progress_reporter(progress, source.num_frames) as report:
            before = self._look_back(source, given, firsts, report) if ways == "both" else {}
            frames = enumerate(source)
            kept: dict[int, Frame] = {}

            def shown() -> Iterator[tuple[int, UInt8[Tensor, "3 H W"]]]:
                for position, frame in frames:
                    kept[position] = frame
                    yield position, _pixels(frame)

            for position, found in walk(self.propagator, shown(), given):
                yield _joined(kept.pop(position), ids, found, before.pop(position, {}))
                report("propagate", position + 1)

    def _look_back(
        self, source: Source, given: Mapping[int, ObjectMasks], firsts: Mapping[int, int], report: Progress
    ) -> "dict[int, _Before]":
        """Follow objects backward from their first masks; return what is found in the frames before."""
        latest = max(firsts.values())
        if not latest:
            return {}
        before: dict[int, _Before] = {}
        with FrameSpool() as spool:
            for _ in spool.record(islice(source, latest + 1)):
                pass
            shown = ((position, spool[position]) for position in range(latest, -1, -1))
            for position, found in walk(self.propagator, shown, given, last=0):
                wanted = [row for row, number in enumerate(found.ids) if position < firsts[number]]
                codes = encode_rle(found.masks[wanted].cpu())
                before[position] = {
                    found.ids[row]: (code, float(found.presence[row]))
                    for row, code in zip(wanted, codes, strict=True)
                }
                report("propagate backward", latest - position + 1)
        return before


_Before = Mapping[int, tuple[dict[str, Any], float]]
"""Of one frame: id -> run lengths and presence."""


def names_of(ids: tuple[int, ...]) -> tuple[str, ...]:
    """Return what the objects are called in outputs."""
    return tuple(f"object {number}" for number in ids)


def _joined(frame: Frame, ids: tuple[int, ...], found: PropagatedMasks, before: _Before) -> FrameResult:
    """Put what was followed forward over what was followed backward; objects of neither are empty."""
    masks = np.zeros((len(ids), *frame.size), dtype=bool)
    presence = np.zeros(len(ids), dtype=np.float32)
    rows = [ids.index(number) for number in found.ids]
    forward = found.masks.cpu().numpy()
    masks[rows] = forward
    presence[rows] = found.presence.float().cpu().numpy()
    is_covered = forward.any(axis=0)
    for number, (code, sure) in before.items():
        row = ids.index(number)
        masks[row] = decode_rle([code])[0] & ~is_covered
        presence[row] = sure
    return FrameResult(frame, masks, presence, presence)


def _pixels(frame: Frame) -> UInt8[Tensor, "3 H W"]:
    return torch.from_numpy(np.ascontiguousarray(frame.image)).permute(2, 0, 1).contiguous()
