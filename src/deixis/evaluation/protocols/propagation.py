"""Objects followed from a given mask: YouTube-VOS (metrics, section 7), LVOS (section 8), any data set.

Rows: ``group`` is "seen" or "unseen"; LVOS adds ``extra["V"]``, the spread of J&F over the object's frames.

Legend: t frames, H W pixels.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from deixis.errors import DatasetError
from deixis.evaluation.protocols.base import (
    ObjectRow,
    Options,
    Score,
    TruthObject,
    VideoPrediction,
    VideoTruth,
)
from deixis.evaluation.protocols.frames import (
    Table,
    read_labels,
    read_prediction,
    table_of_means,
    tables_by,
    without_empty,
)
from deixis.metrics.label_maps import pack_labels, score_packed

PARTS = ("seen", "unseen")


def score_youtube_vos(truth: VideoTruth, prediction: VideoPrediction, options: Options) -> list[ObjectRow]:
    """Score every object on the annotated frames after the one in which it is given.

    Raises:
        DatasetError: an object has no given frame, or none after it.
    """
    wanted = {known.id: _after_first(truth, known) for known in truth.objects}
    return _score(truth, prediction, options, wanted)


def score_followed(truth: VideoTruth, prediction: VideoPrediction, options: Options) -> list[ObjectRow]:
    """Score every object on the annotated frames after its first one; any data set with masks has that.

    The first frame is the one that the data set names, or the first that shows the object. Objects without a
    frame after it do not count.
    """
    named = {known.id: known.first_frame for known in truth.objects if known.first_frame is not None}
    wanted = {
        label: tuple(name for name in truth.frames if name > first)
        for label, first in sorted((named or first_frames(truth)).items())
    }
    wanted = {label: frames for label, frames in wanted.items() if frames}
    return _score(truth, prediction, options, wanted) if wanted else []


def first_frames(truth: VideoTruth) -> dict[int, str]:
    """Return the first annotated frame that shows each object; objects that none shows are left out."""
    waiting, firsts = set(truth.object_ids), {}
    for frame in truth.frames:
        if not waiting:
            break
        for label in waiting.intersection(np.unique(read_labels(truth, frame)).tolist()):
            firsts[label] = frame
            waiting.discard(label)
    return firsts


def score_lvos(truth: VideoTruth, prediction: VideoPrediction, options: Options) -> list[ObjectRow]:
    """Score every object on the frames of its range, without the first and the last of them.

    Raises:
        DatasetError: an object has no range, or less than three frames in it.
    """
    wanted = {known.id: _inside_range(truth, known) for known in truth.objects}
    rows = _score(truth, prediction, options, wanted)
    return [
        ObjectRow(
            video=row.video,
            name=row.name,
            frames=row.frames,
            region=row.region,
            contour=row.contour,
            kinds=row.kinds,
            group=row.group,
            extra={"V": spread(row.region, row.contour)},
        )
        for row in rows
    ]


def spread(region: Float[np.ndarray, "t"], contour: Float[np.ndarray, "t"]) -> float:
    """Return V (LVOS): the root of the variance of J&F over the frames, rounded to 4 decimals before."""
    return math.sqrt(round(float(np.var((region + contour) / 2)), 4))


def _after_first(truth: VideoTruth, known: TruthObject) -> tuple[str, ...]:
    if known.first_frame is None:
        raise DatasetError(f"object {known.id} of {truth.name} has no given frame; is the metadata whole?")
    listed = set(truth.frames if known.frames is None else known.frames)
    frames = tuple(name for name in truth.frames if name > known.first_frame and name in listed)
    if not frames:
        raise DatasetError(f"object {known.id} of {truth.name} has no annotated frame after its given one")
    return frames


def _inside_range(truth: VideoTruth, known: TruthObject) -> tuple[str, ...]:
    if known.frames is None or len(known.frames) < 3:
        raise DatasetError(
            f"object {known.id} of {truth.name} needs a range of three frames or more; is it all there?"
        )
    return known.frames[1:-1]


def _score(
    truth: VideoTruth,
    prediction: VideoPrediction,
    options: Options,
    wanted: dict[int, tuple[str, ...]],
) -> list[ObjectRow]:
    """Score id against id on each object's own frames; every frame is read once."""
    if not wanted:
        raise DatasetError(f"{truth.name} has no objects in its metadata; nothing can be scored")
    described = {known.id: known for known in truth.objects}
    scores = {label: np.empty((2, len(frames))) for label, frames in wanted.items()}
    places = {label: {name: place for place, name in enumerate(frames)} for label, frames in wanted.items()}
    for frame, labels in _by_frame(wanted):
        annotated = read_labels(truth, frame)
        predicted = read_prediction(truth, prediction, frame, annotated.shape, options)
        first, second = pack_labels(predicted, labels), pack_labels(annotated, labels)
        found = np.stack(score_packed(first, second, annotated.shape))  # 2 n
        for place, label in enumerate(labels):
            scores[label][:, places[label][frame]] = found[:, place]
    return [
        ObjectRow(
            video=truth.name,
            name=str(known.id),
            frames=wanted[known.id],
            region=scores[known.id][0],
            contour=scores[known.id][1],
            kinds=(known.category,) if known.category else (),
            group="" if known.is_seen is None else PARTS[not known.is_seen],
        )
        for known in (described.get(label, TruthObject(id=label)) for label in wanted)
    ]


