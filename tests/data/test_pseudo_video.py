import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deixis.data.clips import Sample
from deixis.data.pseudo_video import Motion, blur_kernel, draw_motion, move, set_in_motion

HEIGHT, WIDTH = 60, 80


def picture():
    """A grey image with one bright box, which its mask outlines."""
    frame = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    mask = np.zeros((1, HEIGHT, WIDTH), bool)
    mask[0, 20:40, 25:45] = True
    frame[mask[0]] = (250, 200, 30)
    return frame, mask


def test_no_motion_changes_nothing():
    frame, mask = picture()
    moved, seen = move(frame, mask, Motion())
    np.testing.assert_array_equal(moved, frame)
    np.testing.assert_array_equal(seen, mask)


def test_a_shift_moves_right_and_down_and_leaves_black():
    frame, mask = picture()
    moved, seen = move(frame, mask, Motion(shift=0.1))
    np.testing.assert_array_equal(seen[0, 6:, 8:], mask[0, :-6, :-8])
    np.testing.assert_array_equal(moved[6:, 8:], frame[:-6, :-8])
    assert not moved[:6].any() and not moved[:, :8].any()


def test_a_quarter_turn_is_clockwise():
    frame, mask = np.zeros((41, 41, 3), np.uint8), np.zeros((1, 41, 41), bool)
    frame[5, 20], mask[0, 5, 20] = 255, True  # above the middle
    moved, seen = move(frame, mask, Motion(angle=90.0))
    assert np.argwhere(seen[0]).tolist() == [[20, 35]]  # to its right
    assert moved[20, 35].tolist() == [255] * 3


def test_bent_corners_are_brought_to_the_corners_of_the_image():
    frame, mask = picture()
    corners = ((0.1, 0.2), (0.1, 0.2), (0.1, 0.2), (0.1, 0.2))
    moved, _ = move(frame, mask, Motion(corners=corners))
    inner = frame[12:48, 8:72]
    assert abs(int(moved[0, 0, 0]) - int(inner[0, 0, 0])) <= 1
    assert (moved[..., 2] < 60).mean() == pytest.approx((inner[..., 2] < 60).mean(), abs=0.02)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_masks_follow_their_pixels(seed):
    frame, mask = picture()
    motion = draw_motion(np.random.default_rng(seed))
    assert abs(motion.angle) <= 20 and abs(motion.shift) <= 0.1 and abs(motion.brightness) <= 40
    still_coloured = Motion(corners=motion.corners, angle=motion.angle, shift=motion.shift)
    moved, seen = move(frame, mask, still_coloured)
    is_box = (moved[..., 0] > 170) & (moved[..., 2] < 60)  # more box than ground, though both are mixed
    assert (is_box == seen[0]).mean() > 0.98
    assert seen.any()


def test_brightness_is_added_and_clipped_and_blur_keeps_the_mean():
    frame, mask = picture()
    brighter, _ = move(frame, mask, Motion(brightness=30))
    np.testing.assert_array_equal(brighter, np.minimum(frame.astype(int) + 30, 255))
    blurred, seen = move(frame, mask, Motion(blur=9, blur_angle=40.0))
    assert blurred.mean() == pytest.approx(frame.mean(), abs=0.5)
    assert (np.diff(blurred.astype(int), axis=1) ** 2).sum() < (np.diff(frame.astype(int), axis=1) ** 2).sum()
    np.testing.assert_array_equal(seen, mask)


@given(
    size=st.sampled_from((9, 11)),
    angle=st.floats(0, 360, exclude_max=True),
    direction=st.floats(-1, 1),
)
def test_blur_kernels_are_lines_of_sum_one(size, angle, direction):
    kernel = blur_kernel(size, angle, direction)
    assert kernel.shape == (size, size)
    assert kernel.min() >= 0
    assert kernel.sum() == pytest.approx(1, abs=1e-5)
    assert (kernel > 1e-6).sum() <= 4 * size


def test_a_pseudo_video_keeps_the_image_once_at_any_place():
    frame, mask = picture()
    clip = Sample(np.stack([frame] * 5), np.stack([mask] * 5, axis=1), None, ("the box",), ((0,),))
    places = set()
    for seed in range(60):
        moved = set_in_motion(clip, np.random.default_rng(seed))
        assert moved.frames.shape == clip.frames.shape and moved.masks.shape == clip.masks.shape
        (place,) = (index for index in range(5) if np.array_equal(moved.frames[index], frame))
        np.testing.assert_array_equal(moved.masks[:, place], mask)
        places.add(place)
    assert places == set(range(5))
