"""What the network of hinet-tiny is shown, what it gives, what it learns from."""

import pytest
import torch

from deixis.models.hinet_tiny.augment import disturb_colours, disturb_flow
from deixis.models.hinet_tiny.criterion import frame_weights, mover_losses
from deixis.models.hinet_tiny.cues import NUM_CHANNELS, motion_cues
from deixis.models.hinet_tiny.network import MoverNet
from deixis.structures import Target


def vectors(n: int = 2, height: int = 40, width: int = 64) -> torch.Tensor:
    """Flow with a patch that moves by itself."""
    flow = 0.05 * torch.randn(n, 4, height, width, generator=torch.Generator().manual_seed(0))
    flow[:, :2, 10:20, 20:40] += 2.0
    flow[:, 2:, 10:20, 20:40] -= 2.0
    return flow


@pytest.mark.parametrize("size", [(32, 32), (45, 77), (128, 224), (17, 300)])
def test_the_network_answers_at_every_size(size: tuple[int, int]) -> None:
    network = MoverNet(NUM_CHANNELS, (4, 6, 8, 10, 12)).eval()
    assert network(torch.randn(2, NUM_CHANNELS, *size)).shape == (2, *size)


def test_cues_do_not_depend_on_frame_rate() -> None:
    once, thrice = motion_cues(vectors()), motion_cues(3 * vectors())
    torch.testing.assert_close(once, thrice)


def test_cues_of_a_still_frame_are_dark() -> None:
    cues = motion_cues(torch.zeros(1, 4, 40, 64))
    assert cues[:, :7].abs().max() == 0
    assert cues.isfinite().all()


def test_cues_show_what_moves() -> None:
    cues = motion_cues(vectors())
    smaller = cues[:, 6]
    assert smaller[:, 10:20, 20:40].min() > smaller[:, 25:, :].max()


def test_disturbed_flow_keeps_lengths() -> None:
    torch.manual_seed(0)
    flow = vectors(8)
    turned = disturb_flow(flow, 0.0)
    before = flow.unflatten(1, (2, 2)).norm(dim=2).sum(dim=1)
    after = turned.unflatten(1, (2, 2)).norm(dim=2).sum(dim=1)
    torch.testing.assert_close(before, after, atol=1e-4, rtol=1e-4)
    assert not torch.allclose(flow, turned)


def test_some_frames_lose_their_colours() -> None:
    torch.manual_seed(0)
    shown = disturb_colours(torch.rand(200, 3, 4, 4) * 2 - 1, 0.1)
    grey = (shown.amax(dim=1) - shown.amin(dim=1)).flatten(1).amax(dim=1) < 1e-6
    blank = shown.flatten(1).abs().amax(dim=1) == 0
    assert 0.2 < grey.float().mean() < 0.5
    assert 0.04 < blank.float().mean() < 0.18


def target(labels: torch.Tensor | None = None) -> Target:
    masks = torch.zeros(2, 1, 40, 64, dtype=torch.bool)
    masks[0, 0, 10:20, 20:40] = True
    masks[1, 0, 24:40, :20] = True
    return Target(masks, (0,), labels=labels)


def loss_of(logits: torch.Tensor, one: Target, size=(40, 64)) -> dict[str, float]:
    terms = mover_losses(logits, vectors(1)[:, None], [one], [size])
    return {name: float(term) for name, term in terms.items()}


def test_the_loss_prefers_what_moves() -> None:
    right = torch.where(target().masks[0], 8.0, -8.0)[None]
    still = torch.where(target().masks[1], 8.0, -8.0)[None]
    for term in ("loss_cross_entropy", "loss_dice"):
        best, worst = (loss_of(logits, target())[term] for logits in (right, still))
        assert best < 0.1 * worst


def test_frames_whose_motion_cannot_be_seen_do_not_count() -> None:
    masks = target().masks
    seen, unseen, empty = masks[0], masks[1], torch.zeros_like(masks[0])
    flow = vectors(1)
    assert [float(frame_weights(flow, moving)) for moving in (seen, unseen, empty)] == [1, 0, 0.25]


def test_padding_has_no_say() -> None:
    logits = torch.where(target().masks[0], 8.0, -8.0)[None]
    spoilt = logits.clone()
    spoilt[..., 40:] = 8.0
    one = Target(target().masks.clone(), (0,))
    one.masks[..., 40:] = False
    clean, other = (loss_of(values, one, (40, 40)) for values in (logits, spoilt))
    assert clean == pytest.approx(other)
