import pytest
import torch
from torch.nn import functional as F

from deixis.losses.pixels import IGNORED, hardest_mean, mean_of_valid, pixel_losses


@pytest.fixture
def labels() -> torch.Tensor:
    values = torch.randint(0, 2, (2, 6, 8), generator=torch.Generator().manual_seed(0))
    values[1, 3:] = IGNORED
    return values


@pytest.fixture
def scores() -> torch.Tensor:
    return torch.randn(2, 2, 6, 8, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("weights", [(1.0, 1.0), (0.9, 1.1)])
def test_mean_is_pytorchs_weighted_mean(scores, labels, weights):
    losses = pixel_losses(scores, labels, weights)
    expected = F.cross_entropy(scores, labels, torch.tensor(weights), ignore_index=IGNORED)
    torch.testing.assert_close(mean_of_valid(losses, labels, weights), expected)
    assert not losses[1, 3:].any()


def test_the_hardest_are_counted_by_frame_and_ignored_pixels_are_easy(scores, labels):
    losses = pixel_losses(scores, labels)
    k = int(0.15 * 48)
    expected = torch.stack([one.flatten().sort(descending=True).values[:k].mean() for one in losses])
    torch.testing.assert_close(hardest_mean(losses, 0.15), expected)
    torch.testing.assert_close(hardest_mean(losses, 1.0)[1], losses[1].sum() / 48)


def test_nothing_valid_is_no_loss(scores):
    labels = torch.full((2, 6, 8), IGNORED)
    losses = pixel_losses(scores, labels)
    assert mean_of_valid(losses, labels) == 0
    assert not hardest_mean(losses, 0.15).any()


def test_a_tiny_frame_still_has_a_hardest_pixel():
    losses = torch.tensor([[[0.0, 3.0]]])
    assert hardest_mean(losses, 0.15).tolist() == [3.0]
