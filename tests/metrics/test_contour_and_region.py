"""J and F against the official figures, against a plain computation, and at their edges."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from seeded_masks import draw

from deixis.metrics.contour import boundary_map, contour_accuracy, tolerance_radius
from deixis.metrics.frame_scores import concatenate, score_frames
from deixis.metrics.packed import count, dilate, pack, unpack
from deixis.metrics.region import (
    intersection_and_union,
    mean_iou,
    overall_iou,
    precision_at,
    region_similarity,
    smoothed_iou,
    strict_iou,
)

GOLDENS = Path(__file__).parents[1] / "goldens" / "metrics"
EDGES = json.loads((GOLDENS / "edge_cases.json").read_text())
SEEDED = json.loads((GOLDENS / "seeded_masks.json").read_text())["seeds"]


@pytest.fixture(scope="module")
def edge_masks() -> dict[str, np.ndarray]:
    with np.load(GOLDENS / "edge_cases.npz") as arrays:
        return dict(arrays)


@pytest.mark.parametrize("name", EDGES["cases"])
def test_edge_cases_of_the_official_code(name, edge_masks):
    case = EDGES["cases"][name]
    annotation, prediction, void = (edge_masks[key][case["index"]] for key in ("gt", "pred", "void"))
    void = void if case["has_void"] else None
    assert region_similarity(prediction, annotation, void) == pytest.approx(case["J"], abs=1e-8)
    assert contour_accuracy(prediction, annotation, void) == pytest.approx(case["F"], abs=1e-8)
    if void is not None:
        annotation, prediction = annotation * (void == 0), prediction * (void == 0)
    assert boundary_map(annotation).sum() == case["boundary_pixels_gt"]
    assert boundary_map(prediction).sum() == case["boundary_pixels_pred"]


@pytest.mark.parametrize("seed", SEEDED)
def test_figures_of_the_official_code_on_seeded_masks(seed):
    annotation, prediction, void = draw(int(seed))
    expected = SEEDED[seed]
    bits = np.packbits(np.stack([annotation, prediction, void]))
    assert hashlib.sha256(bits.tobytes()).hexdigest() == expected["sha256"], "the generator draws other masks"
    for name, ignored in (("plain", None), ("void", void)):
        scores = score_frames(prediction, annotation, ignored)
        np.testing.assert_allclose(scores.region, expected[name]["J"], rtol=0, atol=1e-12)
        np.testing.assert_allclose(scores.contour, expected[name]["F"], rtol=0, atol=1e-12)


def test_boundaries_and_dilation_of_the_official_code():
    with np.load(GOLDENS / "boundary_map.npz") as arrays:
        blobs = dict(arrays)
    width = blobs["mask_a"].shape[1]
    np.testing.assert_array_equal(boundary_map(blobs["mask_a"]), blobs["boundary_a"] != 0)
    np.testing.assert_array_equal(
        unpack(dilate(pack(blobs["boundary_a"]), 4), width), blobs["dilated_a_r4"] != 0
    )
    for tolerance, expected in EDGES["blob_F_by_threshold"].items():
        score = contour_accuracy(blobs["mask_a"], blobs["mask_b"], tolerance=float(tolerance))
        assert score == pytest.approx(expected, abs=1e-8)


def test_tolerance_radius_and_disk():
    for size, radius in EDGES["tolerance_radius"].items():
        assert tolerance_radius(*map(int, size.split("x"))) == radius
    point = np.zeros((81, 81), bool)
    point[40, 40] = True
    for radius, area in EDGES["disk_area"].items():
        assert count(dilate(pack(point), int(radius))) == area


def plain_boundary(mask: np.ndarray) -> np.ndarray:
    padded = np.pad(mask, ((0, 1), (0, 1)), mode="edge")
    return (mask != padded[:-1, 1:]) | (mask != padded[1:, :-1]) | (mask != padded[1:, 1:])


def plain_contour_accuracy(prediction: np.ndarray, annotation: np.ndarray, radius: int) -> float:
    found, wanted = (np.argwhere(plain_boundary(mask)) for mask in (prediction, annotation))
    if not len(found) or not len(wanted):
        return float(len(found) == len(wanted))
    distances = ((found[:, None] - wanted[None]) ** 2).sum(-1)
    precision, recall = (float((distances.min(axis) <= radius**2).mean()) for axis in (1, 0))
    return 0.0 if precision + recall == 0 else 2 * precision * recall / (precision + recall)


@st.composite
def pairs_of_masks(draw):
    height, width = draw(st.integers(1, 12)), draw(st.sampled_from([1, 2, 7, 63, 64, 65, 70, 128, 130]))
    shape = (draw(st.integers(1, 3)), height, width)
    return draw(npst.arrays(bool, shape)), draw(npst.arrays(bool, shape))


@settings(max_examples=60, deadline=None)
@given(pairs_of_masks(), st.integers(1, 9))
def test_scores_equal_a_plain_computation(pair, radius):
    prediction, annotation = pair
    expected = [plain_contour_accuracy(p, a, radius) for p, a in zip(prediction, annotation, strict=True)]
    np.testing.assert_allclose(
        contour_accuracy(prediction, annotation, tolerance=radius), expected, atol=1e-12
    )
    intersection, union = intersection_and_union(prediction, annotation)
    np.testing.assert_array_equal(intersection, (prediction & annotation).sum((1, 2)))
    np.testing.assert_array_equal(union, (prediction | annotation).sum((1, 2)))


@settings(max_examples=30, deadline=None)
@given(pairs_of_masks())
def test_symmetry_identity_and_packing(pair):
    first, second = pair
    np.testing.assert_array_equal(unpack(pack(first), first.shape[-1]), first)
    np.testing.assert_array_equal(contour_accuracy(first, second), contour_accuracy(second, first))
    np.testing.assert_array_equal(region_similarity(first, second), region_similarity(second, first))
    assert (contour_accuracy(first, first) == 1).all() and (region_similarity(first, first) == 1).all()


def test_frames_scored_apart_and_together_agree():
    annotation, prediction, _ = draw(3)
    together = score_frames(prediction, annotation)
    apart = concatenate([score_frames(prediction[i : i + 1], annotation[i : i + 1]) for i in range(6)])
    np.testing.assert_array_equal(together.region, apart.region)
    np.testing.assert_array_equal(together.contour, apart.contour)
    np.testing.assert_array_equal(together.is_visible, annotation.any((1, 2)))
    np.testing.assert_array_equal(together.is_predicted, prediction.any((1, 2)))
    half = (together.region.mean() + together.contour.mean()) / 2
    assert together.region_and_contour == pytest.approx(half, abs=1e-15)


def test_shapes_must_agree():
    with pytest.raises(ValueError, match=r"prediction is \[2, 4, 5\] but annotation is \[2, 4, 6\]"):
        score_frames(np.zeros((2, 4, 5), bool), np.zeros((2, 4, 6), bool))
    with pytest.raises(ValueError, match="void"):
        region_similarity(np.zeros((4, 6)), np.zeros((4, 6)), np.zeros((4, 5)))


def test_the_conventions_of_single_frames_differ_at_the_thresholds():
    intersection, union = np.array([300, 900, 100, 0]), np.array([500, 1000, 200, 0])
    smooth, strict = smoothed_iou(intersection, union), strict_iou(intersection, union)
    assert smooth.dtype == np.float32 and smooth[3] == 1 and strict[3] == 0
    assert precision_at(smooth, (0.5, 0.6, 0.9)) == {0.5: 0.75, 0.6: 0.75, 0.9: 0.25}
    assert precision_at(strict, (0.5, 0.6, 0.9), inclusive=True) == {0.5: 0.75, 0.6: 0.5, 0.9: 0.25}
    assert overall_iou(intersection, union) == 1300 / 1700
    assert mean_iou(strict) == pytest.approx((0.6 + 0.9 + 0.5) / 4)
    nothing = np.zeros(0, int)
    assert np.isnan([overall_iou(nothing, nothing), mean_iou(nothing), *precision_at(nothing).values()]).all()
