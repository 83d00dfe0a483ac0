"""Disturbances of training that keep the network from trusting one cue.

Axes: n frames, H W network pixels.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F


def disturb_flow(vectors: Float[Tensor, "n 4 H W"], noise: float) -> Float[Tensor, "n 4 H W"]:
    """Turn the vectors of each frame by an angle of its own, exchange directions in half, add smooth noise.

    The network must find what moves, wherever it moves to; which way is measured, not learned. ``noise`` is
    the largest standard deviation, in pixels at 128 rows.
    """
    n, _, height, width = vectors.shape
    pairs = vectors.unflatten(1, (2, 2))  # n 2 2 H W: direction, component
    angle = torch.rand(n, device=vectors.device) * 2 * math.pi
    turn = torch.stack((angle.cos(), -angle.sin(), angle.sin(), angle.cos()), dim=1).unflatten(1, (2, 2))
    pairs = torch.einsum("nij,ndjhw->ndihw", turn, pairs)
    swapped = (torch.rand(n, device=vectors.device) < 0.5)[:, None, None, None, None]
    pairs = torch.where(swapped, pairs.flip(1), pairs)
    coarse = torch.randn(n, 4, max(height // 16, 2), max(width // 16, 2), device=vectors.device)
    smooth = F.interpolate(coarse, size=(height, width), mode="bilinear", align_corners=False)
    strength = torch.rand(n, 1, 1, 1, device=vectors.device) * noise * height / 128
    return pairs.flatten(1, 2) + strength * smooth


def disturb_colours(colours: Float[Tensor, "n 3 H W"], blank_rate: float) -> Float[Tensor, "n 3 H W"]:
    """Take the colour from a quarter of the frames, change the brightness, hide some frames altogether."""
    n = len(colours)
    chance = torch.rand(n, 1, 1, 1, device=colours.device)
    colours = torch.where(chance < 0.25, colours.mean(dim=1, keepdim=True), colours)
    gamma = torch.exp(0.3 * torch.randn(n, 1, 1, 1, device=colours.device))
    colours = 2 * ((colours + 1) / 2).clamp(min=1e-3) ** gamma - 1
    return torch.where(chance > 1 - blank_rate, 0.0, colours)
