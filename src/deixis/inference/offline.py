"""A whole video in two passes: look at every window and keep the candidates, then show the referent.

The first pass reads frames and writes mask logits of the few best candidates to disk; the referent is chosen
when all windows were seen; the second pass makes its masks, frame by frame. What stays in memory does not
grow with the video but for a few numbers a frame.

Axes: e expressions, t frames, k candidates, h w cells or resized pixels, H W pixels of the video.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor

from deixis.errors import SourceError
from deixis.models.clip import fit_frame
from deixis.structures import TextFeatures
from deixis.video.frames import Frame
from deixis.video.results import FrameResult

from .engine import Engine
from .linking import Candidates, Linker
from .spool import MaskSpool
from .windows import Window, WindowRule, cut_windows, handover


@dataclass(frozen=True, slots=True)
class FrameStamp:
    """Where a frame stands in its video: what is left of a frame when its pixels are gone."""

    index: int
    time: float
    name: str

    @classmethod
    def of(cls, frame: Frame) -> "FrameStamp":
        """Return the stamp of ``frame``."""
        return cls(frame.index, frame.time, frame.name)


@dataclass(frozen=True)
class Answer:
    """What was found in one frame.

    Attributes:
        stamp: the frame.
        masks: ``bool [e, H, W]`` at the video's size.
        scores: ``float [e]`` of the chosen trajectories in this frame.
        presence: ``float [e]``.
        make_probabilities: makes ``float [e, H, W]``, of which the masks are what is above a half; None: the
            masks are all there is.
    """

    stamp: FrameStamp
    masks: Bool[np.ndarray, "e H W"]
    scores: Float[np.ndarray, "e"]
    presence: Float[np.ndarray, "e"]
    make_probabilities: Callable[[], Float[np.ndarray, "e H W"]] | None = None

    @property
    def probabilities(self) -> Float[np.ndarray, "e H W"]:
        """How likely each pixel belongs to each referent: above a half in the masks, below elsewhere.

        Far from a mask they are not the model's own but some value below a half.
        """
        if self.make_probabilities is None:
            return self.masks.astype(np.float32)
        return self.make_probabilities()

    def with_frame(self, frame: Frame) -> FrameResult:
        """Join the answer with the frame that it speaks of."""
        return FrameResult(frame, self.masks, self.scores, self.presence)


def prepare(frame: Frame, engine: Engine) -> UInt8[Tensor, "3 h w"]:
    """Resize the pixels of ``frame`` as the model wants them."""
    return fit_frame(frame.image, engine.inputs)


def answer(
    engine: Engine,
    stamp: FrameStamp,
    mask_logits: Float[Tensor, "e h w"],
    scores: Float[np.ndarray, "e"],
    presence: Float[np.ndarray, "e"],
    sizes: tuple[tuple[int, int], tuple[int, int]],
) -> Answer:
    """Make the masks of one frame, empty where the presence is below the model's threshold.

    ``sizes`` are those of the network's input and of the video.
    """
    masks = engine.make_masks(mask_logits, *sizes).cpu().numpy()
    threshold = engine.inputs.presence_threshold
    is_present = np.ones(len(masks), dtype=bool) if threshold is None else presence >= threshold

    def make_probabilities() -> Float[np.ndarray, "e H W"]:
        found = engine.make_probabilities(mask_logits, *sizes).cpu().numpy()
        return found * is_present[:, None, None]

    return Answer(stamp, masks & is_present[:, None, None], scores, presence, make_probabilities)


class OfflineRun:
    """One video and its expressions, as a context: :meth:`read` all frames, then iterate over the answers."""

    def __init__(self, engine: Engine, text: TextFeatures, rule: WindowRule, num_candidates: int) -> None:
        self.engine = engine
        self.text = text
        self.rule = rule
        self.num_candidates = num_candidates
        self.stamps: list[FrameStamp] = []
        self.size: tuple[int, int] | None = None
        self._input_size = (0, 0)
        self._spool = MaskSpool()
        self._linker = Linker(engine.inputs.presence_threshold)
        self._windows: list[_Seen] = []

    def __enter__(self) -> "OfflineRun":
        return self

    def __exit__(self, *_: object) -> None:
        self._spool.close()

    @property
    def num_temporary_bytes(self) -> int:
        """How much the candidates take on disk."""
        return self._spool.num_bytes

    def read(self, frames: Iterable[Frame], on_window: Callable[[int], None] | None = None) -> None:
        """Look at all windows; ``on_window`` is told how many frames were seen after each.

        Raises:
            SourceError: there is no frame.
        """
        for window in cut_windows(map(self._take, frames), self.rule):
            self._look(window)
            if on_window is not None:
                on_window(window.stop)
        if not self.stamps:
            raise SourceError("there are no frames between start and end; nothing to segment")

    def __len__(self) -> int:
        return len(self.stamps)

    def __iter__(self) -> Iterator[Answer]:
        tracks = (
            self._linker.best.numpy() if self.rule.is_linked else np.zeros(len(self.text.words), np.int64)
        )
        starts = [window.kept_from for window in self._windows] + [len(self)]
        for number, window in enumerate(self._windows):
            chosen = window.assignment[np.arange(len(tracks)), tracks]
            for position in range(starts[number], starts[number + 1]):
                yield self._answer(number, position, chosen)

    def _take(self, frame: Frame) -> Tensor:
        self.stamps.append(FrameStamp.of(frame))
        self.size = frame.size
        return prepare(frame, self.engine)

    def _look(self, window: Window[Tensor]) -> None:
        is_alone = window.is_last and not self._windows
        self._input_size = (int(window.frames[0].shape[-2]), int(window.frames[0].shape[-1]))
        num_candidates = self.num_candidates if self.rule.is_linked and not is_alone else 1
        candidates = self.engine.find_candidates(window.start, window.frames, self.text, num_candidates)
        self._spool.append(candidates.mask_logits)
        kept_from, assignment = window.start, torch.zeros(len(candidates.scores), 1, dtype=torch.int64)
        if self.rule.is_linked:
            assignment = self._linker.add(candidates)
        if self._windows:
            stop = self._windows[-1].stop
            kept_from = handover(stop, window.start, is_linked=self.rule.is_linked)
        self._windows.append(_Seen.of(candidates, kept_from, assignment))

    def _answer(self, number: int, position: int, chosen: Int[np.ndarray, "e"]) -> Answer:
        window = self._windows[number]
        frame = position - window.start
        logits = [self._spool.read(number, frame, e, int(candidate)) for e, candidate in enumerate(chosen)]
        assert self.size is not None
        rows = np.arange(len(chosen))
        scores, presence = (values[rows, frame, chosen] for values in (window.frame_scores, window.presence))
        sizes = (self._input_size, self.size)
        return answer(self.engine, self.stamps[position], torch.stack(logits), scores, presence, sizes)


@dataclass(frozen=True)
class _Seen:
    """What is remembered of a window: its place, the scores of its candidates, which track took which."""

    start: int
    stop: int
    kept_from: int
    frame_scores: Float[np.ndarray, "e t k"]
    presence: Float[np.ndarray, "e t k"]
    assignment: Int[np.ndarray, "e k"]

    @classmethod
    def of(cls, candidates: Candidates, kept_from: int, assignment: Int[Tensor, "e k"]) -> "_Seen":
        return cls(
            start=candidates.start,
            stop=candidates.stop,
            kept_from=kept_from,
            # Copies: arrays that share a tensor's memory keep the tensor alive.
            frame_scores=candidates.frame_scores.numpy().copy(),
            presence=candidates.presence.numpy().copy(),
            assignment=assignment.numpy().copy(),
        )
