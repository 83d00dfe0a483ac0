"""A propagator as a method to score: the first mask of every object in, label maps of all frames out.

Axes: k objects, H W pixels of the video.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8

from deixis import propagators
from deixis.configuration import to_plain
from deixis.data.records import VideoRecord
from deixis.errors import DatasetError
from deixis.evaluation.predictor import read_frames
from deixis.evaluation.protocols.base import VideoProtocol
from deixis.evaluation.protocols.table import DEFAULTS, PROTOCOLS
from deixis.evaluation.subjects import choose_protocol
from deixis.inference.propagation import walk
from deixis.inference.record import weights_hash
from deixis.ops.device import find_device
from deixis.propagators.base import ObjectMasks, Propagator

ANY = "per-object"
"""The protocol of data sets that have none for objects to follow."""


@dataclass(frozen=True, kw_only=True)
class PropagatorOnDemand:
    """A propagator that other processes can take along: each makes it when it is first asked.

    Attributes:
        name, checkpoint, device: as ``propagators.build`` takes them; the device may be "auto".
        num_threads: that the process may use on the CPU; 0: as many as it does.
    """

    name: str
    checkpoint: Path | None = None
    device: str = "auto"
    num_threads: int = 0

    @cached_property
    def propagator(self) -> Propagator:
        """The propagator, made once."""
        if self.num_threads:
            torch.set_num_threads(self.num_threads)
        return propagators.build(self.name, self.checkpoint, device=find_device(self.device))

    def __call__(self, record: VideoRecord) -> Iterator[list[tuple[str, UInt8[np.ndarray, "H W"]]]]:
        """Yield the label map of every frame, as ``saving.save_images`` wants it."""
        for labels in follow_record(self.propagator, record):
            yield [("", labels)]

    def settings(self) -> dict[str, Any]:
        """Return what the predictions depend on."""
        network = getattr(self.propagator, "network", None)
        if not isinstance(network, torch.nn.Module):
            return {"propagator": self.name, "weights_sha256": ""}
        return {
            "propagator": self.name,
            "weights_sha256": weights_hash(network),
            "propagator_config": to_plain(getattr(self.propagator, "config", None)),
        }

    def found_device(self) -> torch.device:
        """Return where it runs."""
        return find_device(self.device)

    def __getstate__(self) -> dict[str, Any]:
        return {item.name: getattr(self, item.name) for item in fields(self)}


def choose_following(benchmark: str, name: str | None = None) -> VideoProtocol:
    """Return the protocol that propagators are scored by on a benchmark: its own for label maps of objects.

    Raises:
        UnknownNameError: the benchmark has no protocol of that name.
        DatasetError: a named one scores something else.
    """
    if name is None or name == ANY:
        own = PROTOCOLS.get(DEFAULTS.get(benchmark, ""))
        is_own = name is None and isinstance(own, VideoProtocol) and not own.unit
        protocol = own if is_own else PROTOCOLS[ANY]
    else:
        protocol = choose_protocol(benchmark, name)
    if not isinstance(protocol, VideoProtocol) or protocol.unit:
        raise DatasetError(
            f"{protocol.name} scores answers to expressions, which a propagator alone does not give; name a"
            " --model for them, or leave --protocol out"
        )
    return protocol


def require_truth(benchmark: str, split: str, records: Sequence[VideoRecord]) -> None:
    """Raise before any work where nothing but what a propagator is told is annotated.

    Raises:
        DatasetError: the truth of the split is held back.
    """
    for record in records:
        firsts = {info.first_frame for info in record.objects}
        if record.masks is not None and not set(record.annotated_frames or [-1]) <= firsts:
            return
    raise DatasetError(
        f"the truth of {benchmark} {split} is held back; write --submission ZIP for its server, or name"
        " another --split"
    )


def follow_record(propagator: Propagator, record: VideoRecord) -> Iterator[UInt8[np.ndarray, "H W"]]:
    """Yield the label map of every frame of a record, of objects that are known by their first masks alone.

    Raises:
        DatasetError: nothing shows an object, or the masks have another size than the frames.
    """
    given = first_masks(record)
    frames = (torch.from_numpy(frame).permute(2, 0, 1) for frame in read_frames(record))
    try:
        for _, found in walk(propagator, enumerate(frames), given, len(record.frame_names) - 1):
            ids = np.array([0, *found.ids], np.uint8)
            numbers = torch.arange(1, len(found.ids) + 1, device=found.masks.device)
            winner = (found.masks * numbers[:, None, None]).sum(dim=0)
            yield ids[winner.cpu().numpy()]
    except ValueError as error:
        raise DatasetError(f"{record.name}: {error}") from error


def first_masks(record: VideoRecord) -> dict[int, ObjectMasks]:
    """Return the first mask of every object, by the frame it is in: what a method is told.

    The frame is the one that the data set names, or the first annotated one that shows the object.

    Raises:
        DatasetError: there is no mask, or no object in any.
    """
    if record.masks is None:
        raise DatasetError(f"{record.name} has no masks; a propagator needs the first of every object")
    named = {info.id: info.first_frame for info in record.objects if info.first_frame is not None}
    waiting = set(named or record.object_ids)
    annotated = range(len(record.frame_names)) if record.annotated_frames is None else record.annotated_frames
    given = {}
    for index in annotated:
        ids = sorted(number for number in waiting if named.get(number, 0) <= index)
        if not ids:
            continue
        masks = record.masks.read([index], ids)[:, 0]  # k H W
        shown = [place for place, mask in enumerate(masks) if mask.any()]
        if shown:
            given[index] = ObjectMasks(tuple(ids[place] for place in shown), torch.from_numpy(masks[shown]))
            waiting -= {ids[place] for place in shown}
        if not waiting:
            break
    if not given:
        raise DatasetError(f"{record.name} shows no object in any mask; is the data set unpacked in full?")
    return given
