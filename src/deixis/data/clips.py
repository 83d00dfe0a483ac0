"""Which frames of a video make a training clip, which expressions go with it, and how the clip is read.

Axes: t frames of the clip, k of them annotated, n objects, m motion channels, H W pixels, h w of the motion.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, overload

import numpy as np
from jaxtyping import Bool, Float, UInt8

from deixis.errors import DatasetError
from deixis.flow.reading import MotionReader

from .categories import label_of
from .images import BoxMasks
from .records import VideoRecord
from .refcoco import CROWD
from .rules import ClipRule
from .windows import (
    jumping_frames,
    local_and_global,
    random_window,
    reference_and_current,
    tiling_windows,
    window_around,
    with_frame_at,
)

WORDLESS = "object"
"""What stands for a sentence where there is none: a model that follows masks does not read it."""

References = Literal["words", "masks", "both", "none"]
"""What a model that can be shown masks is shown (``structures.Batch``)."""

_LOCAL_GLOBAL = ("local-global", "local-global-published")


@dataclass(frozen=True)
class Sample:
    """One clip with its expressions, before batching.

    Attributes:
        frames: ``uint8 [t, H, W, 3]`` RGB.
        masks: ``bool [n, k, H, W]`` of all objects in the annotated frames.
        annotated_frames: positions in the clip of the ``k`` frames; None: all.
        expressions: sentences about the clip; ``WORDLESS`` where an object is followed without words.
        referents: for each expression, indices into ``masks``; empty where nothing in the clip answers it.
        has_visibility: False where an empty mask says nothing about visibility.
        labels: class of each object, where the rule has a table of classes.
        frame_sizes: height and width of each frame, where they do not all fill the arrays; the rest is
            padding.
        flow: ``float32 [t, m, h, w]``, the motion of each frame over the whole of it, in a grid of its own
            and, if it is vectors, in pixels of that grid; None: not asked for.
        references: what is shown of the first frame.
    """

    frames: UInt8[np.ndarray, "t H W 3"]
    masks: Bool[np.ndarray, "n k H W"]
    annotated_frames: tuple[int, ...] | None
    expressions: tuple[str, ...]
    referents: tuple[tuple[int, ...], ...]
    has_visibility: bool = True
    labels: tuple[int, ...] | None = None
    frame_sizes: tuple[tuple[int, int], ...] | None = None
    flow: Float[np.ndarray, "t m h w"] | None = None
    references: References = "words"

    def is_answered(self, *, everywhere: bool = False, at_first: bool = False) -> bool:
        """Tell whether each referent is seen in a predicted frame, ``everywhere`` in all, or ``at_first``."""
        seen = np.asarray(self.masks.any(axis=(2, 3)))  # n k
        seen = seen[:, :1] if at_first else seen
        combine = np.all if everywhere else np.any
        return all(not one or bool(combine(seen[list(one)], axis=1).any()) for one in self.referents)


@dataclass(frozen=True)
class ClipPlan:
    """A training clip before it is read.

    Attributes:
        record: index of the video among the records.
        frames: frame indices; empty: drawn when the clip is read.
        annotated_frames: positions in the clip that are predicted; None: all.
        expressions: indices of the record's expressions to draw from; None: all.
        around: the frame around which others are drawn when the clip is read.
        predicts_around: predict that frame alone.
    """

    record: int
    frames: tuple[int, ...]
    annotated_frames: tuple[int, ...] | None
    expressions: tuple[int, ...] | None
    around: int | None = None
    predicts_around: bool = False


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


def plan_clips(records: Sequence[VideoRecord], rule: ClipRule) -> Sequence[ClipPlan]:
    """List the training clips of ``records``.

    "random", "random-frame" and "jumps" give one plan a video. "around-annotated" and "tiling" give one a
    window and expression whose object appears in the window's annotated frames (with ``expressions_per_clip``
    above 1: one a window, for all such expressions); they read all masks once, to see what appears
    where. The others
    give one an expression or object (``rule.unit``) and place, and look at masks only where a video is
    annotated in some of its frames alone.

    Raises:
        DatasetError: a record has expressions but no masks to learn from.
    """
    if rule.kind in ("random", "random-frame", "jumps"):
        return WholeVideos(len(records))
    plans: list[ClipPlan] = []
    for index, record in enumerate(records):
        record = _as_the_rule_takes_it(record, rule)
        if record.masks is None and record.expressions:
            raise DatasetError(f"video {record.name!r} has no masks; train on a split that has them")
        if rule.kind in ("around-annotated", "tiling"):
            plans.extend(_windows(index, record, rule))
        else:
            plans.extend(_places(index, record, rule))
    return plans


def read_clip(
    record: VideoRecord,
    plan: ClipPlan,
    generator: np.random.Generator,
    rule: ClipRule,
    predicted_frames: tuple[int, ...] | None = None,
    motion: MotionReader | None = None,
    references: References = "words",
) -> Sample:
    """Read the clip of ``plan`` with some of its expressions, drawn at random by ``rule``.

    With ``rule.kinds``, expressions that speak of anything else are passed over, unless no other is left.

    The objects are those that appear in the clip, as far as it is annotated, in the order of their ids; or,
    with ``rule.objects`` "referred", those that the drawn expressions denote; "all": those that appear, as
    one answer to the expression ``WORDLESS``. Where the window is drawn here
    and objects are those that appear, expressions whose object does not are passed over, unless no other is
    left. A video without expressions gives ``rule.objects_per_clip`` of its objects that appear (with
    "jumps": in the first frame), with the expression ``WORDLESS``.

    Args:
        record: the video.
        plan: of a clip of it.
        generator: all chance comes from here.
        rule: as the plan was made with.
        predicted_frames: positions to predict where the plan leaves that open; None: all. Where the plan
            predicts the frame that it is around, the one position of that frame.
        motion: reads frames with what moves in them; None: it is not wanted.
        references: what is shown of the first frame, where there are words.

    Raises:
        DatasetError: the video has no masks or no expressions, or an object no class.
    """
    record = _as_the_rule_takes_it(record, rule)
    if record.masks is None or not (record.expressions or rule.objects != "shown"):
        raise DatasetError(
            f"video {record.name!r} has no masks or no expressions; train on a split with both"
        )
    frames = plan.frames or _draw_frames(record, plan, generator, rule, predicted_frames)
    alone = predicted_frames if plan.predicts_around else plan.annotated_frames
    annotated = [frames[position] for position in alone or range(len(frames))]
    if rule.objects != "referred":
        order, masks, chosen = _shown_objects(record, plan, generator, rule, annotated)
    else:
        order, masks, chosen = _referred_objects(record, plan, generator, rule, annotated)
    if alone is None and predicted_frames is not None:
        masks = masks[:, list(predicted_frames)]
    expressions = [record.expressions[index] for index in chosen]
    # Objects that are followed are answers of their own; those that are found together are one answer.
    wordless = tuple((place,) for place in range(len(order))) or ((),)
    wordless = (tuple(range(len(order))),) if rule.objects == "all" else wordless
    if motion is None:
        images, flow = record.frames.read(frames), None
    else:
        images, flow = motion.read(record.frames.read, frames, len(record.frame_names))
    return Sample(
        frames=images,
        masks=masks,
        annotated_frames=predicted_frames if alone is None else alone,
        expressions=tuple(expression.text for expression in expressions) or (WORDLESS,) * len(wordless),
        referents=tuple(
            tuple(order.index(identity) for identity in expression.object_ids if identity in order)
            for expression in expressions
        )
        or wordless,
        has_visibility=alone is None,
        labels=tuple(label_of(record, one, rule.classes) for one in order) if rule.classes else None,
        flow=flow,
        references=references if expressions else "masks" if rule.objects == "referred" else "none",
    )


def _as_the_rule_takes_it(record: VideoRecord, rule: ClipRule) -> VideoRecord:
    """Return the record without words, or with boxes for masks, where the rule has it so."""
    if not rule.has_words:
        record = replace(record, expressions=())
    if rule.takes_boxes and record.masks is None:
        boxes = {told.id: told.box for told in record.objects if told.box is not None}
        record = replace(record, masks=BoxMasks(boxes, record.frames, record.size)) if boxes else record
    return record


def _windows(index: int, record: VideoRecord, rule: ClipRule) -> Iterator[ClipPlan]:
    """Yield the plans of consecutive windows in which an object of an expression appears."""
    if not record.expressions:
        return
    num_frames = len(record.frame_names)
    windows: list[tuple[tuple[int, ...], tuple[int, ...] | None]]
    if rule.kind == "tiling":
        windows = [(frames, None) for frames in tiling_windows(num_frames, rule.length)]
    else:
        placed = [window_around(frame, num_frames, rule.length) for frame in _annotated(record)]
        windows = [(frames, (position,)) for frames, position in placed]
    for frames, annotated in windows:
        found = _answered(record, [frames[position] for position in annotated or range(rule.length)])
        chosen = [found] if rule.expressions_per_clip > 1 and found else [(one,) for one in found]
        yield from (ClipPlan(index, frames, annotated, some) for some in chosen)


def _places(index: int, record: VideoRecord, rule: ClipRule) -> Iterator[ClipPlan]:
    """Yield the plans of each expression or object, at each of the places that the rule has for it."""
    is_sparse = record.annotated_frames is not None
    if rule.kind in _LOCAL_GLOBAL and not is_sparse:
        places: Sequence[int | None] = range(0, len(record.frame_names), rule.length)
    elif rule.kind in (*_LOCAL_GLOBAL, "each-frame", "example-pair"):
        places = _annotated(record)
    else:
        places = (None,)
    # As both ReferFormer and UniRef train on images.
    units = _units(record, rule, without=(CROWD,) if rule.kind == "image" else ())
    seen = {place: set(_answered(record, [place])) for place in places if place is not None and is_sparse}
    for unit in units:
        for place in places:
            if place in seen and unit is not None and not seen[place].intersection(unit):
                continue
            if rule.kind in _LOCAL_GLOBAL:
                yield ClipPlan(index, (), None, unit, around=place, predicts_around=is_sparse)
            elif rule.kind == "example-pair":
                yield ClipPlan(index, (), None, unit, around=place)
            else:
                first = 0 if place is None else place
                frames = () if rule.kind == "reference-pair" else (first,) * rule.length
                yield ClipPlan(index, frames, None, unit)


def _units(record: VideoRecord, rule: ClipRule, without: Sequence[str]) -> list[tuple[int, ...] | None]:
    """Return the expressions of each sample: one by one, or those of an object; None: there are no words."""
    kept = [i for i, one in enumerate(record.expressions) if not set(without) & set(one.kinds)]
    if not record.expressions:
        return [None]
    if rule.unit == "expression":
        return [(index,) for index in kept]
    of_object: dict[tuple[int, ...], list[int]] = {}
    for index in kept:
        of_object.setdefault(record.expressions[index].object_ids, []).append(index)
    return [tuple(indices) for indices in of_object.values()]


def _draw_frames(
    record: VideoRecord,
    plan: ClipPlan,
    generator: np.random.Generator,
    rule: ClipRule,
    predicted_frames: tuple[int, ...] | None,
) -> tuple[int, ...]:
    """Return the frames of a plan that leaves them to chance."""
    num_frames = len(record.frame_names)
    if rule.kind == "example-pair":
        assert plan.around is not None
        if not record.examples or not record.examples[plan.around]:
            raise DatasetError(f"{record.name!r} has no examples; clips of kind example-pair are of fss-1000")
        return int(generator.choice(record.examples[plan.around])), plan.around
    if plan.around is not None:
        if plan.predicts_around:
            assert predicted_frames is not None, "the position of the frame is one choice for a batch"
            return with_frame_at(plan.around, predicted_frames[0], num_frames, rule.length, generator)
        repeats_last = rule.kind == "local-global-published"
        return local_and_global(plan.around, num_frames, rule.length, generator, repeats_last=repeats_last)
    if rule.kind == "reference-pair":
        annotated = _annotated(record)
        places = reference_and_current(len(annotated), rule.length, generator, rule.reach)
        return tuple(annotated[place] for place in places)
    if rule.kind == "jumps":
        annotated = _annotated(record)
        places = jumping_frames(len(annotated), rule.length, generator, rule.reach)
        return tuple(annotated[place] for place in places)
    if rule.kind == "random-frame":
        return (int(generator.choice(_annotated(record))),)
    return random_window(num_frames, rule.length, rule.stride, generator)


def _shown_objects(
    record: VideoRecord,
    plan: ClipPlan,
    generator: np.random.Generator,
    rule: ClipRule,
    annotated: Sequence[int],
) -> tuple[list[int], Bool[np.ndarray, "n k H W"], list[int]]:
    """Return ids and masks of the objects that appear, and expressions that speak of them."""
    assert record.masks is not None
    ids = tuple(sorted(record.object_ids))
    masks = record.masks.read(annotated, ids)  # n k H W
    shown = np.flatnonzero([mask.any() for mask in masks])
    masks = masks if len(shown) == len(ids) else masks[shown]
    order = [ids[place] for place in shown]
    candidates = _candidates(record, plan, rule)
    answered = [
        index
        for index in candidates
        if not record.expressions[index].object_ids or set(order) & set(record.expressions[index].object_ids)
    ]
    chosen = generator.permutation(np.array(answered or candidates))[: rule.expressions_per_clip]
    return order, masks, chosen.tolist()


def _referred_objects(
    record: VideoRecord,
    plan: ClipPlan,
    generator: np.random.Generator,
    rule: ClipRule,
    annotated: Sequence[int],
) -> tuple[list[int], Bool[np.ndarray, "n k H W"], list[int]]:
    """Return expressions, with ids and masks of what they denote; without words, objects that appear."""
    assert record.masks is not None
    if not record.expressions:
        ids = tuple(sorted(record.object_ids))
        masks = record.masks.read(annotated, ids)
        seen = np.asarray(masks.any(axis=(2, 3)))  # n k
        if not len(ids):
            return [], masks, []
        if rule.kind == "jumps":
            seen = seen[:, :1]
        shown = np.flatnonzero(seen.all(axis=1) if rule.kind == "reference-pair" else seen.any(axis=1))
        count = min(rule.objects_per_clip, max(len(shown), 1))
        places = generator.choice(shown if len(shown) else len(ids), count, replace=False)
        return [ids[place] for place in places], masks[places], []
    candidates = _candidates(record, plan, rule)
    if rule.unit == "object" and plan.expressions is None:
        groups = [unit for unit in _units(record, rule, without=()) if unit and set(unit) & set(candidates)]
        candidates = groups[int(generator.integers(len(groups)))]
    chosen = generator.permutation(np.array(candidates))[: rule.expressions_per_clip].tolist()
    order = sorted({identity for index in chosen for identity in record.expressions[index].object_ids})
    return order, record.masks.read(annotated, order), chosen


def _candidates(record: VideoRecord, plan: ClipPlan, rule: ClipRule) -> Sequence[int]:
    """Return the expressions to draw from, those of the kinds of the rule where there are any."""
    candidates = range(len(record.expressions)) if plan.expressions is None else plan.expressions
    if not rule.kinds:
        return candidates
    simple = [index for index in candidates if set(record.expressions[index].kinds) <= set(rule.kinds)]
    return simple or candidates


def _annotated(record: VideoRecord) -> Sequence[int]:
    return range(len(record.frame_names)) if record.annotated_frames is None else record.annotated_frames


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
