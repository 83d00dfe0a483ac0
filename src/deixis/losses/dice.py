"""Dice loss (Milletari et al., 3DV 2016) with one pixel of smoothing.

Axes: t frames, n m masks, p pixels.
"""

from jaxtyping import Float, Shaped
from torch import Tensor


def dice_loss(
    logits: Float[Tensor, "n p"], targets: Shaped[Tensor, "n p"], num_objects: float | Tensor
) -> Float[Tensor, ""]:
    """Return the sum over masks of ``1 - (2 sum(pg) + 1) / (sum p + sum g + 1)``, over ``num_objects``.

    Args:
        logits: before the sigmoid.
        targets: 0 or 1, or booleans.
        num_objects: what the sum over masks is divided by.
    """
    probabilities, targets = logits.float().sigmoid(), targets.float()
    overlap = 2 * (probabilities * targets).sum(dim=1)
    total = probabilities.sum(dim=1) + targets.sum(dim=1)
    return (1 - (overlap + 1) / (total + 1)).sum() / num_objects


def pairwise_dice(
    logits: Float[Tensor, "*t n p"], targets: Shaped[Tensor, "*t m p"]
) -> Float[Tensor, "*t n m"]:
    """Return the dice coefficients of every prediction with every target, as one matrix product."""
    probabilities, targets = logits.float().sigmoid(), targets.float()
    overlap = 2 * probabilities @ targets.transpose(-1, -2)
    total = probabilities.sum(dim=-1)[..., :, None] + targets.sum(dim=-1)[..., None, :]
    return (overlap + 1) / (total + 1)
