from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.data.clips import Sample
from deixis.data.cropping import change_size, cut, draw_region
from deixis.data.rules import RandomCrop, Transforms

CROP = RandomCrop(probability=1.0, before=(), smallest=16, largest=30)


def clip(t=3, height=32, width=48, expressions=("it",)):
    """Masks say where the red channel is bright."""
    red = np.random.default_rng(0).random((t, height // 4, width // 4)) > 0.5
    red = red.repeat(4, axis=1).repeat(4, axis=2)
    frames = np.zeros((t, height, width, 3), np.uint8)
    frames[..., 0] = 255 * red
    return Sample(frames, red[None], None, expressions, ((0,),))


@given(
    height=st.integers(1, 80),
    width=st.integers(1, 80),
    smallest=st.integers(1, 40),
    more=st.integers(0, 40),
    seed=st.integers(0, 1000),
)
def test_regions_lie_inside_and_have_the_sizes_asked_for(height, width, smallest, more, seed):
    top, left, h, w = draw_region(height, width, smallest, smallest + more, np.random.default_rng(seed))
    assert min(top, left) >= 0 and top + h <= height and left + w <= width
    assert min(smallest, height) <= h <= smallest + more
    assert min(smallest, width) <= w <= smallest + more


def test_regions_reach_all_sizes_and_both_edges():
    generator = np.random.default_rng(0)
    drawn = np.array([draw_region(40, 50, 20, 30, generator) for _ in range(1500)])
    assert set(drawn[:, 2]) == set(drawn[:, 3]) == set(range(20, 31))
    assert drawn[:, 0].min() == drawn[:, 1].min() == 0
    assert (drawn[:, 0] + drawn[:, 2]).max() == 40 and (drawn[:, 1] + drawn[:, 3]).max() == 50


def test_a_cut_takes_one_region_out_of_frames_and_masks():
    part = cut(clip(), 4, 8, 12, 20)
    np.testing.assert_array_equal(part.frames, clip().frames[:, 4:16, 8:28])
    np.testing.assert_array_equal(part.masks, clip().masks[:, :, 4:16, 8:28])


@pytest.mark.parametrize("per_frame", [False, True])
def test_masks_follow_the_frames_through_crop_and_resizing(per_frame):
    change = Transforms(short_side=64, long_side=96, crop=replace(CROP, per_frame=per_frame))
    for seed in range(6):
        after = change_size(clip(), change, np.random.default_rng(seed))
        assert after.frames.shape[:3] == (3, *after.masks.shape[2:])
        assert (after.masks[0] == (after.frames[..., 0] > 127)).mean() > 0.93
        for index, (height, width) in enumerate(after.frame_sizes or ()):
            assert not after.frames[index, height:].any() and not after.frames[index, :, width:].any()
            assert after.masks[0, index, :height, :width].any()
        assert (after.frame_sizes is not None) == per_frame


def test_frames_are_cropped_apart_only_where_that_is_asked():
    still = replace(clip(), frames=clip().frames[[0, 0, 0]], masks=clip().masks[:, [0, 0, 0]])
    for per_frame in (False, True):
        change = Transforms(short_side=32, long_side=96, crop=replace(CROP, per_frame=per_frame))
        after = change_size(still, change, np.random.default_rng(1))
        assert (after.frames[0] == after.frames[1]).all() != per_frame


def test_a_frame_that_is_not_predicted_needs_no_masks():
    sparse = replace(clip(), masks=clip().masks[:, [1]], annotated_frames=(1,))
    change = Transforms(short_side=32, long_side=96, crop=replace(CROP, per_frame=True))
    after = change_size(sparse, change, np.random.default_rng(2))
    assert after.masks.shape[:2] == (1, 1)
    assert (after.masks[0, 0] == (after.frames[1, ..., 0] > 127)).mean() > 0.93


def test_sizes_after_a_crop_are_drawn_from_their_own_list():
    crop = replace(CROP, before=(40, 50), short_sides=(24,), long_side=64)
    cropped = Transforms(short_sides=(36,), long_side=640, crop=crop)
    assert min(change_size(clip(), cropped, np.random.default_rng(0)).frames.shape[1:3]) == 24
    whole = replace(cropped, crop=replace(crop, probability=0.0))
    assert change_size(clip(), whole, np.random.default_rng(0)).frames.shape[1:3] == (36, 54)


def test_every_short_side_is_drawn():
    change = Transforms(short_sides=(20, 24, 28), long_side=640)
    generator = np.random.default_rng(0)
    assert {change_size(clip(), change, generator).frames.shape[1] for _ in range(40)} == {20, 24, 28}


@pytest.mark.parametrize(
    ("text", "is_cropped"), [("the second cat", False), ("the Third one", False), ("a secondhand car", True)]
)
def test_what_expressions_count_is_not_cut_away(text, is_cropped):
    change = Transforms(short_side=32, long_side=640, crop=replace(CROP, spares_ordinals=True))
    after = change_size(clip(expressions=(text,)), change, np.random.default_rng(0))
    assert (after.frames.shape[1:3] != (32, 48)) == is_cropped


def test_a_square_is_cut_out_after_resizing():
    change = Transforms(short_side=32, long_side=640, square=24)
    assert change_size(clip(), change, np.random.default_rng(0)).frames.shape[1:3] == (24, 24)
    wider = Transforms(short_side=20, long_side=640, square=24)
    assert change_size(clip(), wider, np.random.default_rng(0)).frames.shape[1:3] == (20, 24)
