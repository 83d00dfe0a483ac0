from itertools import pairwise

import numpy as np
import pytest
import torch

from deixis.flow.config import MotionSpec
from deixis.flow.cuts import is_cut
from deixis.flow.dis import Dis
from deixis.flow.motion import motion_channels
from deixis.flow.tracker import MotionTracker, track, work_frame
from moving_pictures import moving_square, texture

SIZE = (48, 64)
DIRECTIONS = ("backward", "forward", "both")


class Counting:
    """DIS that remembers which pairs it saw, by the grey value of a corner."""

    def __init__(self) -> None:
        self.num_calls = 0

    def describe(self):
        return Dis().describe()

    def __call__(self, first, second):
        self.num_calls += 1
        return Dis()(first, second)


def follow(frames, directions, estimator=None, **options):
    spec = MotionSpec(directions=directions, **options)
    items = ((frame, index) for index, frame in enumerate(frames))
    return list(track(items, SIZE, spec, estimator or Dis()))


@pytest.mark.parametrize("directions", DIRECTIONS)
@pytest.mark.parametrize("num_frames", [1, 2, 3, 5])
def test_every_frame_comes_back_once_and_in_order(directions, num_frames):
    frames, _ = moving_square(num_frames)
    found = follow(frames, directions)
    assert [item for item, _ in found] == list(range(num_frames))
    is_dark = [not motion.any() for _, motion in found]
    assert is_dark == [directions == "backward" or num_frames == 1] + [False] * (num_frames - 1)


def test_neighbours_are_those_that_the_specification_names():
    frames, _ = moving_square(3)
    ahead, back = Dis()(frames[1], frames[2]), Dis()(frames[1], frames[0])
    last = Dis()(frames[2], frames[1])
    for directions in DIRECTIONS:
        spec = MotionSpec(directions=directions)
        motions = [motion for _, motion in follow(frames, directions)]
        forward = None if directions == "backward" else ahead
        np.testing.assert_array_equal(motions[1], motion_channels(forward, back, spec, SIZE))
        np.testing.assert_array_equal(motions[2], motion_channels(None, last, spec, SIZE))


def test_no_flow_is_estimated_twice():
    frames, _ = moving_square(6)
    for directions, expected in (("backward", 5), ("forward", 5 + 1), ("both", 10)):
        estimator = Counting()
        follow(frames, directions, estimator)
        assert estimator.num_calls == expected


@pytest.mark.parametrize("directions", DIRECTIONS)
def test_latency(directions):
    frames, _ = moving_square(4)
    tracker = MotionTracker(MotionSpec(directions=directions), Dis())
    for index, frame in enumerate(frames):
        done = [item for item, _ in tracker.push(frame, index, SIZE)]
        assert done == ([index - tracker.latency] if index >= tracker.latency else [])
    assert len(tracker.finish()) == tracker.latency
    assert tracker.finish() == []


@pytest.mark.parametrize("directions", DIRECTIONS)
def test_flow_does_not_bridge_a_cut(directions):
    before, _ = moving_square(3)
    after = np.stack([np.roll(texture(*before.shape[1:3], seed=9), 3 * index, 1) for index in range(3)])
    assert is_cut(before[2], after[0])
    whole = follow([*before, *after], directions)
    parts = [*follow(before, directions), *follow(after, directions)]
    for (_, motion), (_, expected) in zip(whole, parts, strict=True):
        np.testing.assert_array_equal(motion, expected)


def test_real_motion_is_no_cut():
    frames, _ = moving_square(8)
    assert not any(is_cut(a, b) for a, b in pairwise(frames))
    assert not is_cut(frames[0], frames[3])
    darker = (frames[1] * 0.7).astype(np.uint8)
    assert not is_cut(frames[0], darker)


def test_flat_frames_are_compared_by_their_level():
    flat = [np.full((40, 60, 3), level, np.uint8) for level in (0, 8, 200)]
    noise = np.random.default_rng(0).integers(-1, 2, (2, 40, 60, 3))
    noisy = (flat[1] + noise).astype(np.uint8)
    assert not is_cut(noisy[0], noisy[1])
    assert not is_cut(flat[0], flat[1])
    assert is_cut(flat[0], flat[2])
    assert is_cut(flat[0], texture(40, 60))


def test_repeated_pictures_keep_their_motion():
    frames, _ = moving_square(4)
    doubled = [frames[0], frames[1], frames[1], frames[2], frames[2], frames[3]]
    for directions in DIRECTIONS:
        found = [motion for _, motion in follow(doubled, directions)]
        assert all(motion.any() for motion in found[1:])


@pytest.mark.parametrize("directions", DIRECTIONS)
def test_a_still_video_is_dark(directions):
    still = np.broadcast_to(texture(96, 128), (4, 96, 128, 3))
    assert not any(motion.any() for _, motion in follow(still, directions))


@pytest.mark.parametrize("size", [(1, 1), (5, 40), (11, 11), (12, 15), (13, 200)])
def test_tiny_frames(size):
    frames = np.random.default_rng(0).integers(0, 256, (3, *size, 3), dtype=np.uint8)
    for directions in DIRECTIONS:
        found = follow(frames, directions, camera="homography")
        assert all(np.isfinite(motion).all() and motion.shape == (1, *SIZE) for _, motion in found)


def test_large_frames_are_reduced_and_small_ones_left_alone():
    large, small = texture(90, 160), texture(30, 50)
    spec = MotionSpec(short_side=45)
    assert work_frame(large, spec).shape == (45, 80, 3)
    np.testing.assert_array_equal(work_frame(small, spec), small)


@pytest.mark.parametrize("directions", DIRECTIONS)
@pytest.mark.parametrize("pause", [0, 1, 2, 3])
def test_a_tracker_goes_on_from_a_file(tmp_path, directions, pause):
    frames, _ = moving_square(5)
    spec = MotionSpec(directions=directions)
    first = MotionTracker(spec, Dis())
    found = [pair for i in range(pause) for pair in first.push(frames[i], i, SIZE)]
    torch.save(first.state(), tmp_path / "state.pt")
    second = MotionTracker(spec, Dis())
    second.load_state(torch.load(tmp_path / "state.pt", weights_only=True), first.waiting)
    found += [pair for i in range(pause, 5) for pair in second.push(frames[i], i, SIZE)]
    found += second.finish()
    for (item, motion), (number, expected) in zip(found, follow(frames, directions), strict=True):
        assert item == number
        np.testing.assert_array_equal(motion, expected)
