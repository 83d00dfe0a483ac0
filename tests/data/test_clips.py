import json
from pathlib import Path

import numpy as np
import pytest

from deixis.data.clips import ClipPlan, plan_clips, read_clip
from deixis.data.records import Expression, VideoRecord
from deixis.data.rules import ClipRule
from deixis.data.windows import random_window, tiling_windows, window_around
from deixis.errors import DatasetError
from training.toy_world import HEIGHT, WIDTH, toy_records

TABLES = json.loads((Path(__file__).parents[1] / "goldens/mttr/golden_procedures.json").read_text())["tables"]
TILING = ClipRule(kind="tiling", length=4)
AROUND = ClipRule(kind="around-annotated", length=4)
RANDOM = ClipRule(kind="random", length=4, expressions_per_clip=9)


@pytest.mark.parametrize("case", TABLES["a2d_window_0based"], ids=str)
def test_a2d_windows_are_the_published_ones(case):
    frames, position = window_around(case["frame_1based"] - 1, case["num_frames"], case["w"])
    assert list(frames) == case["indices"]
    assert position == case["annotated_position"]


@pytest.mark.parametrize("case", TABLES["jhmdb_window_1based"], ids=str)
def test_jhmdb_windows_are_the_published_ones(case):
    frames, _ = window_around(case["frame_1based"] - 1, case["num_frames"], case["w"])
    assert [frame + 1 for frame in frames] == case["indices"]


@pytest.mark.parametrize("case", TABLES["refytvos_train_windows"], ids=str)
def test_refer_youtube_vos_windows_are_the_published_ones(case):
    windows = tiling_windows(case["num_frames"], case["w"])
    assert [list(window) for window in windows] == case["windows"]


def test_random_windows_stay_in_the_video_and_reach_its_ends():
    generator = np.random.default_rng(0)
    starts = set()
    for _ in range(200):
        window = random_window(10, 3, 2, generator)
        assert np.diff(window).tolist() == [2, 2]
        assert window[-1] <= 9
        starts.add(window[0])
    assert starts == set(range(6))
    assert random_window(2, 4, 1, generator) == (0, 1, 1, 1)


class Pixels:
    def read(self, indices):
        return np.stack([np.full((4, 6, 3), index, np.uint8) for index in indices])


class Masks:
    """Object 3 is seen in frames 0 to 3, object 7 in frames 4 on, object 5 never."""

    def read(self, indices, object_ids):
        masks = np.zeros((len(object_ids), len(indices), 4, 6), bool)
        for row, identity in enumerate(object_ids):
            for column, index in enumerate(indices):
                masks[row, column, 0, 0] = {3: index < 4, 7: index >= 4, 5: False}[identity]
        return masks


def record(**changes):
    settings = {
        "name": "video",
        "frame_names": tuple(f"{index:05d}" for index in range(8)),
        "frames": Pixels(),
        "expressions": (
            Expression("0", "early", (3,)),
            Expression("1", "late", (7,)),
            Expression("2", "never", (5,)),
            Expression("3", "absent"),
        ),
        "object_ids": (7, 3, 5),
        "masks": Masks(),
        "size": (4, 6),
    }
    return VideoRecord(**(settings | changes))


def test_tiling_makes_one_sample_of_each_window_and_expression_seen_in_it():
    plans = plan_clips([record()], TILING)
    assert [(plan.frames[0], plan.expressions) for plan in plans] == [
        (0, (0,)),
        (0, (3,)),
        (4, (1,)),
        (4, (3,)),
    ]
    assert all(plan.annotated_frames is None for plan in plans)


def test_tiling_can_keep_the_expressions_of_a_window_together():
    plans = plan_clips([record()], ClipRule(kind="tiling", length=4, expressions_per_clip=5))
    assert [(plan.frames[0], plan.expressions) for plan in plans] == [(0, (0, 3)), (4, (1, 3))]


def test_around_annotated_predicts_the_annotated_frame_alone():
    plans = plan_clips([record(annotated_frames=(1, 6))], AROUND)
    assert [plan.frames for plan in plans] == [(0, 0, 1, 2)] * 2 + [(4, 5, 6, 7)] * 2
    assert [plan.expressions for plan in plans] == [(0,), (3,), (1,), (3,)]
    sample = read_clip(record(), plans[2], np.random.default_rng(0), AROUND)
    assert sample.annotated_frames == (2,)
    assert sample.masks.shape == (1, 1, 4, 6)
    assert sample.frames[:, 0, 0, 0].tolist() == [4, 5, 6, 7]
    assert (sample.expressions, sample.referents) == (("late",), ((0,),))
    assert not sample.has_visibility


def test_objects_of_a_clip_are_those_seen_in_it_in_the_order_of_their_ids():
    plan = ClipPlan(0, (2, 3, 4, 5), None, None)
    sample = read_clip(record(), plan, np.random.default_rng(0), RANDOM)
    assert sample.masks.shape == (2, 4, 4, 6)
    truth = dict(zip(sample.expressions, sample.referents, strict=True))
    assert truth == {"early": (0,), "late": (1,), "absent": ()}
    assert sample.masks[:, :, 0, 0].tolist() == [[True, True, False, False], [False, False, True, True]]
    assert sample.has_visibility


def test_predicted_frames_keep_objects_that_only_the_rest_of_the_clip_shows():
    plan = ClipPlan(0, (2, 3, 4, 5), None, None)
    sample = read_clip(record(), plan, np.random.default_rng(0), RANDOM, (2, 3))
    assert sample.annotated_frames == (2, 3)
    assert len(sample.frames) == 4
    assert sample.masks[:, :, 0, 0].tolist() == [[False, False], [True, True]]
    assert "early" in sample.expressions


def test_random_clips_draw_other_expressions_and_windows_from_another_generator():
    toy = toy_records(1, num_frames=9)[0]
    rule = ClipRule(kind="random", length=3)
    plan = plan_clips([toy], rule)[0]
    samples = [read_clip(toy, plan, np.random.default_rng(seed), rule) for seed in range(12)]
    assert len({sample.expressions for sample in samples}) > 1
    assert len({sample.frames.tobytes() for sample in samples}) > 1
    assert samples[0].frames.shape == (3, HEIGHT, WIDTH, 3)


def test_records_without_masks_cannot_be_trained_on():
    with pytest.raises(DatasetError, match="'video' has no masks"):
        plan_clips([record(masks=None)], TILING)
    with pytest.raises(DatasetError, match="no masks or no expressions"):
        read_clip(record(masks=None), ClipPlan(0, (), None, None), np.random.default_rng(0), RANDOM)
