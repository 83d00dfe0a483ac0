import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torchvision.ops import sigmoid_focal_loss as torchvision_focal

from deixis.losses.cross_entropy import weighted_cross_entropy
from deixis.losses.dice import dice_loss, pairwise_dice
from deixis.losses.focal import sigmoid_focal_loss
from deixis.losses.matching import assign


def masks(n: int, p: int = 40) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(n)
    return torch.randn(n, p, generator=generator), (torch.rand(n, p, generator=generator) > 0.6).float()


def test_focal_equals_torchvision():
    logits, targets = masks(3)
    expected = torchvision_focal(logits, targets, alpha=0.25, gamma=2).mean(1).sum() / 7
    torch.testing.assert_close(sigmoid_focal_loss(logits, targets, 7.0), expected)


def test_dice_by_hand():
    logits = torch.tensor([[100.0, -100.0, 100.0]])
    targets = torch.tensor([[1.0, 0.0, 0.0]])
    assert dice_loss(logits, targets, 1.0).item() == pytest.approx(1 - 3 / 4)
    assert dice_loss(logits[:, 1:2], targets[:, 1:2], 1.0).item() == pytest.approx(
        0
    )  # nothing, and nothing wanted


def test_pairwise_dice_equals_the_loss_of_each_pair():
    logits, _ = masks(3)
    _, targets = masks(4)
    table = pairwise_dice(logits[None], targets[None])[0]
    for i, j in itertools.product(range(3), range(4)):
        expected = 1 - dice_loss(logits[i : i + 1], targets[j : j + 1], 1.0)
        torch.testing.assert_close(table[i, j], expected)


def test_no_mask_gives_no_loss():
    logits, targets = torch.zeros(0, 40, requires_grad=True), torch.zeros(0, 40)
    assert dice_loss(logits, targets, 1.0).item() == 0
    assert sigmoid_focal_loss(logits, targets, 1.0).item() == 0


@given(st.integers(1, 5), st.integers(0, 4), st.integers(0, 1000))
def test_assignment_is_the_cheapest(num_queries: int, num_objects: int, seed: int):
    cost = torch.randn(num_queries, num_objects, generator=torch.Generator().manual_seed(seed))
    rows, columns = assign(cost)
    pairs = min(num_queries, num_objects)
    assert len(rows) == len(columns) == pairs
    assert rows.tolist() == sorted(set(rows.tolist()))
    ways = (
        sum(cost[q, o].item() for q, o in zip(queries, objects, strict=True))
        for queries in itertools.permutations(range(num_queries), pairs)
        for objects in itertools.combinations(range(num_objects), pairs)
    )
    assert cost[rows, columns].sum().item() == pytest.approx(min(ways), abs=1e-5)


def test_assignment_refuses_what_is_not_a_number():
    with pytest.raises(ValueError, match="not finite"):
        assign(torch.tensor([[float("nan")]]))


def test_cross_entropy_divides_by_what_it_is_told():
    logits, targets = torch.randn(2, 3, 4), torch.randint(4, (2, 3))
    weights = torch.rand(2, 3)
    picked = logits.log_softmax(-1).gather(-1, targets[..., None])[..., 0]
    expected = -(picked * weights).sum() / 5
    torch.testing.assert_close(weighted_cross_entropy(logits, targets, weights, 5.0), expected)
