"""Where a cell or a word lies, as channels of sines and cosines.

Axes: b clips, t frames, n maps or sentences, h w cells, s words, c channels.
"""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn


def sine_position_2d(
    padding_mask: Bool[Tensor, "n h w"],
    channels: int,
    *,
    offset: float = 0.0,
    temperature: float = 10_000.0,
    eps: float = 1e-6,
) -> Float[Tensor, "n h w c"]:
    """Encode rows and columns, counted over the cells that are not padding and normalised to [0, 2 pi].

    The first half of the channels is of the row, the second of the column; even channels are sines, odd ones
    cosines (DETR, appendix A.4).

    Args:
        padding_mask: True on padding.
        channels: how many, a multiple of 4.
        offset: added to the counts before they are normalised: 0 in MTTR, -0.5 in Deformable DETR.
        temperature: the longest wave, in units of the shortest.
        eps: added to the largest count.

    Returns:
        float32 encodings, finite also where a whole map is padding.
    """
    valid = (~padding_mask).float()
    rows, columns = valid.cumsum(1), valid.cumsum(2)
    rows = (rows + offset) / (rows[:, -1:, :] + eps) * (2 * math.pi)
    columns = (columns + offset) / (columns[:, :, -1:] + eps) * (2 * math.pi)
    pairs = torch.arange(channels // 4, dtype=torch.float32, device=padding_mask.device)
    divisors = temperature ** (2 * pairs / (channels // 2))  # c/4
    halves = []
    for counts in (rows, columns):
        phases = counts[..., None] / divisors  # n h w c/4
        halves.append(torch.stack((phases.sin(), phases.cos()), dim=-1).flatten(-2))  # n h w c/2
    return torch.cat(halves, dim=-1)


def sine_position_of_boxes(
    boxes: Float[Tensor, "*n 4"], channels: int, *, temperature: float = 10_000.0
) -> Float[Tensor, "*n c"]:
    """Encode boxes (cx, cy, w, h) in [0, 1], each number in a quarter of the ``channels`` (Deformable DETR).

    Even channels are sines, odd ones cosines.
    """
    pairs = torch.arange(channels // 8, dtype=torch.float32, device=boxes.device)
    phases = (boxes * (2 * math.pi))[..., None] / temperature ** (2 * pairs / (channels // 4))  # *n 4 c/8
    return torch.stack((phases.sin(), phases.cos()), dim=-1).flatten(-3)


def sine_position_1d(
    padding_mask: Bool[Tensor, "n s"], channels: int, *, temperature: float = 10_000.0, eps: float = 1e-6
) -> Float[Tensor, "n s c"]:
    """Encode the places of words, counted over those that are not padding and normalised to [0, 2 pi].

    Even channels are sines, odd ones cosines (ReferFormer, section 4).

    Returns:
        float32 encodings; padded places get that of the last word.
    """
    counts = (~padding_mask).float().cumsum(1)
    counts = counts / (counts[:, -1:] + eps) * (2 * math.pi)
    pairs = torch.arange(channels // 2, dtype=torch.float32, device=padding_mask.device)
    phases = counts[..., None] / temperature ** (2 * pairs / channels)  # n s c/2
    return torch.stack((phases.sin(), phases.cos()), dim=-1).flatten(-2)


def project_and_place(
    features: Float[Tensor, "b t _c h w"], projection: nn.Conv2d, padding_mask: Bool[Tensor, "b t h w"]
) -> Float[Tensor, "b t c h w"]:
    """Project the cells of every frame by itself, and add where they are: the video tokens of MTTR."""
    projected = projection(features.flatten(0, 1))  # (b t) c h w
    places = sine_position_2d(padding_mask.flatten(0, 1), projected.shape[1]).permute(0, 3, 1, 2)
    return (projected + places.to(projected.dtype)).unflatten(0, features.shape[:2])
