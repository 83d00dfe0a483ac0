"""Losses that teach masks from boxes alone (Tian et al., BoxInst, CVPR 2021).

A mask has to fill its box from side to side, and neighbours of one colour have to be both inside or both
outside. Kept of UniRef's code: the channels of the image are reversed before its colours are compared.

Axes: b images, n masks, k neighbours, h w cells, H W pixels.
"""

import torch
from jaxtyping import Bool, Float, Shaped
from torch import Tensor
from torch.nn import functional as F

DILATION = 2
"""Cells between a cell and its neighbours."""

SIMILAR = 0.3
"""Neighbours are of one colour from this similarity on."""

_EPS = 1e-5
_WHITE = (0.95047, 1.0, 1.08883)
_TO_XYZ = (
    (0.412453, 0.357580, 0.180423),
    (0.212671, 0.715160, 0.072169),
    (0.019334, 0.119193, 0.950227),
)


def colour_similarity(
    images: Float[Tensor, "b 3 H W"], is_valid: Bool[Tensor, "b h w"], stride: int = 4
) -> Float[Tensor, "b k h w"]:
    """Return ``exp(-|difference| / 2)`` of the CIELAB colours of each cell and its eight neighbours.

    Args:
        images: RGB, 0 to 255.
        is_valid: cells that are not padding; 0 is returned where a neighbour is none.
        stride: pixels a cell; their colours are averaged.
    """
    means = F.avg_pool2d(images.float(), stride)
    cells = to_lab(means.flip(1).floor() / 255)  # b 3 h w
    distances = (cells[:, :, None] - _neighbours(cells)).norm(dim=1)  # b k h w
    return (-0.5 * distances).exp() * _neighbours(is_valid[:, None].float())[:, 0]


def to_lab(colours: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 h w"]:
    """Turn RGB in [0, 1] into CIELAB (sRGB, D65)."""
    linear = torch.where(colours > 0.04045, ((colours + 0.055) / 1.055) ** 2.4, colours / 12.92)
    xyz = torch.einsum("oc,bchw->bohw", linear.new_tensor(_TO_XYZ), linear)
    xyz = xyz / linear.new_tensor(_WHITE)[:, None, None]
    x, y, z = torch.where(xyz > 0.008856, xyz.clamp(min=0) ** (1 / 3), 7.787 * xyz + 16 / 116).unbind(1)
    return torch.stack((116 * y - 16, 500 * (x - y), 200 * (y - z)), dim=1)


def projection_loss(logits: Float[Tensor, "n h w"], boxes: Shaped[Tensor, "n h w"]) -> Float[Tensor, ""]:
    """Return how far the masks' largest values in rows and columns are from those of their ``boxes``.

    The sum of two dice losses with squares in the divisor, averaged over masks.
    """
    probabilities, boxes = logits.float().sigmoid(), boxes.float()
    losses = []
    for axis in (1, 2):
        found, wanted = probabilities.amax(dim=axis), boxes.amax(dim=axis)  # n _
        total = (found**2).sum(dim=1) + (wanted**2).sum(dim=1) + _EPS
        losses.append(1 - 2 * (found * wanted).sum(dim=1) / total)
    return (losses[0] + losses[1]).mean()


def pairwise_loss(
    logits: Float[Tensor, "n h w"],
    boxes: Shaped[Tensor, "n h w"],
    similarity: Float[Tensor, "n k h w"],
) -> Float[Tensor, ""]:
    """Return how unlikely cells in ``boxes`` and their similar neighbours are to be on the same side.

    Minus the logarithm of the probability that both are inside or both outside, averaged over pairs.
    """
    inside, outside = F.logsigmoid(logits.float()[:, None]), F.logsigmoid(-logits.float()[:, None])
    both_inside, both_outside = (part + _neighbours(part)[:, 0] for part in (inside, outside))  # n k h w
    counted = (similarity >= SIMILAR).float() * boxes.float()[:, None]
    return -(torch.logaddexp(both_inside, both_outside) * counted).sum() / counted.sum().clamp(min=1)


def _neighbours(maps: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c 8 h w"]:
    """Return the eight neighbours of each cell, 0 beyond the edges."""
    height, width = maps.shape[-2:]
    columns = F.unfold(maps, 3, dilation=DILATION, padding=DILATION)  # b (c 9) (h w)
    cells = columns.unflatten(1, (maps.shape[1], 9)).unflatten(-1, (height, width))
    return torch.cat((cells[:, :, :4], cells[:, :, 5:]), dim=2)
