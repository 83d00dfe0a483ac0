import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from deixis.ops.masks import (
    decode_rle,
    encode_rle,
    masks_at_size,
    probabilities_at_size,
    smooth_probabilities,
    stretched_masks,
    stretched_probabilities,
)

stacks = st.tuples(st.integers(1, 3), st.integers(1, 8), st.integers(1, 8)).flatmap(
    lambda shape: arrays(np.bool_, shape)
)


@given(stacks)
def test_run_lengths_round_trip(masks: np.ndarray):
    codes = encode_rle(masks)
    assert all(isinstance(code["counts"], str) for code in codes)
    assert np.array_equal(decode_rle(codes), masks)
    assert encode_rle(torch.from_numpy(masks)) == codes


def test_no_mask_and_different_sizes():
    assert encode_rle(np.zeros((0, 3, 4), dtype=bool)) == []
    mixed = encode_rle(np.ones((1, 3, 4), dtype=bool)) + encode_rle(np.ones((1, 4, 3), dtype=bool))
    with pytest.raises(ValueError, match="one size"):
        decode_rle(mixed)


def test_run_lengths_may_be_lists_that_begin_with_background():
    masks = decode_rle([{"size": [2, 3], "counts": [1, 2, 3]}, {"size": [2, 3], "counts": [0, 1, 5]}])
    assert masks.astype(int).tolist() == [[[0, 1, 0], [1, 0, 0]], [[1, 0, 0], [0, 0, 0]]]
    with pytest.raises(ValueError, match="5 pixels in a mask of 2x3"):
        decode_rle([{"size": [2, 3], "counts": [1, 2, 2]}])


def test_masks_are_cut_out_of_the_padding_and_brought_to_the_original_size():
    logits = torch.full((2, 8, 8), -1.0)
    logits[:, :4, :4] = 1.0
    masks = masks_at_size(logits, (32, 32), (16, 32), (8, 16))
    assert masks.shape == (2, 8, 16)
    assert masks[:, :, :7].all()
    assert not masks[:, :, 9:].any()


def test_half_a_probability_is_not_enough():
    logits = torch.tensor([[[0.0, 1e-6]]])
    assert masks_at_size(logits, (1, 2), (1, 2), (1, 2)).tolist() == [[[False, True]]]


@given(st.integers(0, 2**16), st.tuples(st.integers(4, 40), st.integers(4, 40)))
@settings(max_examples=30, deadline=None)
def test_probabilities_are_above_a_half_where_masks_are(seed: int, size: tuple[int, int]):
    logits = torch.randn(2, 8, 8, generator=torch.Generator().manual_seed(seed))
    sizes = ((32, 32), (16, 30), size)
    assert torch.equal(probabilities_at_size(logits, *sizes) > 0.5, masks_at_size(logits, *sizes))
    assert torch.equal(stretched_probabilities(logits, size) > 0.5, stretched_masks(logits, size))


def test_no_mask_logits():
    assert masks_at_size(torch.zeros(3, 0, 4, 4), (16, 16), (16, 16), (9, 8)).shape == (3, 0, 9, 8)


def test_smooth_probabilities_are_enlarged_without_padding():
    """UniRef: logits to the padded input, probabilities without padding to the video, both bilinear."""
    logits = torch.full((2, 4, 4), -20.0)
    logits[:, :, 2:] = 20.0  # the right half of a padded input of 8x8 with a frame of 8x6 in it
    soft = smooth_probabilities(logits, (8, 8), (8, 6), (16, 12))
    assert soft.shape == (2, 16, 12)
    assert (soft[..., :6] < 0.01).all() and (soft[..., 9:] > 0.99).all()
    assert ((soft[..., 7] > 0.2) & (soft[..., 8] < 0.999)).all()  # an edge that is no step
    same = smooth_probabilities(logits, (8, 8), (8, 6), (8, 6))
    torch.testing.assert_close(same, probabilities_at_size(logits, (8, 8), (8, 6), (8, 6)))
    assert smooth_probabilities(logits[:0], (8, 8), (8, 6), (16, 12)).shape == (0, 16, 12)
