"""J and F of label maps: every object of a frame, or all pairs of objects, from the same packed bits.

Legend: n annotated objects, q predicted objects, H W pixels, w words of a row.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, UInt8, UInt64

from deixis.metrics.contour import (
    TOLERANCE,
    compare_pair,
    f_measure,
    packed_boundary,
    tolerance_radius,
)
from deixis.metrics.packed import count, dilate, pack
from deixis.metrics.region import similarity_of_counts


def pack_labels(labels: UInt8[np.ndarray, "H W"], ids: Sequence[int]) -> UInt64[np.ndarray, "n H w"]:
    """Pack the mask of each id, above 0, of a label map."""
    height, width = labels.shape
    words = np.zeros((len(ids), height, -(-width // 64)), np.uint64)
    rows = labels.max(axis=1).nonzero()[0]
    if not rows.size:
        return words
    shown = slice(int(rows[0]), int(rows[-1]) + 1)
    # Rows of whole words: each mask is packed in one go.
    masks = np.zeros((shown.stop - shown.start, words.shape[-1] * 64), bool)
    for packed, label in zip(words, ids, strict=True):
        np.equal(labels[shown], label, out=masks[:, :width])
        packed[shown] = pack(masks)
    return words


def score_packed(
    prediction: UInt64[np.ndarray, "*n H w"],
    annotation: UInt64[np.ndarray, "*n H w"],
    size: tuple[int, ...],
    tolerance: float = TOLERANCE,
) -> tuple[Float[np.ndarray, "*n"], Float[np.ndarray, "*n"]]:
    """Return J and F of each pair of packed masks of ``size`` (height, width)."""
    leading, shape = prediction.shape[:-2], prediction.shape[-2:]
    radius = tolerance_radius(size[0], size[1], tolerance)
    pairs = zip(prediction.reshape(-1, *shape), annotation.reshape(-1, *shape), strict=True)
    counts = [compare_pair(first, second, size[1], radius) for first, second in pairs]
    intersection, union, *matches = np.array(counts, np.int64).reshape(-1, 6).T
    return (
        similarity_of_counts(intersection, union).reshape(leading),
        f_measure(*matches).reshape(leading),
    )


class _Part(NamedTuple):
    """What a mask is in all of its pairs: pixels, contour, what is near the contour, and where that lies."""

    area: int
    contour_length: int
    mask: UInt64[np.ndarray, "H w"]
    contour: UInt64[np.ndarray, "H w"]
    near: UInt64[np.ndarray, "H w"]
    box: tuple[slice, slice]


def score_all_pairs(
    prediction: UInt64[np.ndarray, "q H w"],
    annotation: UInt64[np.ndarray, "n H w"],
    size: tuple[int, ...],
    tolerance: float = TOLERANCE,
) -> tuple[Float[np.ndarray, "q n"], Float[np.ndarray, "q n"]]:
    """Return J and F of every prediction against every annotation.

    A mask's contour is found and dilated once, and pairs are counted where both have pixels: the cost grows
    with ``q + n`` rather than with ``q * n``.
    """
    radius = tolerance_radius(*size, tolerance)
    predicted, annotated = (
        [_describe(mask, size[1], radius) for mask in masks] for masks in (prediction, annotation)
    )
    pairs = [[_count_pair(first, second) for second in annotated] for first in predicted]
    counts = np.array(pairs, np.int64).reshape(len(prediction), len(annotation), 3)
    areas, lengths = (
        [np.array([part[place] for part in parts], np.int64) for parts in (predicted, annotated)]
        for place in (0, 1)
    )
    intersection = counts[..., 0]
    region = similarity_of_counts(intersection, areas[0][:, None] + areas[1] - intersection)
    shape = intersection.shape
    first, second = np.broadcast_to(lengths[0][:, None], shape), np.broadcast_to(lengths[1], shape)
    return region, f_measure(first, counts[..., 1], second, counts[..., 2])


def _describe(mask: UInt64[np.ndarray, "H w"], width: int, radius: int) -> _Part:
    contour = packed_boundary(mask, width)
    area, length = int(count(mask)), int(count(contour))
    if not area:
        nowhere = (slice(0, 0), slice(0, 0))
        return _Part(0, 0, mask, contour, contour, nowhere)
    rows = np.flatnonzero(np.bitwise_or.reduce(mask | contour, axis=1))
    columns = np.flatnonzero(np.bitwise_or.reduce(mask | contour, axis=0))
    top, left = max(rows[0] - radius, 0), max(columns[0] - _num_words(radius), 0)
    box = (slice(top, rows[-1] + 1 + radius), slice(left, columns[-1] + 1 + _num_words(radius)))
    near = np.zeros_like(mask)
    near[box] = dilate(contour[box], radius)
    return _Part(area, length, mask, contour, near, box)


def _num_words(num_pixels: int) -> int:
    return -(-num_pixels // 64)


def _count_pair(first: _Part, second: _Part) -> tuple[int, int, int]:
    """Count the pixels of both masks, of the first contour near the second, and the other way around."""
    rows, columns = (
        slice(max(a.start, b.start), min(a.stop, b.stop)) for a, b in zip(first.box, second.box, strict=True)
    )
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return 0, 0, 0
    box = (rows, columns)
    return (
        int(count(first.mask[box] & second.mask[box])),
        int(count(first.contour[box] & second.near[box])),
        int(count(second.contour[box] & first.near[box])),
    )
