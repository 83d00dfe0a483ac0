"""Mask logits to masks of the video's own size, and masks to run lengths.

Axes: n masks, h w cells, H W pixels of the original frames.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F


def masks_at_size(
    mask_logits: Float[Tensor, "*n h w"],
    padded_size: tuple[int, ...],
    resized_size: tuple[int, ...],
    original_size: tuple[int, ...],
) -> Bool[Tensor, "*n H W"]:
    """Turn mask logits into masks of the original frames, as MTTR does (sections 6 and 7).

    Logits are brought to the padded input (bilinear), thresholded at 0 (a probability of one half), cropped
    to the part that is not padding, and the masks brought to the original size (nearest).

    Args:
        mask_logits: over the padded input.
        padded_size: height and width of the network's input.
        resized_size: height and width of the frame in it, without padding.
        original_size: height and width of the frame as it was read.
    """
    batch = mask_logits.shape[:-2]
    if not mask_logits.numel():
        return torch.zeros(*batch, *original_size, dtype=torch.bool, device=mask_logits.device)
    logits = mask_logits.reshape(1, -1, *mask_logits.shape[-2:])
    if logits.shape[-2:] != padded_size:
        logits = F.interpolate(logits, size=padded_size, mode="bilinear", align_corners=False)
    masks = logits[..., : resized_size[0], : resized_size[1]] > 0
    if resized_size != original_size:
        masks = F.interpolate(masks.to(torch.uint8), size=original_size, mode="nearest").bool()
    return masks.reshape(*batch, *original_size)


def encode_rle(masks: Bool[np.ndarray, "n H W"] | Bool[Tensor, "n H W"]) -> list[dict[str, Any]]:
    """Encode masks as compressed COCO run lengths (column-major), ``counts`` as text that JSON can hold."""
    from pycocotools import mask as coco

    array = masks.cpu().numpy() if isinstance(masks, Tensor) else masks
    if not len(array):
        return []
    columns = np.asfortranarray(array.astype(np.uint8).transpose(1, 2, 0))  # H W n
    return [
        {"size": [int(side) for side in code["size"]], "counts": code["counts"].decode("ascii")}
        for code in coco.encode(columns)
    ]


def decode_rle(codes: Sequence[Mapping[str, Any]]) -> Bool[np.ndarray, "n H W"]:
    """Decode compressed COCO run lengths of masks of one size.

    Raises:
        ValueError: there is no mask, or their sizes differ.
    """
    from pycocotools import mask as coco

    sizes = {tuple(code["size"]) for code in codes}
    if len(sizes) != 1:
        raise ValueError(f"need masks of one size, got {sorted(sizes) or 'none'}")
    return np.ascontiguousarray(coco.decode([dict(code) for code in codes]).transpose(2, 0, 1)).astype(bool)