def _by_frame(wanted: dict[int, tuple[str, ...]]) -> Iterator[tuple[str, list[int]]]:
    """Yield each frame with the objects that are scored on it."""
    frames: dict[str, list[int]] = {}
    for label, names in wanted.items():
        for name in names:
            frames.setdefault(name, []).append(label)
    for name in sorted(frames):
        yield name, frames[name]


def aggregate_youtube_vos(protocol: str, rows: Sequence[ObjectRow], options: Options) -> Score:
    """Average objects of seen and of unseen categories apart, then all four figures: G."""
    parts = {part: table_of_means([row for row in rows if row.group == part]) for part in PARTS}
    table = {f"{name}_{part}": parts[part][name] for part in PARTS for name in ("J", "F")}
    return Score(
        protocol=protocol,
        parameters={"tolerance": 0.008, "missing": options.missing},
        table={"G": sum(table.values()) / 4, **table},
        groups=without_empty({"category": tables_by(rows, lambda row: row.kinds, table_of_means)}),
        rows=tuple(rows),
        notes=_notes(rows),
    )


def aggregate_proxy(protocol: str, rows: Sequence[ObjectRow], options: Options) -> Score:
    """Average all objects alike: for a part of the training set that was held out. It is never called G."""
    note = "a stand-in on other videos than the benchmark's; not to be compared with published figures"
    return replace(aggregate_followed(protocol, rows, options), notes=(note,))


def aggregate_followed(protocol: str, rows: Sequence[ObjectRow], options: Options) -> Score:
    """Average all objects alike."""
    return Score(
        protocol=protocol,
        parameters={"tolerance": 0.008, "missing": options.missing},
        table=table_of_means(rows),
        groups=without_empty({"category": tables_by(rows, lambda row: row.kinds, table_of_means)}),
        rows=tuple(rows),
    )


def aggregate_lvos(protocol: str, rows: Sequence[ObjectRow], options: Options) -> Score:
    """Average objects of seen and of unseen videos apart, then both parts."""
    parts = {part: _table_of_lvos([row for row in rows if row.group == part]) for part in PARTS}
    table: Table = {}
    for name in ("J", "F", "V"):
        values = [parts[part][name] for part in PARTS]
        table[name] = sum(values) / 2
        table.update({f"{name}_{part}": value for part, value in zip(PARTS, values, strict=True)})
    return Score(
        protocol=protocol,
        parameters={"tolerance": 0.008, "missing": options.missing},
        table={"J&F": (table["J"] + table["F"]) / 2, **table},
        groups=without_empty({"category": tables_by(rows, lambda row: row.kinds, _table_of_lvos)}),
        rows=tuple(rows),
        notes=_notes(rows),
    )


def _table_of_lvos(rows: Sequence[ObjectRow]) -> Table:
    spreads = [row.extra["V"] for row in rows]
    return {**table_of_means(rows), "V": float(np.mean(spreads)) if spreads else float("nan")}


def _notes(rows: Sequence[ObjectRow]) -> tuple[str, ...]:
    absent = [part for part in PARTS if not any(row.group == part for row in rows)]
    if not absent:
        return ()
    return (f"nothing {' and nothing '.join(absent)} was scored: figures over both parts do not exist",)
