"""Every sampling makes clips of the data sets that it is for."""

from dataclasses import replace

import numpy as np
import pytest

from deixis.data.clips import WORDLESS, plan_clips, read_clip
from deixis.data.records import Expression, ObjectInfo
from deixis.data.rules import ClipRule, RandomCrop, Transforms
from deixis.data.samplings import SAMPLINGS
from deixis.data.transforms import transform
from deixis.errors import DatasetError, RecipeError
from training.toy_world import toy_records


def clips(name, records, count=6):
    rule, change = SAMPLINGS[name].clip, SAMPLINGS[name].transforms
    if rule.kind == "example-pair":
        records = [with_examples(record) for record in records]
    plans = plan_clips(records, rule)
    for seed in range(count):
        generator = np.random.default_rng(seed)
        plan = plans[seed % len(plans)]
        predicted = (1,) if plan.predicts_around else None
        yield transform(read_clip(records[plan.record], plan, generator, rule, predicted), change, generator)


def with_examples(record):
    every = range(len(record.frame_names))
    return replace(record, examples=tuple(tuple(one for one in every if one != place) for place in every))


@pytest.mark.parametrize("name", SAMPLINGS)
def test_clips_have_their_length_and_their_size(name):
    rule, change = SAMPLINGS[name].clip, SAMPLINGS[name].transforms
    sizes = {*(change.short_sides or (change.short_side,)), *change.crop.short_sides, change.square}
    records = toy_records(3, num_frames=1 if rule.kind == "image" else 14)
    for sample in clips(name, records):
        assert len(sample.frames) == rule.length
        assert sample.masks.shape[2:] == sample.frames.shape[1:3]
        longest = max(change.long_side, change.crop.long_side, change.square)
        for height, width in sample.frame_sizes or (sample.frames.shape[1:3],):
            assert max(height, width) <= longest
            assert min(height, width) in sizes or longest - 1 <= max(height, width)
        assert 1 <= len(sample.expressions) <= max(rule.expressions_per_clip, rule.objects_per_clip)
        assert (set(sample.expressions) == {WORDLESS}) != rule.has_words
        assert all(0 <= one < len(sample.masks) for referents in sample.referents for one in referents)


@pytest.mark.parametrize("name", ["referformer-video", "referformer-pseudo-video", "uniref-video"])
def test_the_same_chance_gives_the_same_clip(name):
    records = toy_records(2, num_frames=1 if "pseudo" in name else 9)
    for one, other in zip(clips(name, records, 3), clips(name, records, 3), strict=True):
        np.testing.assert_array_equal(one.frames, other.frames)
        np.testing.assert_array_equal(one.masks, other.masks)
        assert one.expressions == other.expressions


def test_a_still_image_in_joint_training_moves_and_its_pair_without_a_crop_does_not():
    records = toy_records(1, num_frames=1)
    assert all(
        len({frame.tobytes() for frame in one.frames}) == 5
        for one in clips("referformer-pseudo-video", records)
    )
    sampling = SAMPLINGS["uniref-pseudo-video"]
    crop = replace(sampling.transforms.crop, smallest=8, largest=12)  # the toy frames are small
    change = replace(sampling.transforms, crop=crop)
    (plan, *_) = plan_clips(records, sampling.clip)
    still = []
    for seed in range(12):
        generator = np.random.default_rng(seed)
        pair = transform(read_clip(records[0], plan, generator, sampling.clip), change, generator)
        still.append(bool((pair.frames[0] == pair.frames[1]).all()))
        assert still[-1] == (pair.frame_sizes is None)  # UniRef, code: identical without a crop
    assert any(still) and not all(still)


def test_boxes_without_masks_are_moved_by_their_areas():
    """UniRef, stage I: Visual Genome."""
    record = toy_records(1, num_frames=1)[0]
    box = (3.5, 2.0, 4.0, 5.0)
    boxed = replace(
        record,
        masks=None,
        size=None,
        object_ids=(9, 10),
        objects=(ObjectInfo(9, box=box), ObjectInfo(10, box=(-1.0, 0.0, 3.0, 2.5))),
        expressions=(Expression("9", "the left one", (9,)), Expression("10", "the right one", (10,))),
    )
    rule = SAMPLINGS["uniref-boxes"].clip
    plans = plan_clips([boxed], rule)
    assert len(plans) == 2
    sample = read_clip(boxed, plans[0], np.random.default_rng(0), rule)
    rows, columns = np.nonzero(sample.masks[0, 0])
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (2, 6, 3, 7)
    other = read_clip(boxed, plans[1], np.random.default_rng(0), rule)
    assert other.masks.sum() == 3 * 2
    for one in clips("uniref-boxes", [boxed]):
        assert one.masks.shape == (1, 1, *one.frames.shape[1:3])
    with pytest.raises(DatasetError, match="has no masks"):
        plan_clips([boxed], SAMPLINGS["uniref-image"].clip)


