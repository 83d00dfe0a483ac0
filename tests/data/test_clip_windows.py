import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.data.windows import (
    local_and_global,
    position_among,
    reference_and_current,
    with_frame_at,
)

seeds = st.integers(0, 10_000)


@given(num_frames=st.integers(1, 60), length=st.integers(1, 9), place=st.floats(0, 0.999), seed=seeds)
def test_local_and_global_frames_are_sorted_frames_of_the_video_around_the_one_asked_for(
    num_frames, length, place, seed
):
    frame = int(place * num_frames)
    drawn = local_and_global(frame, num_frames, length, np.random.default_rng(seed))
    assert len(drawn) == length
    assert list(drawn) == sorted(drawn)
    assert drawn[0] >= 0 and drawn[-1] < num_frames
    if length != 2:
        assert frame in drawn
    if length >= 3 and 4 <= frame < num_frames - 4 and num_frames > length + 12:
        assert len(set(drawn)) == length  # nothing comes twice in the middle of a long video
        assert any(frame - 3 <= one < frame for one in drawn)
        assert any(frame < one <= frame + 3 for one in drawn)


def test_frames_from_afar_come_from_the_whole_video():
    generator = np.random.default_rng(0)
    drawn = [local_and_global(30, 60, 5, generator) for _ in range(400)]
    assert {one for clip in drawn for one in clip} == set(range(60))
    earlier = np.mean([sum(one < 27 for one in clip) for clip in drawn])
    assert earlier == pytest.approx(2 * 27 / 57, abs=0.12)


def test_the_published_rule_can_take_a_frame_twice_and_ours_cannot():
    def has_twice(repeats_last):
        generator = np.random.default_rng(0)
        clips = (local_and_global(10, 20, 5, generator, repeats_last=repeats_last) for _ in range(300))
        return sum(len(set(clip)) < 5 for clip in clips)

    assert has_twice(False) == 0
    assert has_twice(True) > 10


def test_a_video_shorter_than_the_clip_is_repeated():
    assert local_and_global(0, 1, 5, np.random.default_rng(0)) == (0,) * 5
    assert set(local_and_global(1, 2, 7, np.random.default_rng(0))) == {0, 1}


@given(num_frames=st.integers(1, 60), length=st.integers(1, 9), place=st.floats(0, 0.999), seed=seeds)
def test_the_predicted_frame_stands_where_the_batch_has_it(num_frames, length, place, seed):
    generator = np.random.default_rng(seed)
    frame, position = int(place * num_frames), position_among(length, generator)
    drawn = with_frame_at(frame, position, num_frames, length, generator)
    assert len(drawn) == length
    assert drawn[position] == frame
    assert list(drawn) == sorted(drawn)
    assert drawn[0] >= 0 and drawn[-1] < num_frames


@given(num_frames=st.integers(1, 60), reach=st.integers(1, 12), seed=seeds)
def test_a_pair_is_two_frames_within_reach(num_frames, reach, seed):
    first, second = reference_and_current(num_frames, 2, np.random.default_rng(seed), reach)
    assert 0 <= first <= second < num_frames
    assert second - first <= reach
    assert (first == second) == (num_frames == 1)


def test_pairs_reach_every_distance():
    generator = np.random.default_rng(0)
    pairs = [reference_and_current(40, 2, generator) for _ in range(500)]
    assert {second - first for first, second in pairs} == set(range(1, 11))
