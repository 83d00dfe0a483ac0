"""Scores of label maps against those of masks given one by one."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from deixis.metrics.contour import compare_pair, contour_accuracy, tolerance_radius
from deixis.metrics.frame_scores import score_frames
from deixis.metrics.label_maps import pack_labels, score_all_pairs, score_packed
from deixis.metrics.packed import crop_to_content, dilate, pack, unpack


@st.composite
def label_maps(draw):
    shape = (draw(st.integers(1, 14)), draw(st.sampled_from([1, 5, 63, 64, 65, 129, 200])))
    labels = npst.arrays(np.uint8, shape, elements=st.sampled_from([0, 0, 0, 1, 2, 3, 255]))
    return draw(labels), draw(labels)


@settings(max_examples=80, deadline=None)
@given(label_maps(), st.sampled_from([0.008, 1, 3, 40]))
def test_every_pair_scores_as_its_masks_do(maps, tolerance):
    prediction, annotation = maps
    ids, proposals = (1, 2, 3), (1, 2, 3, 4)
    first, second = pack_labels(prediction, proposals), pack_labels(annotation, ids)
    region, contour = score_all_pairs(first, second, annotation.shape, tolerance)
    for place, proposal in enumerate(proposals):
        for index, label in enumerate(ids):
            plain = score_frames(
                (prediction == proposal)[None], (annotation == label)[None], tolerance=tolerance
            )
            assert region[place, index] == plain.region[0] and contour[place, index] == plain.contour[0]
    matched = score_packed(first[:3], second, annotation.shape, tolerance)
    np.testing.assert_array_equal(matched[0], np.diagonal(region))
    np.testing.assert_array_equal(matched[1], np.diagonal(contour))


@settings(max_examples=60, deadline=None)
@given(label_maps())
def test_packing_by_label(maps):
    labels, other = maps
    for label, words in zip((1, 9, 255), pack_labels(labels, (1, 9, 255)), strict=True):
        np.testing.assert_array_equal(unpack(words, labels.shape[1]), labels == label)
    first, second = pack(labels == 1), pack(other == 2)
    pair, width = crop_to_content(first, second, labels.shape[1])
    assert unpack(pair, width).sum() == (labels == 1).sum() + (other == 2).sum()


@settings(max_examples=60, deadline=None)
@given(label_maps(), st.integers(0, 70))
def test_dilation_against_distances(maps, radius):
    mask = maps[0] == 1
    height, width = mask.shape
    rows, columns = np.mgrid[:height, :width]
    expected = np.zeros_like(mask)
    for y, x in np.argwhere(mask)[:40]:
        expected |= (rows - y) ** 2 + (columns - x) ** 2 <= radius**2
    kept = np.zeros_like(mask)
    kept[tuple(np.argwhere(mask)[:40].T)] = True
    np.testing.assert_array_equal(unpack(dilate(pack(kept), radius), width), expected)


def test_masks_of_whole_frames_and_of_nothing():
    full, none = np.ones((1, 30, 70), bool), np.zeros((1, 30, 70), bool)
    assert contour_accuracy(full, none).item() == 1
    assert compare_pair(pack(none)[0], pack(none)[0], 70, tolerance_radius(30, 70)) == (0,) * 6
    region, contour = score_all_pairs(pack(full), pack(none), (30, 70))
    assert (region.item(), contour.item()) == (0, 1)
