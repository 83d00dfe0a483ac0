"""Which frames of a video make a training clip, which expressions go with it, and how the clip is read.

Axes: t frames of the clip, k of them annotated, n objects, H W pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, overload

import numpy as np
from jaxtyping import Bool, UInt8

from deixis.errors import DatasetError

from .records import VideoRecord


@dataclass(frozen=True)
class Sample:
    """One clip with its expressions, before batching.

    Attributes:
        frames: ``uint8 [t, H, W, 3]`` RGB.
        masks: ``bool [n, k, H, W]`` of all objects in the annotated frames.
        annotated_frames: positions in the clip of the ``k`` frames; None: all.
        expressions: sentences about the clip.
        referents: for each expression, indices into ``masks``; empty where nothing in the clip answers it.
        has_visibility: False where an empty mask says nothing about visibility.
    """

    frames: UInt8[np.ndarray, "t H W 3"]
    masks: Bool[np.ndarray, "n k H W"]
    annotated_frames: tuple[int, ...] | None
    expressions: tuple[str, ...]
    referents: tuple[tuple[int, ...], ...]
    has_visibility: bool = True


@dataclass(frozen=True)
class ClipPlan:
    """A training clip before it is read.

    Attributes:
        record: index of the video among the records.
        frames: frame indices; empty: a window at a random place, drawn when the clip is read.
        annotated_frames: positions in the clip that are predicted; None: all.
        expressions: indices of the record's expressions to draw from; None: all.
    """

    record: int
    frames: tuple[int, ...]
    annotated_frames: tuple[int, ...] | None
    expressions: tuple[int, ...] | None


@dataclass(frozen=True)
class WholeVideos(Sequence[ClipPlan]):
    """One plan a video, its window drawn when it is read; made when asked for, as worlds can be endless."""

    num_videos: int

    def __len__(self) -> int:
        return self.num_videos

    @overload
    def __getitem__(self, index: int) -> ClipPlan: ...
    @overload
    def __getitem__(self, index: slice) -> list[ClipPlan]: ...
    def __getitem__(self, index: int | slice) -> ClipPlan | list[ClipPlan]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        if not 0 <= index < self.num_videos:
            raise IndexError(f"there are {self.num_videos} videos, there is no video {index}")
        return ClipPlan(index, (), None, None)


def window_around(frame: int, num_frames: int, length: int) -> tuple[tuple[int, ...], int]:
    """Return ``length`` indices around ``frame``, clamped to the video, and the position of ``frame``.

    From ``frame - length // 2`` to ``frame + (length + 1) // 2 - 1`` (MTTR, code, on A2D-Sentences and
    JHMDB).
    """
    first = frame - length // 2
    return tuple(min(max(index, 0), num_frames - 1) for index in range(first, first + length)), length // 2


def tiling_windows(num_frames: int, length: int) -> list[tuple[int, ...]]:
    """Cut a video into consecutive windows (MTTR, code, on Refer-YouTube-VOS).

    A short last window becomes the last ``length`` frames; a video shorter than a window repeats its last
    frame.
    """
    if num_frames < length:
        return [tuple(min(index, num_frames - 1) for index in range(length))]
    starts = [*range(0, num_frames - length + 1, length)]
    if num_frames % length:
        starts.append(num_frames - length)
    return [tuple(range(start, start + length)) for start in starts]


def random_window(
    num_frames: int, length: int, stride: int, generator: np.random.Generator
) -> tuple[int, ...]:
    """Return ``length`` indices ``stride`` apart at a random place; a short video repeats its last frame."""
    span = (length - 1) * stride + 1
    start = int(generator.integers(0, max(num_frames - span, 0) + 1))
    return tuple(min(start + stride * index, num_frames - 1) for index in range(length))


def plan_clips(
    records: Sequence[VideoRecord],
    kind: Literal["around-annotated", "tiling", "random"],
    length: int,
    expressions_per_clip: int = 1,
) -> Sequence[ClipPlan]:
    """List the training clips of ``records``.

    "random" gives one plan a video. The other kinds give one a window and expression whose object appears in
    the window's annotated frames (with ``expressions_per_clip`` above 1: one a window, for all such
    expressions); they read all masks once, to see what appears where.

    Raises:
        DatasetError: a record has expressions but no masks to learn from.
    """
    if kind == "random":
        return WholeVideos(len(records))
    plans = []
    for index, record in enumerate(records):
        if not record.expressions:
            continue
        if record.masks is None:
            raise DatasetError(f"video {record.name!r} has no masks; train on a split that has them")
        for frames, annotated in _windows(record, kind, length):
            candidates = _answered(record, [frames[position] for position in annotated or range(length)])
            chosen = (
                [candidates] if expressions_per_clip > 1 and candidates else [(one,) for one in candidates]
            )
            plans.extend(ClipPlan(index, frames, annotated, some) for some in chosen)
    return plans


def read_clip(
    record: VideoRecord,
    plan: ClipPlan,
    generator: np.random.Generator,
    *,
    length: int,
    stride: int = 1,
    predicted_frames: tuple[int, ...] | None = None,
    expressions_per_clip: int = 1,
    kinds: Sequence[str] = (),
) -> Sample:
    """Read the clip of ``plan`` with at most ``expressions_per_clip`` of its expressions, drawn at random.

    With ``kinds``, expressions that speak of anything else are passed over, unless no other is left.

    ``predicted_frames`` are the positions to predict where the plan leaves that open; None: all.

    The objects are those that appear in the clip, as far as it is annotated, in the order of their ids. Where
    the window is drawn here, expressions whose object does not appear in it are passed over, unless no other
    is left.

    Raises:
        DatasetError: the video has no masks or no expressions.
    """
    if record.masks is None or not record.expressions:
        raise DatasetError(
            f"video {record.name!r} has no masks or no expressions; train on a split with both"
        )
    frames = plan.frames or random_window(len(record.frame_names), length, stride, generator)
    annotated = [frames[position] for position in plan.annotated_frames or range(len(frames))]
    ids = tuple(sorted(record.object_ids))
    masks = record.masks.read(annotated, ids)  # n k H W
    shown = np.flatnonzero(masks.any(axis=(1, 2, 3)))
    masks = masks[shown]
    if plan.annotated_frames is None and predicted_frames is not None:
        masks = masks[:, list(predicted_frames)]
    order = [ids[place] for place in shown]
    candidates = range(len(record.expressions)) if plan.expressions is None else plan.expressions
    if kinds:
        simple = [index for index in candidates if set(record.expressions[index].kinds) <= set(kinds)]
        candidates = simple or candidates
    answered = [
        index
        for index in candidates
        if not record.expressions[index].object_ids or set(order) & set(record.expressions[index].object_ids)
    ]
    chosen = generator.permutation(np.array(answered or candidates))[:expressions_per_clip]
    expressions = [record.expressions[index] for index in chosen]
    return Sample(
        frames=record.frames.read(frames),
        masks=masks,
        annotated_frames=predicted_frames if plan.annotated_frames is None else plan.annotated_frames,
        expressions=tuple(expression.text for expression in expressions),
        referents=tuple(
            tuple(order.index(identity) for identity in expression.object_ids if identity in order)
            for expression in expressions
        ),
        has_visibility=plan.annotated_frames is None,
    )


def _windows(
    record: VideoRecord, kind: str, length: int
) -> list[tuple[tuple[int, ...], tuple[int, ...] | None]]:
    """Return the frames of each window with its annotated positions."""
    num_frames = len(record.frame_names)
    if kind == "tiling":
        return [(frames, None) for frames in tiling_windows(num_frames, length)]
    annotated = range(num_frames) if record.annotated_frames is None else record.annotated_frames
    placed = [window_around(frame, num_frames, length) for frame in annotated]
    return [(frames, (position,)) for frames, position in placed]


def _answered(record: VideoRecord, frames: Sequence[int]) -> tuple[int, ...]:
    """Return the expressions of which an object appears in ``frames``, and those that nothing answers."""
    assert record.masks is not None
    masks = record.masks.read(frames, record.object_ids)
    shown = {record.object_ids[place] for place in np.flatnonzero(masks.any(axis=(1, 2, 3)))}
    return tuple(
        index
        for index, expression in enumerate(record.expressions)
        if not expression.object_ids or shown & set(expression.object_ids)
    )
