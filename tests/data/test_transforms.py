import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.data.clips import Sample
from deixis.data.photometric import jitter_colours
from deixis.data.rules import Transforms
from deixis.data.transforms import mirror, transform
from deixis.ops.words import clean, swap_sides, swap_sides_published

TABLES = json.loads((Path(__file__).parents[1] / "goldens/mttr/golden_procedures.json").read_text())["tables"]


def sample(height=8, width=12):
    generator = np.random.default_rng(0)
    return Sample(
        frames=generator.integers(0, 256, (3, height, width, 3), dtype=np.uint8),
        masks=generator.random((2, 3, height, width)) > 0.5,
        annotated_frames=None,
        expressions=("the left bright one", "the right one"),
        referents=((0,), (1,)),
    )


@pytest.mark.parametrize(("text", "swapped"), TABLES["flip_text"])
def test_published_swap(text, swapped):
    assert swap_sides_published(text) == swapped


@pytest.mark.parametrize(("text", "cleaned"), TABLES["clean_text"])
def test_published_cleaning(text, cleaned):
    assert clean(text) == cleaned


@pytest.mark.parametrize(
    ("text", "swapped"),
    [
        ("the man on the left", "the man on the right"),
        ("Right hand of the left girl", "Left hand of the right girl"),
        ("a bright upright lamp", "a bright upright lamp"),
        ("the leftmost cat moving rightwards", "the rightmost cat moving leftwards"),
        ("left@home", "right@home"),
    ],
)
def test_whole_word_swap(text, swapped):
    assert swap_sides(text) == swapped


@given(st.lists(st.sampled_from(["left", "right", "leftmost", "bright", "the", "Left", "rightward"])))
def test_swapping_twice_changes_nothing(words):
    text = " ".join(words)
    assert swap_sides(swap_sides(text)) == text


def test_mirror_flips_frames_masks_and_words_together():
    before = sample()
    after = mirror(before)
    np.testing.assert_array_equal(after.frames[:, :, 0], before.frames[:, :, -1])
    np.testing.assert_array_equal(after.masks[..., 0], before.masks[..., -1])
    assert after.expressions == ("the right bright one", "the left one")
    assert after.referents == before.referents
    twice = mirror(after)
    np.testing.assert_array_equal(twice.frames, before.frames)
    assert twice.expressions == before.expressions


def test_transform_flips_as_often_as_asked():
    flips = 0
    for seed in range(300):
        after = transform(
            sample(), Transforms(short_side=8, long_side=12, flip=0.3), np.random.default_rng(seed)
        )
        flips += after.expressions[0] == "the right bright one"
    assert 60 < flips < 120


def test_the_published_swap_is_an_option():
    change = Transforms(short_side=8, long_side=12, flip=1.0, swap_words="published-substring")
    after = transform(sample(), change, np.random.default_rng(0))
    assert after.expressions == ("the right bleft one", "the left one")


def test_resize_brings_frames_and_masks_to_one_size():
    after = transform(
        sample(20, 40), Transforms(short_side=10, long_side=18, flip=0.0), np.random.default_rng(0)
    )
    assert after.frames.shape == (3, 9, 18, 3)
    assert after.masks.shape == (2, 3, 9, 18)


@pytest.mark.parametrize("case", TABLES["resize"], ids=str)
def test_sizes_are_the_published_ones(case):
    for rule in ("320/576", "360/640"):
        short, long = map(int, rule.split("/"))
        clip = Sample(
            np.zeros((1, case["h"], case["w"], 3), np.uint8),
            np.zeros((1, 1, case["h"], case["w"]), bool),
            None,
            ("it",),
            ((0,),),
        )
        after = transform(clip, Transforms(short_side=short, long_side=long), np.random.default_rng(0))
        assert list(after.frames.shape[1:3]) == case[rule]


def test_colour_jitter_is_the_same_in_every_frame_and_small_jitter_keeps_colours():
    frames = np.repeat(sample().frames[:1], 3, axis=0)
    np.testing.assert_array_equal(jitter_colours(frames, 0, 0, 0, 0, 0), frames)
    changed = jitter_colours(frames, 0.05, -0.05, 0.05, 0.0, -0.05)
    np.testing.assert_array_equal(changed[0], changed[2])
    assert np.abs(changed.astype(int) - frames).max() < 0.15 * 255
    assert (changed != frames).any()
    np.testing.assert_array_equal(jitter_colours(np.full((1, 1, 1, 3), 128, np.uint8), 0.5, 0, 0, 0, 0), 192)
