"""Frames read in any order have the motion that they have when the whole video is played."""

import numpy as np
import pytest

from deixis.flow.config import MotionSpec
from deixis.flow.dis import Dis
from deixis.flow.motion import mirrored_motion, motion_channels, resized_motion
from deixis.flow.reading import MotionReader
from deixis.flow.tracker import track
from moving_pictures import moving_square, texture

DIRECTIONS = ("backward", "forward", "both")
FORMS = ("map", "vectors")


def video() -> np.ndarray:
    """Ten frames with a picture that comes three times, another scene, and a last frame on its own."""
    frames = moving_square(5)[0]
    other = np.ascontiguousarray(moving_square(3, pan=4, step=-6)[0][:, ::-1, ::-1])
    alone = texture(96, 128, 9)[None]
    return np.concatenate((frames[:2], frames[1:2], frames[1:], other, alone))


def played(frames: np.ndarray, spec: MotionSpec) -> np.ndarray:
    size = (frames.shape[1], frames.shape[2])
    items = ((frame, index) for index, frame in enumerate(frames))
    return np.stack([motion for _, motion in track(items, size, spec, Dis())])


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("directions", DIRECTIONS)
def test_each_frame_has_the_motion_of_the_video_that_is_played(directions, form):
    frames = video()
    spec = MotionSpec(directions=directions, form=form, camera="homography")
    expected = played(frames, spec)
    reader = MotionReader(spec, Dis())
    assert expected[3].any()
    assert not expected[-1].any()
    for indices in (*([index] for index in range(len(frames))), [4, 2, 3, 9]):
        images, motion = reader.read(lambda wanted: frames[list(wanted)], indices, len(frames))
        np.testing.assert_array_equal(images, frames[indices])
        np.testing.assert_array_equal(motion, expected[indices])


def test_frames_are_read_once_and_no_more_than_needed():
    frames, seen = moving_square(6)[0], []

    def read(indices):
        seen.extend(indices)
        return frames[list(indices)]

    for directions, expected in (("backward", [1, 2, 3]), ("forward", [2, 3, 4]), ("both", [1, 2, 3, 4])):
        seen.clear()
        MotionReader(MotionSpec(directions=directions), Dis()).read(read, [2, 3], 6)
        assert seen == expected


def test_large_frames_are_reduced_for_the_flow():
    frames = moving_square(3)[0]
    spec = MotionSpec(short_side=48, form="vectors", camera="none")
    images, motion = MotionReader(spec, Dis()).read(lambda wanted: frames[list(wanted)], [1], 3)
    assert images.shape == (1, 96, 128, 3)
    assert motion.shape == (1, 2, 48, 64)
    np.testing.assert_array_equal(resized_motion(motion, (96, 128))[0], played(frames, spec)[1])


@pytest.mark.parametrize("form", FORMS)
def test_a_mirrored_video_moves_the_other_way(form):
    frames = moving_square(2)[0]
    spec = MotionSpec(directions="both", form=form)
    flow = Dis()(frames[0], frames[1])
    motion = motion_channels(flow, -flow, spec, (96, 128))
    turned = np.ascontiguousarray(flow[:, ::-1]) * np.array((-1, 1), np.float32)
    np.testing.assert_allclose(
        mirrored_motion(motion), motion_channels(turned, -turned, spec, (96, 128)), rtol=1e-5, atol=1e-5
    )
    np.testing.assert_array_equal(mirrored_motion(mirrored_motion(motion)), motion)


def test_vectors_change_with_the_pixels_and_maps_do_not():
    vectors = np.stack((np.full((8, 12), 3.0), np.full((8, 12), -2.0))).astype(np.float32)
    for size in ((4, 6), (16, 24), (4, 24)):
        resized = resized_motion(vectors, size)
        np.testing.assert_allclose(resized[0], 3 * size[1] / 12, rtol=1e-6)
        np.testing.assert_allclose(resized[1], -2 * size[0] / 8, rtol=1e-6)
        np.testing.assert_array_equal(resized_motion(np.stack((vectors, vectors)), size)[1], resized)
        np.testing.assert_allclose(resized_motion(vectors[:1], size), 3.0, rtol=1e-6)
