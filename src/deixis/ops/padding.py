"""Clips of different sizes and lengths in one tensor, with the mask that tells where they end.

Axes: b clips, t frames, c channels, H W pixels, h w cells.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F


def stack_clips(
    clips: Sequence[Float[Tensor, "_t c _h _w"]],
) -> tuple[Float[Tensor, "b t c H W"], Bool[Tensor, "b t H W"]]:
    """Pad ``clips`` with zeros at the bottom, the right and the end of time, and stack them.

    Returns:
        The stacked clips and their padding mask, True on padding.

    Raises:
        ValueError: there is no clip.
    """
    if not clips:
        raise ValueError("there is no clip to stack")
    t, height, width = (max(clip.shape[axis] for clip in clips) for axis in (0, 2, 3))
    stacked = clips[0].new_zeros(len(clips), t, clips[0].shape[1], height, width)
    padding_mask = torch.ones(len(clips), t, height, width, dtype=torch.bool, device=stacked.device)
    for index, clip in enumerate(clips):
        frames, _, rows, columns = clip.shape
        stacked[index, :frames, :, :rows, :columns] = clip
        padding_mask[index, :frames, :rows, :columns] = False
    return stacked, padding_mask


def resize_padding_mask(
    padding_mask: Bool[Tensor, "b t H W"], size: tuple[int, int]
) -> Bool[Tensor, "b t h w"]:
    """Bring a padding mask to the ``size`` (h, w) of a feature map, by nearest neighbour."""
    return F.interpolate(padding_mask.float(), size=size, mode="nearest").bool()
