"""Assignment of predictions to objects: one to one (DETR, equation 1), or several to one (SimOTA).

Axes: q trajectories or queries, n objects, m pairs.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional as F

_TAKEN = 1e5
"""Added to the costs of a query that has an object already."""


def assign(cost: Float[Tensor, "q n"]) -> tuple[Int[Tensor, "m"], Int[Tensor, "m"]]:
    """Return the pairs of least total ``cost``: indices of trajectories (ascending) and of their objects.

    Raises:
        ValueError: the cost is not finite (the training has diverged).
    """
    from scipy.optimize import linear_sum_assignment

    _check_finite(cost)
    rows, columns = linear_sum_assignment(cost.detach().float().cpu().numpy())
    return torch.as_tensor(rows, device=cost.device), torch.as_tensor(columns, device=cost.device)


def assign_several(
    cost: Float[Tensor, "q n"], overlaps: Float[Tensor, "q n"], num_overlaps: int = 10
) -> tuple[Int[Tensor, "m"], Int[Tensor, "m"]]:
    """Return pairs in which an object has the more queries the better they overlap (SimOTA, YOLOX, 2.1).

    An object takes as many of its cheapest queries as its ``num_overlaps`` largest overlaps sum up to, 1 at
    least; a query that several take goes to the one that it is cheapest for. Objects that are left without
    are given their cheapest free query. Kept of the published UniRef: only queries that were taken twice at
    the first look are settled again after that, so that of crowded objects one may stay without.

    Args:
        cost: of each pair.
        overlaps: IoU of boxes.
        num_overlaps: how many count.

    Returns:
        Indices of queries (ascending) and of their objects.

    Raises:
        ValueError: the cost is not finite (the training has diverged).
    """
    _check_finite(cost)
    q, n = cost.shape
    is_pair = torch.zeros(q, n, dtype=torch.bool, device=cost.device)
    if n:
        sums = overlaps.topk(min(num_overlaps, q), dim=0).values.sum(dim=0)
        for place, count in enumerate(sums.int().clamp(min=1).tolist()):
            is_pair[cost[:, place].topk(count, largest=False).indices, place] = True
        _serve_all(is_pair, cost.clone())
    queries = is_pair.any(dim=1).nonzero()[:, 0]
    return queries, is_pair[queries].int().argmax(dim=1) if n else queries


def _serve_all(is_pair: Bool[Tensor, "q n"], cost: Float[Tensor, "q n"]) -> None:
    """Settle queries that are taken twice, and give queries to objects without; changes both arguments."""
    contested = is_pair.sum(dim=1) > 1

    def settle() -> None:
        best = cost[contested].argmin(dim=1)
        is_pair[contested] = F.one_hot(best, cost.shape[1]).bool()

    settle()
    for _ in range(sum(cost.shape)):  # where queries are fewer than objects there is no end
        without = (~is_pair.any(dim=0)).nonzero()[:, 0]
        if not len(without):
            return
        cost[is_pair.any(dim=1)] += _TAKEN
        for place in without:
            is_pair[cost[:, place].argmin(), place] = True
        if (is_pair.sum(dim=1) > 1).any():
            settle()


def _check_finite(cost: Float[Tensor, "q n"]) -> None:
    if not torch.isfinite(cost).all():
        raise ValueError("the matching cost is not finite: the predictions hold NaN or infinity")
