"""Every expression scored on its own: Ref-YouTube-VOS, MeViS, VISA's Ref-DAVIS17, "binary" DAVIS (metrics).

The truth of an expression is the union of the objects it denotes; its prediction is one mask a frame.

Rows: ``extra`` holds ``num_empty`` (frames without a predicted pixel), ``num_visible`` (frames in which the
referent has a pixel), ``num_agreeing`` (frames where both agree on whether there is one), ``intersection``
and ``union`` (pixels over all frames) and ``is_absent`` (1 where the expression denotes nothing).

Legend: t frames, n expressions, H W pixels, w words of a row.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt64

from deixis.errors import DatasetError
from deixis.evaluation.protocols.base import (
    Frames,
    ObjectRow,
    Options,
    Score,
    VideoPrediction,
    VideoTruth,
)
from deixis.evaluation.protocols.frames import (
    Table,
    read_labels,
    read_prediction,
    scored_frames,
    table_of_means,
    tables_by,
    without_empty,
)
from deixis.metrics.label_maps import pack_labels, score_packed
from deixis.metrics.packed import count, pack
from deixis.metrics.presence import absent_accuracy, empty_share, no_target_accuracy, target_accuracy

PRESENCE = ("N-acc", "T-acc")


class _Target(NamedTuple):
    """What is scored on its own."""

    key: str
    object_ids: tuple[int, ...]
    text: str = ""
    kinds: tuple[str, ...] = ()


def score_expressions(
    truth: VideoTruth,
    prediction: VideoPrediction,
    options: Options,
    *,
    frames: Frames = "all",
    missing_video_is_zero: bool = False,
) -> list[ObjectRow]:
    """Score the mask of each expression against the union of its referents, on every annotated frame.

    Args:
        truth: of a video with expressions.
        prediction: one mask a frame and expression; ``key`` is the expression's id.
        options: see there.
        frames: which frames are scored unless ``options`` say otherwise.
        missing_video_is_zero: give 0 to all expressions of a video for which no file is predicted (MeViS).

    Raises:
        DatasetError: the video has no expressions, or two of the same id.
    """
    targets = [_Target(e.id, e.object_ids, e.text, e.kinds) for e in truth.expressions]
    return _score(truth, prediction, options, targets, frames, missing_video_is_zero)


def score_binary(truth: VideoTruth, prediction: VideoPrediction, options: Options) -> list[ObjectRow]:
    """Score each expression's mask on its own on the inner frames, overlaps allowed ("binary" DAVIS-17).

    A video without expressions has its objects scored, ``key`` being their ids.
    """
    if truth.expressions:
        return score_expressions(truth, prediction, options, frames="inner")
    ids = truth.object_ids
    if not ids:
        labels = read_labels(truth, truth.frames[0])
        ids = tuple(range(1, int(labels[labels != 255].max(initial=0)) + 1))
    targets = [_Target(str(label), (label,)) for label in ids]
    return _score(truth, prediction, options, targets, "inner", False)


def _score(
    truth: VideoTruth,
    prediction: VideoPrediction,
    options: Options,
    targets: Sequence[_Target],
    published: Frames,
    missing_video_is_zero: bool,
) -> list[ObjectRow]:
    _check(truth, targets)
    names = scored_frames(truth, options, published)
    if missing_video_is_zero and not any(prediction.has(target.key) for target in targets):
        return [_row_of_zeros(truth, names, target) for target in targets]
    groups = [target.object_ids for target in targets]
    scores = np.empty((2, len(targets), len(names)))
    counts = np.zeros((5, len(targets)), np.int64)
    for index, frame in enumerate(names):
        annotated, size = read_unions(truth, frame, groups)
        for place, target in enumerate(targets):
            predicted = pack(read_prediction(truth, prediction, frame, size, options, target.key))
            scores[:, place, index] = score_packed(predicted, annotated[place], size)
            counts[:, place] += _count(predicted, annotated[place])
    return [
        ObjectRow(
            video=truth.name,
            name=target.key,
            frames=names,
            region=scores[0, place],
            contour=scores[1, place],
            text=target.text,
            kinds=target.kinds,
            extra=_extra(target, counts[:, place]),
        )
        for place, target in enumerate(targets)
    ]


def _check(truth: VideoTruth, targets: Sequence[_Target]) -> None:
    keys = [target.key for target in targets]
    if not keys:
        raise DatasetError(f"{truth.name} has no expressions; this protocol scores nothing else")
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise DatasetError(f"{truth.name} has several expressions of the id {twice[0]}")


def read_unions(
    truth: VideoTruth, frame: str, groups: Sequence[tuple[int, ...]]
) -> tuple[list[UInt64[np.ndarray, "H w"]], tuple[int, ...]]:
    """Read a frame of the truth once: the union of each group of objects, packed, and the frame's size."""
    ids = sorted({label for group in groups for label in group})
    if truth.labels is not None:
        labels = truth.labels.read(frame)
        packed, size = pack_labels(labels, ids), labels.shape  # n H w
    else:
        assert truth.masks is not None
        masks = truth.masks.read(frame, ids)
        packed, size = pack(masks), masks.shape[1:]
    unions = {
        group: np.bitwise_or.reduce(packed[[ids.index(label) for label in group]], axis=0)
        for group in set(groups)
    }
    return [unions[group] for group in groups], size


