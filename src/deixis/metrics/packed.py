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
    return np.bitwise_count(words).sum(axis=(-2, -1), dtype=np.int64)


def has_pixels(words: UInt64[np.ndarray, "*t H w"]) -> Bool[np.ndarray, "*t"]:
    """Tell which masks have a pixel."""
    return np.bitwise_or.reduce(words, axis=(-2, -1)) != 0


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
    dilated sideways one pixel at a time, and each stage is laid down at every dy that has its half width.
    Bits beyond the image's width may be set in the result.
    """
    height = words.shape[-2]
    result = np.zeros_like(words)
    sideways, left, right = words.copy(), words, words
    for half_width in range(radius + 1):
        if half_width:
            left, right = shift_left(left), shift_right(right)
            sideways |= left
            sideways |= right
        for dy in _rows_of_disk(radius).get(half_width, ()):
            if dy >= height:
                continue
            result[..., dy:, :] |= sideways[..., : height - dy, :]
            result[..., : height - dy, :] |= sideways[..., dy:, :]
    return result


@lru_cache(maxsize=64)
def _rows_of_disk(radius: int) -> Mapping[int, tuple[int, ...]]:
    """Map each half width of the disk's rows to the distances dy at which it occurs."""
    rows: dict[int, tuple[int, ...]] = {}
    for dy in range(radius + 1):
        half_width = isqrt(radius * radius - dy * dy)
        rows[half_width] = (*rows.get(half_width, ()), dy)
    return MappingProxyType(rows)
