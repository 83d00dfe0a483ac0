"""What training does to the frames of a clip, alike in all of them: mirror, colour, size.

Axes: t frames, k annotated ones, n objects, H W pixels.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from jaxtyping import UInt8

from deixis.ops.words import swap_sides, swap_sides_published

from .clips import Sample

WORD_SWAPS: dict[str, Callable[[str], str]] = {
    "whole-word": swap_sides,
    "published-substring": swap_sides_published,
}
"""How expressions change when a clip is mirrored."""


def transform(
    sample: Sample,
    generator: np.random.Generator,
    *,
    short_side: int,
    long_side: int,
    flip: float = 0.0,
    swap_words: str = "whole-word",
    colour_jitter: float = 0.0,
) -> Sample:
    """Mirror with probability ``flip``, jitter the colours, then resize by the rule of ``ops.resize``."""
    is_mirrored = generator.random() < flip
    jitter = generator.uniform(-colour_jitter, colour_jitter, 5)
    if is_mirrored:
        sample = mirror(sample, WORD_SWAPS[swap_words])
    if colour_jitter > 0:
        sample = replace(sample, frames=jitter_colours(sample.frames, *jitter))
    return resize(sample, short_side, long_side)


def mirror(sample: Sample, swap: Callable[[str], str] = swap_sides) -> Sample:
    """Flip frames and masks from left to right, and ``swap`` the sides that the expressions name."""
    return replace(
        sample,
        frames=sample.frames[:, :, ::-1],
        masks=sample.masks[..., ::-1],
        expressions=tuple(swap(expression) for expression in sample.expressions),
    )


def jitter_colours(
    frames: UInt8[np.ndarray, "t H W 3"],
    brightness: float,
    contrast: float,
    red: float,
    green: float,
    blue: float,
) -> UInt8[np.ndarray, "t H W 3"]:
    """Scale around mid-grey by ``1 + contrast``, then each channel by ``1 + brightness + its own third``.

    All arguments are relative changes; 0 changes nothing.
    """
    levels = np.arange(256, dtype=np.float32)
    contrasted = 128 + (levels - 128) * (1 + contrast)
    gains = [1 + brightness + gain / 3 for gain in (red, green, blue)]
    changed = np.empty(frames.shape, np.uint8)
    for channel, gain in enumerate(gains):
        table = np.clip(contrasted * gain, 0, 255).round().astype(np.uint8)
        changed[..., channel] = table[frames[..., channel]]
    return changed


def resize(sample: Sample, short_side: int, long_side: int) -> Sample:
    """Resize frames (bilinear with antialiasing, in uint8) and masks (nearest) by the published size rule."""
    sides = sample.frames.shape[1:3]
    if min(sides) == short_side and max(sides) <= long_side:
        return sample
    from deixis.ops.resize import resize_frames, resize_masks, resized_size

    size = resized_size(*sample.frames.shape[1:3], short_side, long_side)
    if size == sample.frames.shape[1:3]:
        return sample
    return replace(sample, frames=resize_frames(sample.frames, size), masks=resize_masks(sample.masks, size))
