"""Cross-entropy with a weight for each element.

Axes: n elements, k classes.
"""

from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F


def weighted_cross_entropy(
    logits: Float[Tensor, "*n k"],
    targets: Int[Tensor, "*n"],
    weights: Float[Tensor, "*n"],
    num_elements: float | Tensor,
) -> Float[Tensor, ""]:
    """Return the weighted sum of cross-entropies over ``num_elements`` (not over the sum of weights)."""
    losses = F.cross_entropy(logits.float().flatten(0, -2), targets.flatten(), reduction="none")
    return (losses * weights.flatten()).sum() / num_elements
