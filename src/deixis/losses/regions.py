"""Losses of a mask as a region that competes with the background (UniRef, code, video stage).

The probabilities of object and background are weighed against one another once more, as when several objects
share out the pixels of a frame.

Axes: n masks, p pixels.
"""

import torch
from jaxtyping import Float, Shaped
from torch import Tensor
from torch.nn import functional as F

from deixis.losses.pixels import hardest_mean

NEARLY_NONE = 1e-7
"""Probabilities are kept this far from 0 and 1."""


def competing_logits(logits: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
    """Return the logits of ``p^2 / (p^2 + (1 - p)^2)``: the odds of object against background, squared.

    Both probabilities are cut by themselves, as published, which shows where one of them is almost 1.
    """
    p = logits.float().sigmoid()
    of_object, of_background = (part.clamp(NEARLY_NONE, 1 - NEARLY_NONE) for part in (p, 1 - p))
    odds = (of_object / (1 - of_object), of_background / (1 - of_background))
    return odds[0].log() - odds[1].log()


def hardest_pixels_loss(
    logits: Float[Tensor, "n p"],
    targets: Shaped[Tensor, "n p"],
    share: float = 0.4,
) -> Float[Tensor, ""]:
    """Return the cross-entropy of the competing probabilities over the hardest ``share`` of pixels.

    The mean over the pixels of each mask, then over masks; 0 without masks.
    """
    if not len(logits):
        return logits.sum() * 0
    losses = F.binary_cross_entropy_with_logits(competing_logits(logits), targets.float(), reduction="none")
    return hardest_mean(losses, share).mean()


def region_iou_loss(
    logits: Float[Tensor, "n p"], targets: Shaped[Tensor, "n p"], num_objects: float | Tensor
) -> Float[Tensor, ""]:
    """Return 1 minus the sum of soft IoUs of the competing probabilities over ``num_objects``."""
    soft, targets = competing_logits(logits).sigmoid(), targets.float()
    overlap = torch.minimum(soft, targets).sum(dim=1) + NEARLY_NONE
    union = torch.maximum(soft, targets).sum(dim=1) + NEARLY_NONE
    return 1 - (overlap / union).sum() / num_objects
