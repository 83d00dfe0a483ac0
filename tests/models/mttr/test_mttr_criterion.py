from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from deixis.models.mttr.config import MttrConfig
from deixis.models.mttr.criterion import count_masks, losses, objects_of, weighted_losses
from deixis.models.mttr.goldens import output_of
from deixis.structures import Target

CONFIG = MttrConfig()
T, Q, H, W = 3, 4, 8, 12


def predictions(e: int, layers: int = 1, seed: int = 0):
    generator = torch.Generator().manual_seed(seed)
    masks = [torch.randn(T, e, Q, H // 4, W // 4, generator=generator) for _ in range(layers)]
    referring = [torch.randn(T, e, Q, 2, generator=generator) for _ in range(layers)]
    return output_of(masks, referring)


def target(referents=(0,), has_visibility=True) -> Target:
    masks = torch.zeros(2, T, H, W, dtype=torch.bool)
    masks[0, :, :4, :6] = True
    masks[1, 1:, 5:, 6:] = True
    return Target(masks, referents, has_visibility)


def test_names_and_weights():
    output = predictions(1, layers=3)
    plain, weighted = losses(output, [target()], CONFIG), weighted_losses(output, [target()], CONFIG)
    assert set(plain) == {
        f"loss_{term}{suffix}"
        for term in ("is_referred", "dice", "sigmoid_focal")
        for suffix in ("", "_0", "_1")
    }
    for name, weight in {"loss_is_referred_1": 2, "loss_dice": 5, "loss_sigmoid_focal_0": 2}.items():
        torch.testing.assert_close(weighted[name], weight * plain[name])
    last_only = replace(CONFIG, has_auxiliary_losses=False)
    assert set(losses(output, [target()], last_only)) == {
        "loss_is_referred",
        "loss_dice",
        "loss_sigmoid_focal",
    }


def test_nothing_answers_the_expression():
    """No query is the referent; where only referents are matched there is no mask loss."""
    output = predictions(1)
    absent = losses(output, [target(referents=())], replace(CONFIG, matched_objects="referent"))
    not_referred = F.cross_entropy(
        output.referring_logits[-1].flatten(0, -2), torch.ones(T * Q, dtype=torch.int64), reduction="sum"
    )
    torch.testing.assert_close(absent["loss_is_referred"], 0.1 * not_referred / T)
    assert absent["loss_dice"] == absent["loss_sigmoid_focal"] == 0
    every = losses(output, [target(referents=())], CONFIG)
    torch.testing.assert_close(every["loss_is_referred"], absent["loss_is_referred"])
    assert every["loss_dice"] > 0


def test_the_union_of_the_referents_is_one_object():
    config = replace(CONFIG, matched_objects="referent")
    both, one = objects_of([target((0, 1)), target((1,))], config)
    assert torch.equal(both.masks[0], target().masks.any(0))
    assert both.is_referred.tolist() == [True]
    assert one.is_visible.tolist() == [[False, True, True]]
    assert count_masks([both, one]) == 2 * T
    assert count_masks(objects_of([target((0, 1)), target(())], config)) == T


def test_invisible_referents_count_as_not_referred_where_visibility_is_known():
    output = predictions(1)
    known = losses(output, [target((1,))], CONFIG)["loss_is_referred"]
    unknown = losses(output, [target((1,), has_visibility=False)], CONFIG)["loss_is_referred"]
    assert not torch.isclose(known, unknown)


def test_smaller_targets_are_padded_with_nothing():
    output = predictions(2)
    small = Target(target().masks[..., :6, :10], (0,))
    padded = Target(F.pad(small.masks, (0, 2, 0, 2)), (0,))
    left = losses(output, [target(), small], CONFIG)
    right = losses(output, [target(), padded], CONFIG)
    assert all(torch.equal(left[name], right[name]) for name in left)


def test_padding_frames_carry_no_loss():
    whole = predictions(1)
    padding = torch.tensor([[False, False, True]])
    padded = replace(whole, frame_padding=padding)
    cut = replace(
        whole,
        referring_logits=whole.referring_logits[:, :, :2],
        kernels=whole.kernels[:, :, :2],
        mask_features=whole.mask_features[:, :2],
        frame_padding=padding[:, :2],
    )
    short = Target(target().masks[:, :2], (0,))
    left, right = losses(padded, [target()], CONFIG), losses(cut, [short], CONFIG)
    for name in left:
        torch.testing.assert_close(left[name], right[name])


def test_the_normaliser_of_the_mask_losses_can_be_given():
    output = predictions(1)
    own, given = losses(output, [target()], CONFIG), losses(output, [target()], CONFIG, num_masks=12.0)
    torch.testing.assert_close(own["loss_dice"], 2 * given["loss_dice"])
    torch.testing.assert_close(own["loss_is_referred"], given["loss_is_referred"])


def test_the_order_of_objects_does_not_matter():
    output = predictions(1)
    swapped = Target(target().masks.flip(0), (1,))
    left, right = losses(output, [target((0,))], CONFIG), losses(output, [swapped], CONFIG)
    for name in left:
        torch.testing.assert_close(left[name], right[name])


def test_a_perfect_prediction_costs_little():
    masks = target().masks
    logits = torch.where(masks, 20.0, -20.0).transpose(0, 1)[:, None].float()  # t 1 q H W
    logits = torch.cat((logits, torch.full_like(logits, -20.0)), dim=2)
    visible = masks.flatten(2).any(-1).T  # t n
    referring = torch.full((T, 1, Q, 2), -10.0)
    referring[..., 1] = 10.0
    referring[:, 0, 1, 0] = torch.where(visible[:, 1], 30.0, -30.0)
    terms = losses(output_of([logits], [referring]), [target((1,))], CONFIG)
    assert all(value < 0.05 for value in terms.values()), terms


@pytest.mark.parametrize("stride", [2, 4])
def test_a_coarser_grid_keeps_visibility(stride: int):
    masks = torch.zeros(1, T, H, W, dtype=torch.bool)
    masks[:, :, 0, 0] = True
    objects = objects_of([Target(masks, (0,))], replace(CONFIG, loss_stride=stride))[0]
    assert objects.masks.shape[-2:] == (H // stride, W // stride)
    assert objects.is_visible.all()
