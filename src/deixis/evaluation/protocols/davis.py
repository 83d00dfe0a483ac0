"""DAVIS-16, DAVIS-17 and Ref-DAVIS17 in the forms that papers report (metrics, section 5).

Rows: ``extra["proposal"]`` is the predicted id that the unsupervised protocols matched to the object.

Legend: t frames, n annotated objects, q predicted objects, H W pixels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from deixis.errors import DatasetError
from deixis.evaluation.protocols.base import (
    Frames,
    ObjectRow,
    Options,
    Score,
    VideoPrediction,
    VideoTruth,
)
from deixis.evaluation.protocols.expressions import score_expressions
from deixis.evaluation.protocols.frames import (
    STATISTICS,
    Table,
    read_labels,
    read_prediction,
    scored_frames,
    table_of_statistics,
    tables_by,
    without_empty,
)
from deixis.evaluation.protocols.sources import VOID
from deixis.metrics.label_maps import pack_labels, score_all_pairs, score_packed
from deixis.metrics.packed import pack

MAX_PROPOSALS = 20
ATTRIBUTES = ("AC", "LR", "SV", "SC", "CS", "DB", "BC", "FM", "MB", "DEF", "OCC")
"""The columns of HINet's table by attribute, in its order (supplement, Table 1); others come after them."""

ANNOTATORS = ("0", "1", "2", "3")
"""Annotator 1 first frame, annotator 1 full video, annotator 2 first frame, annotator 2 full video."""


def score_single_object(
    truth: VideoTruth, prediction: VideoPrediction, options: Options, *, frames: Frames = "inner"
) -> list[ObjectRow]:
    """Score everything that is not background as one object (DAVIS-16)."""
    names = scored_frames(truth, options, frames)
    scores = np.empty((2, len(names)))
    for index, frame in enumerate(names):
        annotated = read_labels(truth, frame)
        predicted = read_prediction(truth, prediction, frame, annotated.shape, options)
        scores[:, index] = score_packed(pack(predicted), pack(annotated), annotated.shape)
    return [
        ObjectRow(
            video=truth.name,
            name="1",
            frames=names,
            region=scores[0],
            contour=scores[1],
            kinds=truth.attributes,
        )
    ]


def score_referring(truth: VideoTruth, prediction: VideoPrediction, options: Options) -> list[ObjectRow]:
    """Score the masks of each annotator's expression as the one object, on inner frames (DAVIS-16, HINet)."""
    annotators = {expression.id: expression.annotator for expression in truth.expressions}
    return [
        replace(row, kinds=truth.attributes, group=f"annotator {annotators[row.name]}", extra={})
        for row in score_expressions(truth, prediction, options, frames="inner")
    ]


def score_by_id(
    truth: VideoTruth,
    prediction: VideoPrediction,
    options: Options,
    *,
    frames: Frames = "inner",
    key: str = "",
) -> list[ObjectRow]:
    """Score id k against id k (DAVIS-17, semi-supervised).

    The objects are 1 to the highest id of the first annotated frame; an id that is not predicted has empty
    masks. Void is background.

    Raises:
        DatasetError: a higher id is predicted; the published code stops there, too.
    """
    names = scored_frames(truth, options, frames)
    ids = _ids_of_first_frame(truth)
    scores = np.empty((2, len(ids), len(names)))
    for index, frame in enumerate(names):
        annotated = read_labels(truth, frame)
        predicted = read_prediction(truth, prediction, frame, annotated.shape, options, key)
        _refuse_ids_above(len(ids), predicted, truth, frame, "objects that its first frame has")
        first, second = pack_labels(predicted, ids), pack_labels(annotated, ids)
        scores[:, :, index] = score_packed(first, second, annotated.shape)
    return [
        ObjectRow(
            video=truth.name,
            name=str(label),
            frames=names,
            region=scores[0, place],
            contour=scores[1, place],
            kinds=truth.attributes,
        )
        for place, label in enumerate(ids)
    ]


def score_matched(
    truth: VideoTruth,
    prediction: VideoPrediction,
    options: Options,
    *,
    frames: Frames = "all",
    key: str = "",
) -> list[ObjectRow]:
    """Match predicted to annotated objects so that the sum of J&F is largest, then score (unsupervised).

    Void pixels are left out of both. The objects are 1 to the highest id of the first annotated frame; what
    has no match because too little is predicted is matched with empty masks.

    Raises:
        DatasetError: more than 20 objects are predicted; the published code stops there, too.
    """
    names = scored_frames(truth, options, frames)
    ids = _ids_of_first_frame(truth)
    labels = range(1, max(MAX_PROPOSALS, len(ids)) + 1)
    scores = np.empty((2, len(labels), len(ids), len(names)))
    num_proposals = len(ids)
    for index, frame in enumerate(names):
        annotated = read_labels(truth, frame)
        predicted = read_prediction(truth, prediction, frame, annotated.shape, options, key)
        highest = _refuse_ids_above(MAX_PROPOSALS, predicted, truth, frame, "proposals that are allowed")
        num_proposals = max(num_proposals, highest)
        # One empty mask stands for all the proposals that this frame does not have.
        present = labels[: highest + 1]
        first, second = pack_labels(predicted, present), pack_labels(annotated, ids)
        if annotated.max(initial=0) == VOID:
            first &= pack(annotated != VOID)
        found = np.stack(score_all_pairs(first, second, annotated.shape))  # 2 q n
        scores[:, : len(present), :, index] = found
        scores[:, len(present) :, :, index] = found[:, -1:]
    # The layout in memory is the published one: sums, and so ties, come out the same.
    region, contour = (np.ascontiguousarray(part[:num_proposals]) for part in scores)
    return _match(truth, names, ids, region, contour)