def test_what_cannot_be_is_refused():
    with pytest.raises(RecipeError, match=r"unknown clip\.kind"):
        ClipRule(kind="local")
    with pytest.raises(RecipeError, match=r"clip\.length must be 1 where clip\.kind is each-frame"):
        ClipRule(kind="each-frame", length=2)
    with pytest.raises(RecipeError, match=r"clip\.redraws"):
        ClipRule(redraws=-1)
    with pytest.raises(RecipeError, match=r"clip\.objects must be referred"):
        ClipRule(has_words=False)
    with pytest.raises(RecipeError, match=r"transforms.crop.smallest <= transforms.crop.largest"):
        RandomCrop(smallest=10, largest=5)
    with pytest.raises(RecipeError, match=r"transforms\.crop\.probability"):
        RandomCrop(probability=2.0)
    with pytest.raises(RecipeError, match=r"transforms\.short_sides must be above 0"):
        Transforms(short_sides=(0,))
    with pytest.raises(RecipeError, match=r"unknown transforms\.photometric"):
        Transforms(photometric="strong")


def test_every_image_comes_after_one_of_its_examples():
    """UniRef++, code: a random image of the class, changed by chances of its own."""
    (record,) = toy_records(1, num_frames=4)
    record = replace(record, examples=((1, 2), (0,), (3,), (2, 0)))
    sampling = SAMPLINGS["uniref-examples"]
    plans = plan_clips([record], sampling.clip)
    assert [plan.around for plan in plans] == [0, 1, 2, 3]
    drawn = set()
    for seed in range(40):
        plan = plans[seed % 4]
        sample = read_clip(record, plan, np.random.default_rng(seed), sampling.clip)
        assert sample.references == "masks" and sample.expressions == (WORDLESS,)
        found = [
            next(i for i in range(4) if (record.frames.read([i])[0] == frame).all())
            for frame in sample.frames
        ]
        assert found[1] == plan.around
        drawn.add((plan.around, found[0]))
    assert drawn == {(0, 1), (0, 2), (1, 0), (2, 3), (3, 2), (3, 0)}
    with pytest.raises(DatasetError, match="has no examples"):
        read_clip(replace(record, examples=()), plans[0], np.random.default_rng(0), sampling.clip)
    with pytest.raises(RecipeError, match="example-pair"):
        replace(sampling.clip, length=3)


def test_frames_that_have_nothing_to_do_with_one_another_are_changed_by_themselves():
    (record,) = toy_records(1, num_frames=2)
    change = Transforms(per_frame=True, flip=0.5, short_side=32, short_sides=(32, 48), long_side=200)
    rule = ClipRule(kind="random", length=2, objects="referred", has_words=False)
    plan = plan_clips([record], rule)[0]
    seen = set()
    for seed in range(24):
        sample = read_clip(record, replace(plan, frames=(0, 0)), np.random.default_rng(seed), rule)
        after = transform(sample, change, np.random.default_rng(seed))
        (one, first), (two, second) = (
            (frame[: size[0], : size[1]], size)
            for frame, size in zip(after.frames, after.frame_sizes, strict=True)
        )
        masks = [after.masks[0, place, : size[0], : size[1]] for place, size in enumerate((first, second))]
        for frame, mask, size in zip((one, two), masks, (first, second), strict=True):
            assert size[0] in (32, 48) and mask.any()
            inside = frame[mask].astype(float).mean(axis=0)
            assert np.abs(inside - frame[mask].astype(float)).mean() < 30, "masks go with their frame"
        is_same_way = first == second and (masks[0] == masks[1]).all()
        seen.add((first == second, bool(is_same_way)))
    assert seen == {(True, True), (True, False), (False, False)}
