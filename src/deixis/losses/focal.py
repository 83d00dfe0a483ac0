"""Sigmoid focal loss (Lin et al., ICCV 2017, equation 5).

Axes: n masks, p pixels.
"""

from jaxtyping import Float, Shaped
from torch import Tensor
from torch.nn import functional as F


def sigmoid_focal_loss(
    logits: Float[Tensor, "n p"],
    targets: Shaped[Tensor, "n p"],
    num_objects: float | Tensor,
    *,
    alpha: float = 0.25,
    gamma: float = 2.0,
) -> Float[Tensor, ""]:
    """Return the sum over masks of mean ``alpha_t (1 - p_t)^gamma CE`` over pixels, over ``num_objects``.

    Args:
        logits: before the sigmoid.
        targets: 0 or 1, or booleans.
        num_objects: what the sum over masks is divided by.
        alpha: weight of the foreground; the background has ``1 - alpha``.
        gamma: how much easy pixels are held down.
    """
    return focal_terms(logits, targets, alpha=alpha, gamma=gamma).mean(dim=1).sum() / num_objects


def focal_terms(
    logits: Float[Tensor, "*n"], targets: Shaped[Tensor, "*n"], *, alpha: float = 0.25, gamma: float = 2.0
) -> Float[Tensor, "*n"]:
    """Return ``alpha_t (1 - p_t)^gamma CE`` of every element, unreduced (arguments: as above)."""
    logits, targets = logits.float(), targets.float()
    cross_entropy = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    probabilities = logits.sigmoid()
    missing = probabilities + targets - 2 * probabilities * targets  # 1 - p_t
    weights = alpha * targets + (1 - alpha) * (1 - targets)
    return weights * missing**gamma * cross_entropy


def focal_cost(
    logits: Float[Tensor, "*n"], *, alpha: float = 0.25, gamma: float = 2.0
) -> Float[Tensor, "*n"]:
    """Return what taking a prediction for an object changes in its focal loss (Deformable DETR, matching)."""
    p = logits.float().sigmoid()
    positive = alpha * (1 - p) ** gamma * -(p + 1e-8).log()
    return positive - (1 - alpha) * p**gamma * -(1 - p + 1e-8).log()
