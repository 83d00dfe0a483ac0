"""Boxes: two ways to write them, their overlap, and the boxes of masks.

Inside models a box is (cx, cy, w, h) in [0, 1] of the frame without padding; outside it is (x1, y1, x2, y2).

Axes: n m boxes, t frames, H W pixels.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F


def to_corners(boxes: Float[Tensor, "*n 4"]) -> Float[Tensor, "*n 4"]:
    """Turn (cx, cy, w, h) into (x1, y1, x2, y2)."""
    centre, size = boxes[..., :2], boxes[..., 2:]
    return torch.cat((centre - size / 2, centre + size / 2), dim=-1)


def to_centres(boxes: Float[Tensor, "*n 4"]) -> Float[Tensor, "*n 4"]:
    """Turn (x1, y1, x2, y2) into (cx, cy, w, h)."""
    low, high = boxes[..., :2], boxes[..., 2:]
    return torch.cat(((low + high) / 2, high - low), dim=-1)


def pixel_boxes(boxes: Float[Tensor, "*n 4"], size: tuple[int, int]) -> Float[Tensor, "*n 4"]:
    """Turn predicted boxes into (x1, y1, x2, y2) in pixels of a frame of ``size`` (height, width)."""
    height, width = size
    return to_corners(boxes) * boxes.new_tensor((width, height, width, height))


def refine(change: Float[Tensor, "*n 4"], reference: Float[Tensor, "*n _"]) -> Float[Tensor, "*n 4"]:
    """Move a reference (a point x, y, or a box) by ``change``, in the space before the sigmoid.

    Coordinates of the reference are cut to [1e-5, 1 - 1e-5] there (Deformable DETR).
    """
    known = reference.clamp(0, 1)
    before = known.clamp(min=1e-5).log() - (1 - known).clamp(min=1e-5).log()
    rest = change.shape[-1] - before.shape[-1]
    return (change + F.pad(before, (0, rest))).sigmoid()


def generalised_iou(
    left: Float[Tensor, "*#n 4"], right: Float[Tensor, "*#n 4"], eps: float = 1e-6
) -> Float[Tensor, "..."]:
    """Return the generalised IoU of boxes (x1, y1, x2, y2), pair by pair after broadcasting.

    ``(I + eps) / (U + eps) - (C - U + eps) / (C + eps)`` with intersection I, union U and the area C of the
    smallest box around both (Rezatofighi et al., CVPR 2019; ``eps`` as ReferFormer has it, which makes empty
    boxes at one place equal).
    """
    intersection, union = _intersection_and_union(left, right)
    outer_low = torch.minimum(left[..., :2], right[..., :2])
    outer_high = torch.maximum(left[..., 2:], right[..., 2:])
    hull = (outer_high - outer_low).clamp(min=0).prod(dim=-1)
    return (intersection + eps) / (union + eps) - (hull - union + eps) / (hull + eps)


def iou(left: Float[Tensor, "*#n 4"], right: Float[Tensor, "*#n 4"]) -> Float[Tensor, "..."]:
    """Return the IoU of boxes (x1, y1, x2, y2), pair by pair after broadcasting; 0 for two empty ones."""
    intersection, union = _intersection_and_union(left, right)
    return intersection / union.clamp(min=1e-12)


def _intersection_and_union(
    left: Float[Tensor, "*#n 4"], right: Float[Tensor, "*#n 4"]
) -> tuple[Float[Tensor, "..."], Float[Tensor, "..."]]:
    low, high = torch.maximum(left[..., :2], right[..., :2]), torch.minimum(left[..., 2:], right[..., 2:])
    intersection = (high - low).clamp(min=0).prod(dim=-1)
    areas = [(box[..., 2:] - box[..., :2]).prod(dim=-1) for box in (left, right)]
    return intersection, areas[0] + areas[1] - intersection


def boxes_of_masks(masks: Bool[Tensor, "*n H W"], *, is_inclusive: bool = False) -> Float[Tensor, "*n 4"]:
    """Return the box (x1, y1, x2, y2) in pixels around each mask; zeros for an empty mask.

    ``x2`` and ``y2`` are one past the last pixel; with ``is_inclusive`` they are the last pixel, as the
    published ReferFormer has them.
    """
    sides = []
    for extent, is_seen in ((masks.shape[-1], masks.any(dim=-2)), (masks.shape[-2], masks.any(dim=-1))):
        index = torch.arange(extent, device=masks.device)
        low = torch.where(is_seen, index, extent).amin(dim=-1)
        high = torch.where(is_seen, index, -1).amax(dim=-1) + (not is_inclusive)
        sides.append((low, high))
    boxes = torch.stack((sides[0][0], sides[1][0], sides[0][1], sides[1][1]), dim=-1).float()
    return boxes * masks.flatten(-2).any(dim=-1)[..., None]
