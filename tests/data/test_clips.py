import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from deixis.data.categories import class_names
from deixis.data.clips import WORDLESS, ClipPlan, plan_clips, read_clip
from deixis.data.records import Expression, ObjectInfo, VideoRecord
from deixis.data.rules import ClipRule
from deixis.data.windows import random_window, tiling_windows, window_around
from deixis.errors import DatasetError, RecipeError
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


LOCAL = ClipRule(kind="local-global", length=3, objects="referred")


def test_local_and_global_clips_start_from_every_nth_frame_for_each_expression():
    plans = plan_clips([record()], LOCAL)
    assert [(plan.expressions, plan.around) for plan in plans] == [
        ((expression,), frame) for expression in range(4) for frame in (0, 3, 6)
    ]
    assert not any(plan.predicts_around for plan in plans)
    sample = read_clip(record(), plans[4], np.random.default_rng(0), LOCAL)
    assert sample.expressions == ("late",)
    frames = sample.frames[:, 0, 0, 0].tolist()
    assert len(frames) == 3 and 3 in frames
    assert sample.masks[0, :, 0, 0].tolist() == [frame >= 4 for frame in frames]
    assert sample.annotated_frames is None and sample.has_visibility


def test_of_sparsely_annotated_videos_the_annotated_frame_alone_is_predicted():
    sparse = record(annotated_frames=(1, 6))
    plans = plan_clips([sparse], LOCAL)
    assert [(plan.expressions, plan.around) for plan in plans] == [((0,), 1), ((1,), 6), ((3,), 1), ((3,), 6)]
    sample = read_clip(sparse, plans[1], np.random.default_rng(0), LOCAL, (1,))
    assert sample.frames[1, 0, 0, 0] == 6
    assert sample.annotated_frames == (1,) and not sample.has_visibility
    assert sample.masks.shape[:2] == (1, 1) and sample.masks[0, 0, 0, 0]


def test_referred_objects_are_there_even_where_they_are_not_seen():
    sample = read_clip(record(), ClipPlan(0, (0, 1), None, (2,)), np.random.default_rng(0), LOCAL)
    assert (sample.masks.shape[:2], sample.referents) == ((1, 2), ((0,),))
    assert not sample.masks.any() and not sample.is_answered()
    assert read_clip(record(), ClipPlan(0, (0, 1), None, (0,)), np.random.default_rng(0), LOCAL).is_answered()


def test_answered_everywhere_is_more_than_answered():
    both = read_clip(record(), ClipPlan(0, (3, 4), None, (0,)), np.random.default_rng(0), LOCAL)
    assert both.is_answered() and not both.is_answered(everywhere=True)


def test_a_still_image_is_taken_as_often_as_the_clip_is_long_and_groups_are_left_out():
    rule = ClipRule(kind="image", length=2, objects="referred")
    image = record(
        frame_names=("one",),
        expressions=(Expression("0", "early", (3,)), Expression("1", "a crowd", (3,), ("crowd",))),
    )
    plans = plan_clips([image], rule)
    assert [(plan.frames, plan.expressions) for plan in plans] == [((0, 0), (0,))]
    sample = read_clip(image, plans[0], np.random.default_rng(0), rule)
    assert sample.frames[:, 0, 0, 0].tolist() == [0, 0] and sample.masks[0, :, 0, 0].all()


def test_units_are_expressions_or_objects_with_one_of_their_expressions():
    said = (Expression("0", "one", (3,)), Expression("1", "the same", (3,)), Expression("2", "late", (7,)))
    rule = ClipRule(kind="reference-pair", length=2, objects="referred")
    assert [plan.expressions for plan in plan_clips([record(expressions=said)], rule)] == [(0,), (1,), (2,)]
    rule = ClipRule(kind="reference-pair", length=2, objects="referred", unit="object")
    plans = plan_clips([record(expressions=said)], rule)
    assert [plan.expressions for plan in plans] == [(0, 1), (2,)]
    drawn = [
        read_clip(record(expressions=said), plans[0], np.random.default_rng(seed), rule) for seed in range(9)
    ]
    assert {one.expressions for one in drawn} == {("one",), ("the same",)}
    assert all(one.referents == ((0,),) and len(one.masks) == 1 for one in drawn)


