from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.data.clips import plan_clips, read_clip
from deixis.data.rules import ClipRule
from deixis.data.windows import jumping_frames
from deixis.errors import RecipeError
from deixis.synthetic.worlds import rendered_records


@given(num_frames=st.integers(1, 80), reach=st.integers(1, 25), seed=st.integers(0, 99))
def test_jumps_go_one_way_and_stay_in_the_video(num_frames: int, reach: int, seed: int):
    frames = jumping_frames(num_frames, 3, np.random.default_rng(seed), reach)
    steps = np.diff(frames)
    assert all(0 <= frame < num_frames for frame in frames)
    assert (steps >= 0).all() or (steps <= 0).all()
    if num_frames > 3 * (reach + 1):
        assert (np.abs(steps) <= reach + 1).all()


def test_both_directions_and_all_jumps_occur():
    draws = [jumping_frames(200, 3, np.random.default_rng(seed), 4) for seed in range(400)]
    first = Counter(int(frames[1] - frames[0]) for frames in draws)
    assert {abs(step) for step in first if step} == {1, 2, 3, 4, 5}
    assert 130 < sum(count for step, count in first.items() if step > 0) < 270


def test_objects_are_those_of_the_first_frame():
    rule = ClipRule(kind="jumps", length=3, reach=4, has_words=False, objects="referred", objects_per_clip=2)
    records = rendered_records("synthetic", "val", 4)
    plans = plan_clips(records, rule)
    assert len(plans) == 4
    for plan in plans:
        record = records[plan.record]
        sample = read_clip(record, plan, np.random.default_rng(plan.record), rule)
        shown = record.masks.read(range(len(record.frame_names)), record.object_ids)
        if shown[:, :, ::8, ::8].any(axis=(2, 3)).all(axis=1).sum() >= 2:
            assert len(sample.masks) == 2 and sample.is_answered(at_first=True)
        assert len(set(sample.referents)) == len(sample.masks)


def test_reaches_are_for_jumps():
    with pytest.raises(RecipeError, match=r"clip\.reaches are for clips of kind jumps"):
        ClipRule(reaches=((0.0, 5),))
    with pytest.raises(RecipeError, match="objects_per_clip"):
        ClipRule(objects_per_clip=2)
