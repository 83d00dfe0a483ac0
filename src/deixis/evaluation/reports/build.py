"""From the score of a protocol to a report."""

import datetime
import math
from collections.abc import Mapping, Sequence
from typing import Any

from deixis.evaluation.protocols.base import ObjectRow, Score
from deixis.evaluation.reports.content import Figures, Report, Row
from deixis.inference.record import versions

_FRACTIONS = ("V", "IoU")
"""The extra figures of rows that are fractions; the others are counts."""

_LIBRARIES = ("deixis", "python", "numpy", "pillow")
"""What the figures of saved masks depend on."""

_REMARKS = {
    "proposal": "matched with predicted object {:.0f}",
    "is_absent": "nothing answers it",
    "is_missing": "nothing predicted for the video",
}
"""Extra figures of rows that a reader should see, where they are not 0."""


def build_report(
    score: Score,
    *,
    benchmark: str,
    split: str,
    data: Mapping[str, Any],
    predictions: Mapping[str, Any],
    notes: Sequence[str] = (),
    seconds: float = 0.0,
) -> Report:
    """Put a score on record with this machine's versions and the time.

    Args:
        score: of all videos.
        benchmark: name of the data set.
        split: of the data set.
        data: what was scored on.
        predictions: what was scored.
        notes: to be read with the figures, besides those of the score.
        seconds: that it took.
    """
    rows = tuple(_row(row) for row in score.rows)
    return Report(
        benchmark=benchmark,
        split=split,
        protocol={"name": score.protocol, **score.parameters},
        data=data,
        predictions=predictions,
        figures=dict(score.table),
        groups={**score.groups, "video": by_video(rows)},
        rows=rows,
        notes=(*score.notes, *notes),
        versions={name: version for name, version in versions().items() if name in _LIBRARIES},
        date=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        seconds=round(seconds, 3),
    )


def by_video(rows: Sequence[Row]) -> dict[str, Figures]:
    """Return the mean of every figure over the rows of each video."""
    videos: dict[str, list[Row]] = {}
    for row in rows:
        videos.setdefault(row.video, []).append(row)
    return {video: _means(members) for video, members in sorted(videos.items())}


def _means(rows: Sequence[Row]) -> dict[str, float]:
    """Return the mean of each figure over the rows that have it."""
    values: dict[str, list[float]] = {}
    for row in rows:
        for name, value in row.figures.items():
            if not math.isnan(value):
                values.setdefault(name, []).append(value)
    return {name: sum(found) / len(found) for name, found in values.items()}


def _row(row: ObjectRow) -> Row:
    region = float(row.region.mean()) if row.region.size else math.nan
    figures: dict[str, float] = {}
    if row.contour.size:
        contour = float(row.contour.mean())
        figures = {"J&F": (region + contour) / 2, "J": region, "F": contour}
    elif row.region.size:
        figures = {"IoU": region}
    figures |= {name: float(row.extra[name]) for name in _FRACTIONS if name in row.extra}
    remarks = [text.format(row.extra[name]) for name, text in _REMARKS.items() if row.extra.get(name)]
    return Row(
        video=row.video,
        name=row.name,
        text=row.text,
        kinds=row.kinds,
        group=row.group,
        note=", ".join(remarks),
        figures=figures,
        frames=row.frames,
        region=tuple(row.region.tolist()),
        contour=tuple(row.contour.tolist()),
    )
