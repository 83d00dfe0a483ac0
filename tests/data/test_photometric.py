import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from deixis.data.photometric import Distortion, distort, draw_distortion, shift_hsv


def picture(seed=0, shape=(24, 30, 3)):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def reference(frame, change):
    """The same by OpenCV's conversions, as the published loader does it, before the cast to bytes."""
    image = frame.astype(np.float32) + np.float32(change.brightness)
    if change.contrast_first:
        image = image * np.float32(change.contrast)
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
    hsv[..., 1] *= change.saturation
    hsv[..., 0] = (hsv[..., 0] + change.hue) % 360
    image = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)
    if not change.contrast_first:
        image = image * np.float32(change.contrast)
    return image[..., list(change.channels)]


@given(seed=st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_distortions_are_those_of_the_colour_conversion(seed):
    frame, change = picture(seed), draw_distortion(np.random.default_rng(seed))
    expected = reference(frame, change)
    clipped = distort(frame, change).astype(int)
    is_black = frame.max(axis=-1) + change.brightness < 0  # of which OpenCV makes colours
    assert np.abs(clipped - np.clip(expected, 0, 255))[~is_black].max() <= 1.01
    wrapped = distort(frame, change, wraps=True).astype(int)
    is_close = np.abs(expected - np.round(expected)) < 0.02  # rounding decides to which side
    assert (is_close | (wrapped == expected.astype(np.int32) % 256)).mean() > 0.999


def test_no_distortion_changes_nothing():
    frame = picture()
    np.testing.assert_array_equal(distort(frame, Distortion()), frame)
    np.testing.assert_array_equal(distort(frame, Distortion(channels=(2, 0, 1))), frame[..., [2, 0, 1]])


def test_what_is_too_bright_is_clipped_or_as_published_turns_dark():
    bright = np.full((2, 2, 3), 250, np.uint8)
    change = Distortion(brightness=30)
    assert (distort(bright, change) == 255).all()
    assert (distort(bright, change, wraps=True) == 280 % 256).all()


def test_each_change_happens_in_half_of_the_draws():
    generator = np.random.default_rng(0)
    drawn = [draw_distortion(generator) for _ in range(600)]
    for happens in (
        lambda one: one.brightness != 0,
        lambda one: one.contrast != 1,
        lambda one: one.contrast_first,
        lambda one: one.saturation != 1,
        lambda one: one.hue != 0,
    ):
        assert 240 < sum(map(happens, drawn)) < 360
    assert len({one.channels for one in drawn}) == 6


@given(seed=st.integers(0, 1000), hue=st.floats(-10, 10), saturation=st.floats(-0.02, 0.02))
@settings(max_examples=25, deadline=None)
def test_hue_and_saturation_move_by_what_is_asked(seed, hue, saturation):
    frame = picture(seed)
    before = cv2.cvtColor(frame.astype(np.float32), cv2.COLOR_RGB2HSV)
    before[..., 0] = (before[..., 0] + hue) % 360
    before[..., 1] = np.clip(before[..., 1] + saturation, 0, 1)
    expected = cv2.cvtColor(before, cv2.COLOR_HSV2RGB)
    is_coloured = np.ptp(frame, axis=-1) > 0
    found = shift_hsv(frame, hue, saturation).astype(int)
    assert np.abs(found - expected)[is_coloured].max() <= 1.01
