from dataclasses import replace

import numpy as np
import pytest

from deixis.data.affine import affine_matrix, crop_share, to_grey, warp_frames
from deixis.data.clips import Sample
from deixis.data.rules import Affine, Transforms
from deixis.data.transforms import transform
from deixis.errors import RecipeError


def sample(t: int = 3, height: int = 60, width: int = 80) -> Sample:
    masks = np.zeros((1, t, height, width), bool)
    masks[:, :, 20:40, 30:50] = True
    frames = np.where(masks[0][..., None], 200, 30).astype(np.uint8).repeat(3, axis=3)
    return Sample(frames, masks, None, ("object",), ((0,),))


def test_nothing_changes_nothing():
    assert np.allclose(affine_matrix(0, 0, 1, (60, 80)), [(1, 0, 0), (0, 1, 0)])
    warped = warp_frames(sample(), Affine(), np.random.default_rng(0))
    assert np.array_equal(warped.frames, sample().frames) and np.array_equal(warped.masks, sample().masks)


def test_the_middle_stays_and_a_quarter_turn_is_one():
    matrix = affine_matrix(90, 0, 1, (61, 81))
    assert np.allclose(matrix @ (40, 30, 1), (40, 30))
    assert np.allclose(matrix @ (50, 30, 1), (40, 40))  # what is right of the middle goes below it
    assert np.allclose(affine_matrix(0, 45, 1, (61, 81)) @ (40, 40, 1), (30, 40))
    assert np.allclose(affine_matrix(0, 0, 2, (61, 81)) @ (41, 30, 1), (42, 30))


def test_masks_go_with_their_frames_each_by_itself():
    change = Affine(angle=30, shear=10, scale=(0.8, 1.2))
    warped = warp_frames(sample(), change, np.random.default_rng(0))
    bright = warped.frames[..., 0] > 160
    for place in range(3):
        union, both = bright[place] | warped.masks[0, place], bright[place] & warped.masks[0, place]
        assert both.sum() / union.sum() > 0.9
    assert not np.array_equal(warped.masks[0, 0], warped.masks[0, 1])
    with pytest.raises(ValueError, match="without flow"):
        warp_frames(replace(sample(), annotated_frames=(1,)), change, np.random.default_rng(0))


def test_crops_have_their_share_of_the_area():
    seen = []
    for seed in range(40):
        cropped = crop_share(sample(), (0.36, 1.0), 48, np.random.default_rng(seed))
        assert cropped.frames.shape == (3, 48, 48, 3) and cropped.masks.shape == (1, 3, 48, 48)
        seen.append(cropped.masks[0, 0].mean() * 4800 / 400)  # 1 / share of the area, where all of it is seen
    assert 0.9 < min(one for one in seen if one > 0.5) < 1.2 and 1.8 < max(seen) < 3


def test_the_chain_of_a_recipe():
    change = Transforms(flip=0.0, grey=1.0, affine=Affine(angle=5), area_crop=(0.5, 1.0), square=32)
    done = transform(sample(), change, np.random.default_rng(0))
    assert done.frames.shape == (3, 32, 32, 3)
    inside = done.frames[:, 12:20, 12:20]
    assert np.array_equal(inside[..., 0], inside[..., 2])
    assert to_grey(np.full((1, 1, 1, 3), (255, 0, 0), np.uint8)).tolist() == [[[[76, 76, 76]]]]
    with pytest.raises(RecipeError, match="area_crop"):
        Transforms(area_crop=(0.5, 1.0))
