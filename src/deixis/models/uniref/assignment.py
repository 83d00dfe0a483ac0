"""Which queries are to become which objects (UniRef, section 5.2; code): SimOTA, one to one for proposals.

Axes: q queries or tokens, n objects, m pairs.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from deixis.losses.focal import focal_cost
from deixis.losses.matching import assign, assign_several
from deixis.ops.boxes import generalised_iou, iou, to_corners

Pairs = tuple[Int[Tensor, "m"], Int[Tensor, "m"]]
"""Indices of queries and of their objects."""

RADIUS = 2.5 / 32
"""How near a query's centre has to be to that of an object, on each axis, in shares of the frame."""

_OUTSIDE, _ASTRAY = 100.0, 10_000.0
"""Added to the cost where a centre is not both in the box and near its centre, or in and near none."""


@torch.no_grad()
def assign_queries(
    logits: Float[Tensor, "q _classes"],
    boxes: Float[Tensor, "q 4"],
    wanted: Float[Tensor, "n 4"],
    labels: Int[Tensor, "n"],
) -> Pairs:
    """Return pairs of the queries of one image: several an object, ascending (SimOTA).

    Args:
        logits: of classes.
        boxes: predicted, cx, cy, w, h in [0, 1].
        wanted: boxes of the objects.
        labels: their classes.
    """
    found, wanted = boxes.float()[:, None], wanted.float()[None]  # q 1 4, 1 n 4
    offset = (found[..., :2] - wanted[..., :2]).abs()  # q n 2
    is_in = (offset < wanted[..., 2:] / 2).all(dim=-1)
    is_near = (offset < RADIUS).all(dim=-1)
    corners = to_corners(found), to_corners(wanted)
    cost = focal_cost(logits)[:, labels] - 3 * generalised_iou(*corners)
    cost = cost + _OUTSIDE * ~(is_in & is_near) + _ASTRAY * ~(is_in | is_near).any(dim=1, keepdim=True)
    return assign_several(cost, iou(*corners))


@torch.no_grad()
def assign_proposals(
    logits: Float[Tensor, "q"], boxes: Float[Tensor, "q 4"], wanted: Float[Tensor, "n 4"]
) -> Pairs:
    """Return one token for each object of one image, of all tokens: the least total cost."""
    found, wanted = boxes.float()[:, None], wanted.float()[None]
    distance = (found - wanted).abs().sum(dim=-1)  # q n
    overlap = generalised_iou(to_corners(found), to_corners(wanted))
    return assign(2 * focal_cost(logits)[:, None] + 5 * distance - 2 * overlap)
