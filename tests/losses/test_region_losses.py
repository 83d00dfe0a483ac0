import pytest
import torch

from deixis.losses.regions import competing_logits, hardest_pixels_loss, region_iou_loss

TARGETS = torch.tensor([[1, 1, 0, 0, 0], [0, 0, 0, 0, 1]], dtype=torch.bool)


def test_object_and_background_compete():
    p = torch.tensor([0.1, 0.5, 0.8])
    expected = p**2 / (p**2 + (1 - p) ** 2)
    torch.testing.assert_close(competing_logits(p.logit()).sigmoid(), expected)
    assert competing_logits(torch.tensor([-1e4, 1e4])).isfinite().all()


def test_right_masks_cost_nothing_and_wrong_ones_much():
    right = torch.where(TARGETS, 30.0, -30.0)
    assert region_iou_loss(right, TARGETS, 2) < 1e-4
    assert hardest_pixels_loss(right, TARGETS) < 1e-4
    assert region_iou_loss(-right, TARGETS, 2) > 0.99
    assert hardest_pixels_loss(-right, TARGETS) > 10


def test_only_the_hardest_pixels_count():
    logits = torch.where(TARGETS, 4.0, -4.0)
    logits[0, 4] = 3.0  # one of five is wrong, two count
    one = hardest_pixels_loss(logits[:1], TARGETS[:1])
    logits[0, 1] = 5.0  # an easy one
    assert hardest_pixels_loss(logits[:1], TARGETS[:1]) == one
    assert hardest_pixels_loss(logits[:1], TARGETS[:1], share=0.2) == pytest.approx(2 * float(one), rel=1e-2)


def test_no_masks():
    assert hardest_pixels_loss(torch.zeros(0, 5), TARGETS[:0]) == 0
