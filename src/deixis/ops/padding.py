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


def padded_to(size: tuple[int, int], multiple: int) -> tuple[int, int]:
    """Return height and width rounded up to multiples of ``multiple``."""
    return size[0] + -size[0] % multiple, size[1] + -size[1] % multiple


def pad_to_multiple(
    clips: Float[Tensor, "b t c H W"], padding_mask: Bool[Tensor, "b t H W"], multiple: int
) -> tuple[Float[Tensor, "b t c H2 W2"], Bool[Tensor, "b t H2 W2"]]:
    """Pad stacked clips with zeros until height and width are multiples of ``multiple``."""
    height, width = padded_to((clips.shape[-2], clips.shape[-1]), multiple)
    missing = (0, width - clips.shape[-1], 0, height - clips.shape[-2])
    return F.pad(clips, missing), F.pad(padding_mask, missing, value=True)


def unpadded_sizes(padding_mask: Bool[Tensor, "b t H W"]) -> Float[Tensor, "b 2"]:
    """Return width and height of the frames of each clip without padding, from its first frame."""
    valid = ~padding_mask[:, 0]
    return torch.stack((valid[:, 0].sum(dim=-1), valid[:, :, 0].sum(dim=-1)), dim=-1).float()


def resize_padding_mask(
    padding_mask: Bool[Tensor, "b t H W"], size: tuple[int, int]
) -> Bool[Tensor, "b t h w"]:
    """Bring a padding mask to the ``size`` (h, w) of a feature map, by nearest neighbour."""
    return F.interpolate(padding_mask.float(), size=size, mode="nearest").bool()
