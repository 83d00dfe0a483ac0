import torch
from torchvision.ops import generalized_box_iou_loss

from deixis.losses.boxes import giou_loss, l1_loss
from deixis.ops.boxes import to_corners


def test_sums_over_the_number_given():
    generator = torch.Generator().manual_seed(0)
    left, right = torch.rand(2, 3, 4, generator=generator) * 0.4 + 0.3
    torch.testing.assert_close(l1_loss(left, right, 2.0), (left - right).abs().sum() / 2)
    reference = generalized_box_iou_loss(to_corners(left), to_corners(right), reduction="sum")
    torch.testing.assert_close(giou_loss(left, right, 2.0), reference / 2, atol=1e-4, rtol=1e-4)


def test_equal_boxes_cost_nothing():
    boxes = torch.tensor([[0.5, 0.5, 0.2, 0.4]])
    assert l1_loss(boxes, boxes, 1.0) == 0
    torch.testing.assert_close(giou_loss(boxes, boxes, 1.0), torch.tensor(0.0), atol=1e-4, rtol=0)
