"""One-to-one assignment of trajectories to objects (DETR, equation 1).

Axes: q trajectories, n objects.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def assign(cost: Float[Tensor, "q n"]) -> tuple[Int[Tensor, "m"], Int[Tensor, "m"]]:
    """Return the pairs of least total ``cost``: indices of trajectories (ascending) and of their objects.

    Raises:
        ValueError: the cost is not finite (the training has diverged).
    """
    from scipy.optimize import linear_sum_assignment

    if not torch.isfinite(cost).all():
        raise ValueError("the matching cost is not finite: the predictions hold NaN or infinity")
    rows, columns = linear_sum_assignment(cost.detach().float().cpu().numpy())
    return torch.as_tensor(rows, device=cost.device), torch.as_tensor(columns, device=cost.device)
