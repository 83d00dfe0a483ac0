"""Masks as bits: 64 pixels of a row in one word, so that counts and dilations take few operations.

Legend: t any leading axes (frames, objects), H W pixels, w words of a row (``ceil(W / 64)``).
Pixel x of a row is bit ``x % 64`` of word ``x // 64``; bits beyond W are 0.
"""

from collections.abc import Mapping
from functools import lru_cache
from math import isqrt
from types import MappingProxyType

import numpy as np
from jaxtyping import Bool, Int, Shaped, UInt64

_WORD = np.dtype("<u8")
_ONE, _LAST = np.uint64(1), np.uint64(63)


def pack(masks: Shaped[np.ndarray, "*t H W"]) -> UInt64[np.ndarray, "*t H w"]:
    """Pack masks; any non-zero pixel is foreground."""
    width = masks.shape[-1]
    if width % 64 == 0 and masks.flags.c_contiguous:
        return np.packbits(masks, bitorder="little").view(_WORD).reshape(*masks.shape[:-1], width // 64)
    octets = np.packbits(masks, axis=-1, bitorder="little")
    filled = octets.shape[-1]
    padded = np.zeros((*octets.shape[:-1], -(-filled // 8) * 8), np.uint8)
    padded[..., :filled] = octets
    return padded.view(_WORD)


def unpack(words: UInt64[np.ndarray, "*t H w"], width: int) -> Bool[np.ndarray, "*t H W"]:
    """Undo :func:`pack` for rows of ``width`` pixels."""
    octets = np.ascontiguousarray(words).view(np.uint8)
    return np.unpackbits(octets, axis=-1, count=width, bitorder="little").astype(bool)


def count(words: UInt64[np.ndarray, "*t H w"]) -> Int[np.ndarray, "*t"]:
    """Count the pixels of each mask."""
    return np.asarray(np.bitwise_count(words).sum(axis=(-2, -1), dtype=np.int64))


def has_pixels(words: UInt64[np.ndarray, "*t H w"]) -> Bool[np.ndarray, "*t"]:
    """Tell which masks have a pixel."""
    return np.asarray(np.bitwise_or.reduce(words, axis=(-2, -1)) != 0)


def crop_to_content(
    first: UInt64[np.ndarray, "H w"], second: UInt64[np.ndarray, "H w"], width: int
) -> tuple[UInt64[np.ndarray, "2 h v"], int]:
    """Cut two masks to the joint box of their pixels, with a margin of a row and of a pixel at least.

    Returns:
        Both masks, and the width in pixels of what they show; nothing at all of two empty masks.
    """
    either = first | second
    rows = np.bitwise_or.reduce(either, axis=1).nonzero()[0]
    if not rows.size:
        return np.empty((2, 0, 0), np.uint64), width
    columns = np.bitwise_or.reduce(either, axis=0).nonzero()[0]
    top, left = max(int(rows[0]) - 1, 0), max(int(columns[0]) - 1, 0)
    bottom, right = int(rows[-1]) + 2, min(int(columns[-1]) + 2, first.shape[1])
    box = (slice(top, bottom), slice(left, right))
    pair = np.empty((2, *first[box].shape), np.uint64)
    pair[0], pair[1] = first[box], second[box]
    return pair, min(right * 64, width) - left * 64


def shift_right(words: UInt64[np.ndarray, "*t w"]) -> UInt64[np.ndarray, "*t w"]:
    """Move every pixel one column to the right; what leaves the last word is lost."""
    shifted = words << _ONE
    shifted[..., 1:] |= words[..., :-1] >> _LAST
    return shifted


def shift_left(words: UInt64[np.ndarray, "*t w"]) -> UInt64[np.ndarray, "*t w"]:
    """Move every pixel one column to the left; what leaves the first word is lost."""
    shifted = words >> _ONE
    shifted[..., :-1] |= words[..., 1:] << _LAST
    return shifted


def dilate(words: UInt64[np.ndarray, "*t H w"], radius: int) -> UInt64[np.ndarray, "*t H w"]:
    """Dilate by the disk ``dx^2 + dy^2 <= radius^2``; pixels outside the image count as background.

    The disk is a stack of rows: a row at distance dy has the half width ``isqrt(radius^2 - dy^2)``. Rows are
    dilated sideways in growing steps, and each stage is laid down at every dy that has its half width. Rows
    lie end to end with empty words between them: a step in any direction is a shift of one long array.
    Bits beyond the image's width may be set in the result.
    """
    height, num_words = words.shape[-2:]
    # What leaves a row to the right and what enters from the next row must not meet: 2 * radius empty pixels.
    stride = num_words + -(-2 * max(radius, 1) // 64)
    padded = np.zeros((*words.shape[:-1], stride), np.uint64)
    padded[..., :num_words] = words
    sideways = padded.reshape(-1, height * stride)
    result, half_width = np.zeros_like(sideways), 0
    for wanted, distances in _rows_of_disk(radius).items():
        while half_width < wanted:
            # Any step up to 2 * half_width + 1 leaves no gap between the shifted copies.
            step = min(wanted - half_width, 2 * half_width + 1, 63)
            sideways = _spread_sideways(sideways, step)
            half_width += step
        for offset in (dy * stride for dy in distances if dy < height):
            result[:, offset:] |= sideways[:, : height * stride - offset]
            if offset:
                result[:, :-offset] |= sideways[:, offset:]
    return np.ascontiguousarray(result.reshape(padded.shape)[..., :num_words])


def _spread_sideways(words: UInt64[np.ndarray, "t l"], step: int) -> UInt64[np.ndarray, "t l"]:
    """Add the pixels ``step`` columns to either side of every pixel; rows follow each other."""
    near, far = np.uint64(step), np.uint64(64 - step)
    spread = words << near
    spread |= words
    spread |= words >> near
    spread[:, 1:] |= words[:, :-1] >> far
    spread[:, :-1] |= words[:, 1:] << far
    return spread


@lru_cache(maxsize=64)
def _rows_of_disk(radius: int) -> Mapping[int, tuple[int, ...]]:
    """Map each half width of the disk's rows, growing, to the distances dy at which it occurs."""
    rows: dict[int, tuple[int, ...]] = {}
    for dy in range(radius, -1, -1):
        half_width = isqrt(radius * radius - dy * dy)
        rows[half_width] = (*rows.get(half_width, ()), dy)
    return MappingProxyType(rows)
