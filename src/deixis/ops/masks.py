"""Mask logits to masks of the video's own size, and masks to run lengths.

Axes: n masks, h w cells, H W pixels of the original frames.
"""

import math
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F

from deixis.ops.run_lengths import decode_rle as decode_rle
from deixis.ops.run_lengths import encode_rle as encode_array


def masks_at_size(
    mask_logits: Float[Tensor, "*n h w"],
    padded_size: tuple[int, ...],
    resized_size: tuple[int, ...],
    original_size: tuple[int, ...],
    threshold: float = 0.5,
) -> Bool[Tensor, "*n H W"]:
    """Turn mask logits into masks of the original frames, as MTTR does (sections 6 and 7).

    Logits are brought to the padded input (bilinear), thresholded, cropped to the part that is not padding,
    and the masks brought to the original size (nearest).

    Args:
        mask_logits: over the padded input.
        padded_size: height and width of the network's input.
        resized_size: height and width of the frame in it, without padding.
        original_size: height and width of the frame as it was read.
        threshold: a pixel belongs to a mask above this probability.
    """
    batch = mask_logits.shape[:-2]
    if not mask_logits.numel():
        return torch.zeros(*batch, *original_size, dtype=torch.bool, device=mask_logits.device)
    logits = mask_logits.reshape(1, -1, *mask_logits.shape[-2:])
    if logits.shape[-2:] != padded_size:
        logits = F.interpolate(logits, size=padded_size, mode="bilinear", align_corners=False)
    masks = logits[..., : resized_size[0], : resized_size[1]] > _logit(threshold)
    if resized_size != original_size:
        masks = F.interpolate(masks.to(torch.uint8), size=original_size, mode="nearest").bool()
    return masks.reshape(*batch, *original_size)


def stretched_masks(
    mask_logits: Float[Tensor, "*n h w"], original_size: tuple[int, ...], threshold: float = 0.5
) -> Bool[Tensor, "*n H W"]:
    """Turn mask logits into masks of the original frames in one step, as ReferFormer does for whole videos.

    The whole map is stretched over the frame (bilinear) and thresholded; for inputs without padding.

    Args:
        mask_logits: over the input.
        original_size: height and width of the frame as it was read.
        threshold: a pixel belongs to a mask above this probability.
    """
    batch = mask_logits.shape[:-2]
    if not mask_logits.numel():
        return torch.zeros(*batch, *original_size, dtype=torch.bool, device=mask_logits.device)
    logits = mask_logits.reshape(1, -1, *mask_logits.shape[-2:])
    full = F.interpolate(logits, size=original_size, mode="bilinear", align_corners=False)
    return (full > _logit(threshold)).reshape(*batch, *original_size)


def probabilities_at_size(
    mask_logits: Float[Tensor, "*n h w"],
    padded_size: tuple[int, ...],
    resized_size: tuple[int, ...],
    original_size: tuple[int, ...],
) -> Float[Tensor, "*n H W"]:
    """Return the probabilities that :func:`masks_at_size` puts its threshold to (arguments: see there)."""
    batch = mask_logits.shape[:-2]
    if not mask_logits.numel():
        return mask_logits.new_zeros(*batch, *original_size)
    logits = mask_logits.reshape(1, -1, *mask_logits.shape[-2:])
    if logits.shape[-2:] != padded_size:
        logits = F.interpolate(logits, size=padded_size, mode="bilinear", align_corners=False)
    logits = logits[..., : resized_size[0], : resized_size[1]]
    if resized_size != original_size:
        logits = F.interpolate(logits, size=original_size, mode="nearest")
    return logits.sigmoid().reshape(*batch, *original_size)


def smooth_probabilities(
    mask_logits: Float[Tensor, "*n h w"],
    padded_size: tuple[int, ...],
    resized_size: tuple[int, ...],
    original_size: tuple[int, ...],
) -> Float[Tensor, "*n H W"]:
    """Return the probabilities that UniRef puts its threshold to (UniRef, code).

    Logits are brought to the padded input, and probabilities without padding to the original size, both
    bilinearly (arguments: see :func:`masks_at_size`).
    """
    inside = probabilities_at_size(mask_logits, padded_size, resized_size, resized_size)
    if resized_size == original_size:
        return inside
    if not inside.numel():
        return inside.new_zeros(*inside.shape[:-2], *original_size)
    maps = inside.reshape(1, -1, *inside.shape[-2:])
    full = F.interpolate(maps, size=original_size, mode="bilinear", align_corners=False)
    return full.reshape(*inside.shape[:-2], *original_size)


def stretched_probabilities(
    mask_logits: Float[Tensor, "*n h w"], original_size: tuple[int, ...]
) -> Float[Tensor, "*n H W"]:
    """Return the probabilities that :func:`stretched_masks` puts its threshold to (arguments: see there)."""
    batch = mask_logits.shape[:-2]
    logits = mask_logits.reshape(1, -1, *mask_logits.shape[-2:])
    full = F.interpolate(logits, size=original_size, mode="bilinear", align_corners=False)
    return full.sigmoid().reshape(*batch, *original_size)


def aligned_upsample(maps: Float[Tensor, "n c h w"], factor: int) -> Float[Tensor, "n c _h _w"]:
    """Enlarge maps by ``factor`` with the cell (i, j) at (factor i + factor // 2, ...) (CondInst)."""
    height, width = maps.shape[-2:]
    maps = F.pad(maps, (0, 1, 0, 1), mode="replicate")
    size = (factor * height + 1, factor * width + 1)
    maps = F.interpolate(maps, size=size, mode="bilinear", align_corners=True)
    shift = factor // 2
    maps = F.pad(maps, (shift, 0, shift, 0), mode="replicate")
    return maps[..., : factor * height, : factor * width]


def masks_at_stride(
    masks: Bool[Tensor, "*n H W"], size: tuple[int, int], stride: int
) -> Bool[Tensor, "*n h w"]:
    """Take one pixel of each cell of ``stride``, the middle one: true masks as small as predicted ones.

    The masks are padded or cut at the right and bottom to the ``size`` (h, w) of the predictions.
    """
    height, width = stride * size[0], stride * size[1]
    padded = F.pad(masks, (0, width - masks.shape[-1], 0, height - masks.shape[-2]))
    return padded[..., stride // 2 :: stride, stride // 2 :: stride]


def _logit(probability: float) -> float:
    return math.log(probability / (1 - probability))


def encode_rle(masks: Bool[np.ndarray, "n H W"] | Bool[Tensor, "n H W"]) -> list[dict[str, Any]]:
    """Encode masks as compressed COCO run lengths (column-major), ``counts`` as text that JSON can hold."""
    return encode_array(masks.cpu().numpy() if isinstance(masks, Tensor) else masks)