def test_without_words_an_object_that_is_seen_is_followed():
    rule = ClipRule(kind="reference-pair", length=2, objects="referred", unit="object", has_words=False)
    for video in (record(), record(expressions=())):
        (plan,) = plan_clips([video], rule)
        for seed in range(8):
            sample = read_clip(video, plan, np.random.default_rng(seed), rule)
            assert (sample.expressions, sample.referents) == ((WORDLESS,), ((0,),))
            frames = sample.frames[:, 0, 0, 0]
            is_apart = frames[0] < 4 <= frames[1]  # no object is seen in both
            assert sample.is_answered(everywhere=True) != is_apart


def test_objects_to_be_found_are_one_answer_without_references():
    rule = ClipRule(kind="image", length=1, has_words=False, objects="all")
    image = record(frame_names=("00000",))
    (plan,) = plan_clips([image], rule)
    sample = read_clip(image, plan, np.random.default_rng(0), rule)
    assert (sample.expressions, sample.references) == ((WORDLESS,), "none")
    assert sample.referents == (tuple(range(len(sample.masks))),)
    assert sample.masks.any(axis=(1, 2, 3)).all()
    with pytest.raises(RecipeError, match="objects all"):
        ClipRule(objects="all")


def test_what_is_shown_of_the_first_frame():
    rule = ClipRule(kind="reference-pair", length=2, objects="referred")
    for wanted, has_words, told in (
        ("words", True, "words"),
        ("both", True, "both"),
        ("both", False, "masks"),
    ):
        one = replace(rule, has_words=has_words)
        plan = plan_clips([record()], one)[0]
        assert read_clip(record(), plan, np.random.default_rng(0), one, references=wanted).references == told
    with pytest.raises(RecipeError, match="mask_share"):
        ClipRule(mask_share=1.5)


def test_single_frames_are_those_that_are_annotated():
    rule = ClipRule(kind="each-frame", length=1, objects="referred", unit="object")
    plans = plan_clips([record(annotated_frames=(1, 6))], rule)
    assert [(plan.frames, plan.expressions) for plan in plans] == [
        ((1,), (0,)),
        ((6,), (1,)),
        ((1,), (3,)),
        ((6,), (3,)),
    ]
    rule = ClipRule(kind="random-frame", length=1, objects="referred", unit="object")
    (plan,) = plan_clips([record(annotated_frames=(1, 6))], rule)
    drawn = [
        read_clip(record(annotated_frames=(1, 6)), plan, np.random.default_rng(seed), rule)
        for seed in range(40)
    ]
    assert {int(one.frames[0, 0, 0, 0]) for one in drawn} == {1, 6}
    assert {one.expressions for one in drawn} == {("early",), ("late",), ("never",), ("absent",)}


def test_labels_are_numbers_of_the_categories():
    rule = ClipRule(kind="random", length=4, expressions_per_clip=9, classes="youtube-vos")
    named = record(objects=(ObjectInfo(7, "zebra"), ObjectInfo(3, "ape"), ObjectInfo(5, "cat")))
    sample = read_clip(named, ClipPlan(0, (2, 3, 4, 5), None, None), np.random.default_rng(0), rule)
    assert sample.labels == (1, 64)  # in the order of the ids 3 and 7
    assert len(class_names("youtube-vos")) == 65 and len(class_names("shapes")) == 12
    with pytest.raises(DatasetError, match="object 3 of video 'video' has the category ''"):
        read_clip(record(), ClipPlan(0, (2,), None, None), np.random.default_rng(0), rule)
