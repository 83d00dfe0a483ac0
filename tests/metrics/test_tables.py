import numpy as np
import pytest

from deixis.metrics.frame_scores import score_frames
from deixis.metrics.presence import (
    absent_accuracy,
    empty_share,
    is_answered_with_nothing,
    no_target_accuracy,
    target_accuracy,
)
from deixis.metrics.tables import aggregate, by_kind, by_video, make_row


def row(expression, boxes, kinds, *, is_absent=False, video="v"):
    """Score four 20x20 frames; ``boxes`` gives (truth, prediction) widths of each frame."""
    annotation, prediction = np.zeros((2, len(boxes), 20, 20), bool)
    for frame, (truth, found) in enumerate(boxes):
        annotation[frame, :10, :truth] = True
        prediction[frame, :10, :found] = True
    scores = score_frames(prediction, annotation)
    return make_row(scores, video=video, expression=expression, text="a", kinds=kinds, is_absent=is_absent)


ROWS = [
    row("0", [(10, 10), (10, 5), (10, 0), (0, 0)], ("motion",)),
    row("1", [(10, 10), (10, 9), (0, 4), (0, 0)], ("motion", "appearance"), video="w"),
    row("2", [(0, 0), (0, 0), (0, 0), (0, 1)], ("absent",), is_absent=True),
    row("3", [(0, 0), (0, 0), (0, 3), (0, 1)], ("absent",), is_absent=True),
]


def test_figures_by_hand():
    figures = aggregate(ROWS)
    assert (figures.num_expressions, figures.num_absent, figures.num_frames) == (2, 2, 8)
    assert figures.region == pytest.approx(((1 + 0.5 + 0 + 1) / 4 + (1 + 0.9 + 0 + 1) / 4) / 2)
    assert figures.region_and_contour == pytest.approx((figures.region + figures.contour) / 2)
    # Five frames show the referent: IoUs 1, 0.5, 0, 1, 0.9; an IoU of exactly K is not above it.
    assert figures.precision == (0.6, 0.6, 0.6, 0.6, 0.4)
    assert figures.overall_iou == (100 + 50 + 0 + 100 + 90) / 500
    assert figures.mean_iou == pytest.approx(3.4 / 5)
    assert figures.presence_accuracy == 6 / 8
    assert figures.target_accuracy == 1
    assert figures.absent_accuracy == 0.5
    assert figures.absent_empty_share == (3 / 4 + 2 / 4) / 2


def test_groups_overlap_and_absent_rows_stay_apart():
    kinds = by_kind(ROWS)
    assert list(kinds) == ["absent", "appearance", "motion"]
    assert repr(kinds["motion"]) == repr(aggregate(ROWS[:2]))
    assert repr(kinds["appearance"]) == repr(aggregate(ROWS[1:2]))
    assert np.isnan(kinds["absent"].region) and kinds["absent"].absent_accuracy == 0.5
    assert np.isnan(kinds["motion"].absent_accuracy)
    assert by_video(ROWS)["w"].num_expressions == 1


def test_several_presence_measures():
    empty, frames = np.array([4, 3, 2, 0]), np.array([4, 4, 4, 4])
    assert is_answered_with_nothing(empty, frames).tolist() == [True, True, False, False]
    assert absent_accuracy(empty, frames) == 0.5
    assert no_target_accuracy(empty, frames) == 0.25
    assert target_accuracy(empty, frames) == 0.75
    assert empty_share(empty, frames) == 9 / 16
    assert np.isnan(absent_accuracy(np.zeros(0, int), np.zeros(0, int)))
