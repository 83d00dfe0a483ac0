"""Masks of several objects into one label map, in the ways that papers do it (metrics, section 5.5).

Legend: n objects, t any axes of frames, H W pixels.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from jaxtyping import Bool, Float, UInt8

BACKGROUND_SCORE = 0.1
"""What the background scores everywhere in ReferFormer's merging."""


def paint_in_order(masks: Bool[np.ndarray, "n *t H W"]) -> UInt8[np.ndarray, "*t H W"]:
    """Paint masks one after the other: where they overlap, the higher id is seen (HINet on DAVIS-17).

    Object ``i`` of the first axis gets the id ``i + 1``.
    """
    labels = np.zeros(masks.shape[1:], np.uint8)
    for index, mask in enumerate(masks):
        labels[mask] = index + 1
    return labels


def merge_by_threshold(probabilities: Float[np.ndarray, "n *t H W"]) -> UInt8[np.ndarray, "*t H W"]:
    """Give a pixel to the object of the highest probability of at least a half (ReferFormer on Ref-DAVIS17).

    Ties go to the lower id.
    """
    kept = np.where(probabilities < 0.5, probabilities.dtype.type(0), probabilities)
    background = np.full((1, *kept.shape[1:]), BACKGROUND_SCORE, kept.dtype)
    return np.concatenate([background, kept]).argmax(axis=0).astype(np.uint8)


def merge_by_product(probabilities: Float[np.ndarray, "n *t H W"]) -> UInt8[np.ndarray, "*t H W"]:
    """Give a pixel to the highest of the objects and of the background ``prod(1 - p)`` (UniRef; as STCN).

    An object may win with less than a half. Ties go to the background, then to the lower id.
    """
    background = np.prod(1 - probabilities, axis=0, keepdims=True, dtype=probabilities.dtype)
    return np.concatenate([background, probabilities]).argmax(axis=0).astype(np.uint8)


def merge_in_order(probabilities: Float[np.ndarray, "n *t H W"]) -> UInt8[np.ndarray, "*t H W"]:
    """Paint the objects of a probability above a half in the order of their ids."""
    return paint_in_order(probabilities > 0.5)


MERGES: Mapping[str, Callable[[Float[np.ndarray, "n *t H W"]], UInt8[np.ndarray, "*t H W"]]] = {
    "threshold-argmax": merge_by_threshold,
    "product-background": merge_by_product,
    "higher-id-overrides": merge_in_order,
}
"""The ways of merging by name."""


def paint(masks: Bool[np.ndarray, "n *t H W"], ids: Sequence[int]) -> UInt8[np.ndarray, "*t H W"]:
    """Paint the masks of objects of any ids in increasing order of the ids."""
    order = np.argsort(ids, kind="stable")
    table = np.array([0, *(ids[place] for place in order)], np.uint8)
    return table[paint_in_order(masks[order])]
