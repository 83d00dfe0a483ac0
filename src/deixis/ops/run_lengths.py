"""Masks as COCO run lengths, without torch.

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
    """Decode COCO run lengths of masks of one size, compressed or lists that begin with background.

    Raises:
        ValueError: there is no mask, their sizes differ, or a list has another number of pixels.
    """
    from pycocotools import mask as coco

    sizes = {tuple(code["size"]) for code in codes}
    if len(sizes) != 1:
        raise ValueError(f"need masks of one size, got {sorted(sizes) or 'none'}")
    columns = coco.decode([_compressed(code) for code in codes])  # H W n
    return np.ascontiguousarray(columns.transpose(2, 0, 1)).astype(bool)


def _compressed(code: Mapping[str, Any]) -> dict[str, Any]:
    """Return compressed run lengths of ``code``, whose counts may be a list."""
    if not isinstance(code["counts"], list):
        return dict(code)
    from pycocotools import mask as coco

    height, width = code["size"]
    if sum(code["counts"]) != height * width:
        raise ValueError(f"run lengths of {sum(code['counts'])} pixels in a mask of {height}x{width}")
    return coco.frPyObjects(dict(code), height, width)
