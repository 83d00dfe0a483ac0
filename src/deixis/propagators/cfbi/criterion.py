"""The loss of CFBI (propagation, section 2.11).

Axes: b samples, n objects with the background first, H W pixels.
"""

from jaxtyping import Float, Integer
from torch import Tensor
from torch.nn import functional as F

from deixis.losses.pixels import IGNORED, hardest_mean

KEPT = 0.15
"""Share of the pixels that count when mining has set in."""


def hard_pixel_loss(
    logits: Float[Tensor, "b n H W"], labels: Integer[Tensor, "b H W"], share: float
) -> Float[Tensor, "b"]:
    """Return the mean cross-entropy of each sample over the ``share`` of its pixels with the largest one.

    Pixels of label 255 have none, but are counted.
    """
    losses = F.cross_entropy(logits, labels.long(), ignore_index=IGNORED, reduction="none")
    return hardest_mean(losses, share)


def share_at(step: int, mining_steps: int = 50_000, kept: float = KEPT) -> float:
    """Return the share of pixels that count: all at first, ``kept`` from ``mining_steps`` on."""
    progress = min(step / mining_steps, 1.0)
    return progress * kept + (1 - progress)
