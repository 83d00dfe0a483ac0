"""Overlays: where colour goes, legends of any text, colours that can be told apart."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deixis.video.legend import Legend
from deixis.video.overlay import draw, side_by_side
from deixis.video.palette import overlay_colour

GREY = np.full((120, 160, 3), 120, np.uint8)
# Vision without middle cones, on linear RGB (Machado, Oliveira and Fernandes 2009, severity 1.0).
DEUTERANOPIA = np.array(
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
)


def test_colour_goes_where_the_masks_are():
    masks = np.zeros((2, 120, 160), bool)
    masks[0, 20:60, 20:60] = masks[1, 70:110, 90:150] = True
    drawn = draw(GREY, masks, alpha=0.5)
    assert (GREY == 120).all()
    for mask, point, number in zip(masks, [(40, 40), (90, 120)], range(2), strict=True):
        expected = 0.5 * 120 + 0.5 * np.array(overlay_colour(number))
        np.testing.assert_allclose(drawn[point], expected, atol=1.5)
        edge = np.argwhere(mask)[0]
        assert np.abs(drawn[edge[0], edge[1] + 20].astype(int) - overlay_colour(number)).max() < 25
    far = np.ones((120, 160), bool)
    far[15:65, 15:65] = far[65:115, 85:155] = False
    assert (drawn[far] == 120).all()


def test_without_outline_only_the_mask_changes():
    mask = np.zeros((1, 120, 160), bool)
    mask[0, 0:7, 150:160] = True
    changed = (draw(GREY, mask, outline=0) != GREY).any(axis=2)
    np.testing.assert_array_equal(changed, mask[0])
    assert (draw(GREY, np.zeros((1, 120, 160), bool)) == GREY).all()


def test_masks_at_every_border_and_of_single_pixels():
    for row, column in [(0, 0), (0, 159), (119, 0), (119, 159), (60, 80)]:
        mask = np.zeros((1, 120, 160), bool)
        mask[0, row, column] = True
        assert (draw(GREY, mask)[row, column] != 120).any()
    assert draw(GREY, np.ones((1, 120, 160), bool)).shape == GREY.shape


def test_side_by_side():
    both = side_by_side(GREY, GREY + 1)
    assert both.shape == (120, 320, 3) and both[0, 159, 0] == 120 and both[0, 160, 0] == 121


def changed_by(legend, masks, image=GREY):
    return (draw(image, masks, outline=0, alpha=0, legend=legend) != image).any(axis=2)


def test_the_legend_stays_in_the_corner_that_hides_least():
    masks = np.zeros((1, 120, 160), bool)
    masks[0, 60:, :80] = True
    legend = Legend(["a dog"], [overlay_colour(0)], (120, 160))
    changed = changed_by(legend, masks)
    assert changed[:60, :80].any() and not changed[60:].any()
    np.testing.assert_array_equal(changed_by(legend, masks[:, ::-1]), changed)
    habit = changed_by(Legend(["a dog"], [overlay_colour(0)], (120, 160)), np.zeros((1, 120, 160), bool))
    assert habit[60:, :80].any() and not habit[:60].any()


def test_the_legend_shows_who_is_not_visible():
    masks = np.zeros((1, 120, 160), bool)
    away = draw(GREY, masks, legend=Legend(["a dog"], [(255, 0, 0)], (120, 160)))
    masks[0, 0, 159] = True
    there = draw(GREY, masks, legend=Legend(["a dog"], [(255, 0, 0)], (120, 160)))

    def red(image):
        return ((image[60:, :, 0] > 180) & (image[60:, :, 1] < 90)).sum()

    assert red(there) > 1.5 * red(away)


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.text(max_size=60), min_size=1, max_size=12),
    st.sampled_from([(96, 128), (33, 20), (480, 270), (16, 16)]),
)
def test_any_text_on_any_size(texts, size):
    image = np.zeros((*size, 3), np.uint8)
    legend = Legend(texts, [overlay_colour(number) for number in range(len(texts))], size)
    assert draw(image, np.zeros((len(texts), *size), bool), legend=legend).shape == image.shape


@pytest.mark.parametrize(
    "text",
    ["собака слева", "左边的狗", "الكلب على اليسار",  "ein schöner Hund",
     "a\x00b\nc\td", "w" * 10_000, "word " * 10_000, "🐕"],
)  # fmt: skip
def test_other_scripts_and_endless_sentences(text):
    image = np.zeros((240, 427, 3), np.uint8)
    changed = changed_by(
        Legend([text], [overlay_colour(0)], (240, 427)), np.zeros((1, 240, 427), bool), image
    )
    rows = np.flatnonzero(changed.any(axis=1))
    assert 10 < len(rows) < 0.5 * 240


def test_long_lists_are_cut_short():
    texts = [f"expression number {number}" for number in range(40)]
    colours = [overlay_colour(number) for number in range(40)]
    changed = changed_by(Legend(texts, colours, (120, 160)), np.zeros((40, 120, 160), bool))
    assert len(np.flatnonzero(changed.any(axis=1))) < 0.6 * 120


def linear_rgb(colours):
    array = colours / 255
    return np.where(array <= 0.04045, array / 12.92, ((array + 0.055) / 1.055) ** 2.4)


def to_lab(linear):
    xyz = linear @ np.array([[0.4124, 0.2126, 0.0193], [0.3576, 0.7152, 0.1192], [0.1805, 0.0722, 0.9505]])
    f = np.cbrt(np.clip(xyz / (0.9505, 1, 1.089), 1e-6, None))
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1)


def test_colours_are_told_apart_also_without_red_and_green():
    linear = linear_rgb(np.array([overlay_colour(number) for number in range(8)]))
    for seen, least in [(linear, 35), (np.clip(linear @ DEUTERANOPIA.T, 0, 1), 20)]:
        points = to_lab(seen)
        distances = {
            pair: np.linalg.norm(points[pair[0]] - points[pair[1]]) for pair in combinations(range(8), 2)
        }
        assert min(distances.values()) > least, min(distances, key=distances.get)
    assert len({overlay_colour(number) for number in range(60)}) == 60