def _match(
    truth: VideoTruth, names: tuple[str, ...], ids: Sequence[int], region: np.ndarray, contour: np.ndarray
) -> list[ObjectRow]:
    """Assign proposals to objects; rows come in the order of the objects."""
    from scipy.optimize import linear_sum_assignment

    totals = (region.mean(axis=2) + contour.mean(axis=2)) / 2  # q n
    pairs = zip(*(places.tolist() for places in linear_sum_assignment(-totals)), strict=True)
    return [
        ObjectRow(
            video=truth.name,
            name=str(ids[wanted]),
            frames=names,
            region=region[proposal, wanted],
            contour=contour[proposal, wanted],
            kinds=truth.attributes,
            extra={"proposal": proposal + 1},
        )
        for proposal, wanted in sorted(pairs, key=lambda pair: pair[1])
    ]


def score_annotators_by_id(
    truth: VideoTruth, prediction: VideoPrediction, options: Options
) -> list[ObjectRow]:
    """Score the label maps of each of the four annotators by id, on inner frames (Ref-DAVIS17)."""
    return [
        replace(row, group=f"annotator {key}")
        for key in ANNOTATORS
        for row in score_by_id(truth, prediction, options, key=key)
    ]


def score_annotators_matched(
    truth: VideoTruth, prediction: VideoPrediction, options: Options
) -> list[ObjectRow]:
    """Score the label maps of each of the four annotators with matching, on all frames (Ref-DAVIS17)."""
    return [
        replace(row, group=f"annotator {key}")
        for key in ANNOTATORS
        for row in score_matched(truth, prediction, options, key=key)
    ]


def aggregate_objects(protocol: str, rows: Sequence[ObjectRow], options: Options) -> Score:
    """Average over all objects of all videos, however long and large."""

    def table_of(chosen: Sequence[ObjectRow]) -> Table:
        return table_of_statistics(chosen, options)

    return Score(
        protocol=protocol,
        parameters=_parameters(options),
        table=table_of(rows),
        groups=without_empty({"attribute": _in_order(tables_by(rows, lambda row: row.kinds, table_of))}),
        rows=tuple(rows),
        notes=_notes(rows, options),
    )


def aggregate_annotators(protocol: str, rows: Sequence[ObjectRow], options: Options) -> Score:
    """Average over the objects of each annotator, then over the annotators."""

    def table_of(chosen: Sequence[ObjectRow]) -> Table:
        return table_of_statistics(chosen, options)

    groups = tables_by(rows, lambda row: (row.group,), table_of)
    means = {column: _mean([table[column] for table in groups.values()]) for column in STATISTICS}
    return Score(
        protocol=protocol,
        parameters=_parameters(options),
        table=means,
        groups=without_empty({"annotator": groups}),
        rows=tuple(rows),
        notes=_notes(rows, options),
    )


def aggregate_referring(protocol: str, rows: Sequence[ObjectRow], options: Options) -> Score:
    """Average over the videos of each annotator, then over the annotators; the same for each attribute."""
    score = aggregate_annotators(protocol, rows, options)

    def table_of(chosen: Sequence[ObjectRow]) -> Table:
        return dict(aggregate_annotators(protocol, chosen, options).table)

    attributes = _in_order(tables_by(rows, lambda row: row.kinds, table_of))
    return replace(score, groups=without_empty({"attribute": attributes, **score.groups}))


def _in_order(tables: dict[str, Mapping[str, float]]) -> dict[str, Mapping[str, float]]:
    names = [name for name in ATTRIBUTES if name in tables]
    return {name: tables[name] for name in [*names, *(name for name in tables if name not in names)]}


def _ids_of_first_frame(truth: VideoTruth) -> range:
    """Return 1 to the highest id of the first annotated frame, without void.

    Raises:
        DatasetError: it has no object.
    """
    labels = read_labels(truth, truth.frames[0])
    highest = int(labels.max(initial=0))
    if highest == VOID:
        highest = int(labels[labels != VOID].max(initial=0))
    if not highest:
        raise DatasetError(
            f"the first annotated frame of {truth.name} has no object; are these the annotations?"
        )
    return range(1, highest + 1)


def _refuse_ids_above(limit: int, predicted: np.ndarray, truth: VideoTruth, frame: str, what: str) -> int:
    """Return the highest predicted id.

    Raises:
        DatasetError: it is above ``limit``.
    """
    highest = int(predicted.max(initial=0))
    if highest > limit:
        hint = "; 255 is no object: save ids, not grey values" if highest == VOID else ""
        raise DatasetError(
            f"frame {frame} of {truth.name} is predicted with id {highest}, above the {limit} {what}{hint}"
        )
    return highest


def _parameters(options: Options) -> dict[str, object]:
    return {"tolerance": 0.008, "missing": options.missing, "decay_in_8_bits": options.decay_in_8_bits}


def _notes(rows: Sequence[ObjectRow], options: Options) -> tuple[str, ...]:
    notes = []
    longest = max((len(row.frames) for row in rows), default=0)
    if longest >= 256 and not options.decay_in_8_bits:
        notes.append(
            f"sequences have up to {longest} frames: the decay differs from the published code, whose 8-bit "
            "edges overflow from 256 frames on"
        )
    return tuple(notes)


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else float("nan")
