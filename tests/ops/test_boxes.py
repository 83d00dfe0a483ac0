import torch
from hypothesis import given
from hypothesis import strategies as st
from torchvision.ops import generalized_box_iou, masks_to_boxes

from deixis.ops.boxes import boxes_of_masks, generalised_iou, to_centres, to_corners


def boxes(n: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    low = torch.rand(n, 2, generator=generator)
    return torch.cat((low, low + 0.05 + torch.rand(n, 2, generator=generator)), dim=-1)


@given(st.integers(0, 1000))
def test_there_and_back(seed: int):
    corners = boxes(5, seed)
    torch.testing.assert_close(to_corners(to_centres(corners)), corners)


@given(st.integers(0, 1000))
def test_generalised_iou_is_torchvisions_but_for_eps(seed: int):
    left, right = boxes(4, seed), boxes(3, seed + 1)
    ours = generalised_iou(left[:, None], right[None])
    torch.testing.assert_close(ours, generalized_box_iou(left, right), atol=1e-4, rtol=1e-4)


def test_empty_boxes_at_one_place_are_equal():
    nothing = torch.zeros(1, 4)
    assert generalised_iou(nothing, nothing).item() == 0  # (eps / eps) - (eps / eps)


def test_boxes_of_masks():
    masks = torch.zeros(3, 8, 10, dtype=torch.bool)
    masks[0, 2:5, 3:9] = True
    masks[1, 7, 0] = True
    assert boxes_of_masks(masks).tolist() == [[3, 2, 9, 5], [0, 7, 1, 8], [0, 0, 0, 0]]
    published = boxes_of_masks(masks, is_inclusive=True)
    torch.testing.assert_close(published[:2], masks_to_boxes(masks[:2]))
    assert published[2].tolist() == [0, 0, 0, 0]
