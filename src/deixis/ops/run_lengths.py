"""Masks as compressed COCO run lengths, without torch.

Axes: n masks, H W pixels.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool


def encode_rle(masks: Bool[np.ndarray, "n H W"]) -> list[dict[str, Any]]:
    """Encode masks as compressed COCO run lengths (column-major), ``counts`` as text that JSON can hold."""
    from pycocotools import mask as coco

    if not len(masks):
        return []
    columns = np.asfortranarray(masks.astype(np.uint8).transpose(1, 2, 0))  # H W n
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