def _count(predicted: UInt64[np.ndarray, "H w"], annotated: UInt64[np.ndarray, "H w"]) -> tuple[int, ...]:
    intersection, union = int(count(predicted & annotated)), int(count(predicted | annotated))
    num_predicted, num_annotated = int(count(predicted)), int(count(annotated))
    is_agreeing = (num_predicted > 0) == (num_annotated > 0)
    return int(num_predicted == 0), int(num_annotated > 0), int(is_agreeing), intersection, union


def _extra(target: _Target, counts: np.ndarray) -> dict[str, int]:
    names = ("num_empty", "num_visible", "num_agreeing", "intersection", "union")
    return {
        **dict(zip(names, counts.tolist(), strict=True)),
        "is_absent": int(not target.object_ids),
    }


def _row_of_zeros(truth: VideoTruth, names: tuple[str, ...], target: _Target) -> ObjectRow:
    nothing = np.zeros(len(names))
    return ObjectRow(
        video=truth.name,
        name=target.key,
        frames=names,
        region=nothing,
        contour=nothing,
        text=target.text,
        kinds=target.kinds,
        # Nothing was said about the video: no measure of presence may count it as an answer.
        extra={"is_absent": int(not target.object_ids), "is_missing": 1},
    )


def aggregate_expressions(protocol: str, rows: Sequence[ObjectRow], options: Options) -> Score:
    """Average J and F over expressions; measures of presence come as a group of their own."""
    missing = sorted({row.video for row in rows if row.extra.get("is_missing")})
    notes = []
    if missing:
        notes.append(
            f"{len(missing)} videos have no predicted file and score 0, as the protocol demands; the first: "
            f"{', '.join(missing[:10])}"
        )
    return Score(
        protocol=protocol,
        parameters={
            "tolerance": 0.008,
            "missing": options.missing,
            **({"frames": options.frames} if options.frames else {}),
        },
        table=table_of_means(rows),
        groups=without_empty({"kind": tables_by(rows, lambda row: row.kinds, table_of_means)}),
        rows=tuple(rows),
        notes=tuple(notes),
    )


def aggregate_with_presence(protocol: str, rows: Sequence[ObjectRow], options: Options) -> Score:
    """Do the same as :func:`aggregate_expressions`, with measures of presence.

    N-acc and T-acc join the table (MeViS); the group "presence" has all of :func:`table_of_presence`.
    """
    score = aggregate_expressions(protocol, rows, options)
    presence = table_of_presence(rows)
    return replace(
        score,
        table={**score.table, **{name: presence[name] for name in PRESENCE}},
        groups={**score.groups, "presence": {"all": presence}},
    )


def table_of_presence(rows: Sequence[ObjectRow]) -> Table:
    """Return how well rows tell that there is something, or nothing, to show.

    Returns:
        ``N-acc``: share of expressions without referent whose frames are all empty; ``T-acc``: share of
        expressions with a referent that have a pixel in some frame (both MeViS); ``absent``: share of
        expressions without referent that have more empty frames than others; ``empty``: mean share of their
        empty frames; ``presence``: over expressions with a referent, share of frames that have a predicted
        pixel exactly where the referent has one.
    """
    known = [row for row in rows if not row.extra.get("is_missing")]
    absent, present = (
        [row for row in known if bool(row.extra["is_absent"]) is wanted] for wanted in (True, False)
    )
    num_frames = sum(len(row.frames) for row in present)
    num_agreeing = sum(row.extra["num_agreeing"] for row in present)
    return {
        "N-acc": no_target_accuracy(*_emptiness(absent)),
        "T-acc": target_accuracy(*_emptiness(present)),
        "absent": absent_accuracy(*_emptiness(absent)),
        "empty": empty_share(*_emptiness(absent)),
        "presence": num_agreeing / num_frames if num_frames else float("nan"),
    }


def _emptiness(rows: Sequence[ObjectRow]) -> tuple[np.ndarray, np.ndarray]:
    """Return the number of empty frames and of all frames of each row."""
    num_empty = np.array([row.extra["num_empty"] for row in rows], np.int64)
    return num_empty, np.array([len(row.frames) for row in rows], np.int64)
