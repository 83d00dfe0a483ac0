"""From the frames of one expression to the figures of a data set, in all and by kind of expression.

J and F of an expression are means over its frames, those of a data set are means over expressions (metrics,
section 9). The measures of single frames (P@K, overall and mean IoU) take a frame in which the referent is
visible as a sample, as A2D-Sentences does (metrics, section 10). Absent expressions have figures of their own
and enter no other.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deixis.metrics.frame_scores import FrameScores
from deixis.metrics.presence import absent_accuracy, empty_share, num_agreeing, target_accuracy
from deixis.metrics.region import PRECISION_THRESHOLDS


@dataclass(frozen=True, kw_only=True)
class ExpressionRow:
    """What is kept of one expression of one video: enough to compute every figure again.

    Attributes:
        video: name of the video.
        expression: id of the expression in its video.
        text: the expression as written.
        kinds: what it speaks of.
        is_absent: nothing in the video answers it.
        answered_by: id of the expression whose prediction was scored; another one's in the language control.
        region: J, mean over the frames.
        contour: F, mean over the frames.
        num_frames: frames scored.
        num_empty: frames without a predicted pixel.
        num_visible: frames in which the referent has a pixel.
        num_agreeing: frames that have a predicted pixel exactly where the referent is visible.
        intersection: pixels of truth and prediction, over the visible frames.
        union: pixels of truth or prediction, over the visible frames.
        sum_ious: sum of the visible frames' IoUs.
        num_above: visible frames with an IoU above 0.5, 0.6, 0.7, 0.8, 0.9.
        region_frames: J of each frame, to six decimals.
        contour_frames: F of each frame.
    """

    video: str
    expression: str
    text: str
    kinds: tuple[str, ...]
    is_absent: bool
    answered_by: str
    region: float
    contour: float
    num_frames: int
    num_empty: int
    num_visible: int
    num_agreeing: int
    intersection: int
    union: int
    sum_ious: float
    num_above: tuple[int, ...]
    region_frames: tuple[float, ...] = ()
    contour_frames: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Figures:
    """The figures of a set of expressions; NaN where no expression has them.

    Attributes:
        num_expressions: expressions with a referent.
        num_absent: expressions without.
        num_frames: frames scored, summed over the expressions with a referent.
        region_and_contour: J&F.
        region: J.
        contour: F.
        precision: share of samples above each K of ``PRECISION_THRESHOLDS``.
        overall_iou: summed intersections over summed unions of the samples.
        mean_iou: mean IoU of the samples.
        presence_accuracy: over expressions with a referent, share of frames that have a predicted pixel
            exactly where the referent is visible.
        target_accuracy: share of expressions with a referent that have a pixel in some frame.
        absent_accuracy: share of absent expressions with more than half of their frames empty.
        absent_empty_share: share of empty frames of absent expressions.
    """

    num_expressions: int
    num_absent: int
    num_frames: int
    region_and_contour: float
    region: float
    contour: float
    precision: tuple[float, ...]
    overall_iou: float
    mean_iou: float
    presence_accuracy: float
    target_accuracy: float
    absent_accuracy: float
    absent_empty_share: float


def make_row(
    scores: FrameScores,
    *,
    video: str,
    expression: str,
    text: str,
    kinds: Sequence[str] = (),
    is_absent: bool = False,
    answered_by: str | None = None,
) -> ExpressionRow:
    """Boil the frames of one expression down to its row."""
    visible = scores.is_visible
    ious = scores.region[visible]
    return ExpressionRow(
        video=video,
        expression=expression,
        text=text,
        kinds=tuple(kinds),
        is_absent=is_absent,
        answered_by=expression if answered_by is None else answered_by,
        region=float(scores.region.mean()),
        contour=float(scores.contour.mean()),
        num_frames=len(scores),
        num_empty=int((~scores.is_predicted).sum()),
        num_visible=int(visible.sum()),
        num_agreeing=num_agreeing(visible, scores.is_predicted),
        intersection=int(scores.intersection[visible].sum()),
        union=int(scores.union[visible].sum()),
        sum_ious=float(ious.sum()),
        num_above=tuple(int((ious > threshold).sum()) for threshold in PRECISION_THRESHOLDS),
        region_frames=tuple(scores.region.round(6).tolist()),
        contour_frames=tuple(scores.contour.round(6).tolist()),
    )


def aggregate(rows: Iterable[ExpressionRow]) -> Figures:
    """Return the figures of ``rows``."""
    rows = list(rows)
    present = [row for row in rows if not row.is_absent]
    empty, frames = (
        {
            absent: np.array([getattr(row, name) for row in rows if row.is_absent is absent], np.int64)
            for absent in (False, True)
        }
        for name in ("num_empty", "num_frames")
    )
    num_samples = sum(row.num_visible for row in present)
    region, contour = _mean([row.region for row in present]), _mean([row.contour for row in present])
    return Figures(
        num_expressions=len(present),
        num_absent=len(rows) - len(present),
        num_frames=int(frames[False].sum()),
        region_and_contour=(region + contour) / 2,
        region=region,
        contour=contour,
        precision=tuple(
            _ratio(sum(row.num_above[index] for row in present), num_samples)
            for index in range(len(PRECISION_THRESHOLDS))
        ),
        overall_iou=_ratio(sum(row.intersection for row in present), sum(row.union for row in present)),
        mean_iou=_ratio(sum(row.sum_ious for row in present), num_samples),
        presence_accuracy=_ratio(sum(row.num_agreeing for row in present), int(frames[False].sum())),
        target_accuracy=target_accuracy(empty[False], frames[False]),
        absent_accuracy=absent_accuracy(empty[True], frames[True]),
        absent_empty_share=empty_share(empty[True], frames[True]),
    )


def aggregate_by(
    rows: Iterable[ExpressionRow], keys_of: Callable[[ExpressionRow], Iterable[str]]
) -> dict[str, Figures]:
    """Return the figures of each group; a row belongs to every group that ``keys_of`` names."""
    groups: dict[str, list[ExpressionRow]] = {}
    for row in rows:
        for key in keys_of(row):
            groups.setdefault(key, []).append(row)
    return {key: aggregate(groups[key]) for key in sorted(groups)}


def by_kind(rows: Iterable[ExpressionRow]) -> Mapping[str, Figures]:
    """Return the figures of each kind of expression; a row of two kinds counts in both."""
    return aggregate_by(rows, lambda row: row.kinds)


def by_video(rows: Iterable[ExpressionRow]) -> Mapping[str, Figures]:
    """Return the figures of each video."""
    return aggregate_by(rows, lambda row: (row.video,))


def _mean(values: Sequence[float]) -> float:
    """Return the mean in float64, NaN of nothing."""
    return float(np.mean(values)) if values else float("nan")


def _ratio(part: float, whole: float) -> float:
    """Return part / whole, NaN of nothing."""
    return part / whole if whole else float("nan")
