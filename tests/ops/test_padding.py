import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from deixis.ops.padding import resize_padding_mask, stack_clips

sizes = st.lists(st.tuples(st.integers(1, 4), st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=4)


@given(sizes)
def test_every_clip_stands_top_left_and_first(sizes: list[tuple[int, int, int]]):
    clips = [torch.rand(t, 3, height, width) + 0.1 for t, height, width in sizes]
    stacked, padding_mask = stack_clips(clips)
    assert stacked.shape == (len(clips), *(max(size[0] for size in sizes),), 3, *stacked.shape[-2:])
    for clip, padded, mask in zip(clips, stacked, padding_mask, strict=True):
        t, _, height, width = clip.shape
        assert torch.equal(padded[:t, :, :height, :width], clip)
        assert (~mask).sum() == t * height * width
        assert not mask[:t, :height, :width].any()
        assert (padded.movedim(1, -1)[mask] == 0).all()


def test_no_clip():
    with pytest.raises(ValueError, match="no clip"):
        stack_clips([])


def test_padding_mask_at_a_stride_takes_the_first_pixel_of_each_cell():
    padding_mask = torch.zeros(1, 1, 32, 48, dtype=torch.bool)
    padding_mask[..., 17:, :] = True
    padding_mask[..., 32:] = True
    small = resize_padding_mask(padding_mask, (2, 3))
    assert small.tolist() == [[[[False, False, True], [False, False, True]]]]
