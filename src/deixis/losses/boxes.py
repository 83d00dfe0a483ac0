"""Losses of boxes (Carion et al., ECCV 2020, equation 9): L1 distance and generalised IoU.

Axes: n boxes.
"""

from jaxtyping import Float
from torch import Tensor

from deixis.ops.boxes import generalised_iou, to_corners


def l1_loss(
    boxes: Float[Tensor, "*n 4"], targets: Float[Tensor, "*n 4"], num_objects: float | Tensor
) -> Float[Tensor, ""]:
    """Return the sum of absolute differences over ``num_objects``."""
    return (boxes.float() - targets).abs().sum() / num_objects


def giou_loss(
    boxes: Float[Tensor, "*n 4"], targets: Float[Tensor, "*n 4"], num_objects: float | Tensor
) -> Float[Tensor, ""]:
    """Return the sum of ``1 - GIoU`` of boxes (cx, cy, w, h), pair by pair, over ``num_objects``."""
    overlap = generalised_iou(to_corners(boxes.float()), to_corners(targets))
    return (1 - overlap).sum() / num_objects
