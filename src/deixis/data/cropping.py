"""Crops of random size and place, and the resizing after them.

Axes: t frames, k annotated ones, n objects, m motion channels, H W pixels.
"""

import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from deixis.flow.motion import resized_motion
from deixis.ops.resize import SizeRule, resize_frames, resize_masks, resized_size

from .clips import Sample
from .rules import RandomCrop, Transforms

_NO_LIMIT = 1 << 30
_ORDINALS = re.compile(
    r"\b(first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth)\b", re.IGNORECASE
)


def change_size(sample: Sample, change: Transforms, generator: np.random.Generator) -> Sample:
    """Bring the frames to their size in the network, after a random crop where ``change`` says so.

    An object of which the crop leaves nothing keeps its place among the masks, all False.
    """
    crop, short_sides, long_side = change.crop, change.short_sides, change.long_side
    if crop.probability and generator.random() < crop.probability and not _counts(sample, crop):
        short_sides, long_side = crop.short_sides or short_sides, crop.long_side or long_side
        if crop.before:
            sample = resize(sample, int(generator.choice(crop.before)), _NO_LIMIT, change.size_rule)
        if crop.per_frame:
            short_side = int(generator.choice(short_sides)) if short_sides else change.short_side
            return _crop_frames(sample, crop, (short_side, long_side, change.size_rule), generator)
        sample = cut(sample, *draw_region(*sample.frames.shape[1:3], crop.smallest, crop.largest, generator))
    short_side = int(generator.choice(short_sides)) if short_sides else change.short_side
    sample = resize(sample, short_side, long_side, change.size_rule)
    if change.square:
        sample = cut(sample, *draw_region(*sample.frames.shape[1:3], change.square, change.square, generator))
    return sample


def draw_region(
    height: int, width: int, smallest: int, largest: int, generator: np.random.Generator
) -> tuple[int, int, int, int]:
    """Draw top, left, height and width of a crop; a side shorter than ``smallest`` is kept whole.

    Both sides are drawn from ``smallest`` to the smaller of ``largest`` and the frame's own, the place from
    all places (DETR, ReferFormer and UniRef, code).
    """
    w = int(generator.integers(min(smallest, width), min(largest, width) + 1))
    h = int(generator.integers(min(smallest, height), min(largest, height) + 1))
    top = int(generator.integers(0, height - h + 1))
    left = int(generator.integers(0, width - w + 1))
    return top, left, h, w


def cut(sample: Sample, top: int, left: int, height: int, width: int) -> Sample:
    """Cut one region out of all frames, masks and motion."""
    rows, columns = slice(top, top + height), slice(left, left + width)
    flow = flow_at_frames(sample)
    return replace(
        sample,
        frames=sample.frames[:, rows, columns],
        masks=sample.masks[:, :, rows, columns],
        flow=None if flow is None else flow[..., rows, columns],
    )


def flow_at_frames(sample: Sample) -> Float[np.ndarray, "t m H W"] | None:
    """Return the motion of ``sample`` in the grid of its frames."""
    height, width = sample.frames.shape[1:3]
    return None if sample.flow is None else resized_motion(sample.flow, (height, width))


def resize(sample: Sample, short_side: int, long_side: int, rule: SizeRule) -> Sample:
    """Resize frames (bilinear with antialiasing, in uint8) and masks (nearest) by a published size rule."""
    size = resized_size(*sample.frames.shape[1:3], short_side, long_side, rule)
    if size == sample.frames.shape[1:3]:
        return sample
    return replace(sample, frames=resize_frames(sample.frames, size), masks=resize_masks(sample.masks, size))


def _counts(sample: Sample, crop: RandomCrop) -> bool:
    """Tell whether a crop could make an expression false by taking what it counts away."""
    return crop.spares_ordinals and any(_ORDINALS.search(one) for one in sample.expressions)


def _crop_frames(
    sample: Sample, crop: RandomCrop, sides: tuple[int, int, SizeRule], generator: np.random.Generator
) -> Sample:
    """Cut a region of its own out of each frame; all are then padded to the largest."""

    def crop_one(part: Sample) -> Sample:
        region = draw_region(*part.frames.shape[1:3], crop.smallest, crop.largest, generator)
        return resize(cut(part, *region), *sides)

    return one_by_one(sample, crop_one)


def one_by_one(sample: Sample, change: Callable[[Sample], Sample]) -> Sample:
    """Change each frame by itself; all are then padded to the largest."""
    predicted = sample.annotated_frames or tuple(range(len(sample.frames)))
    parts = []
    for index in range(len(sample.frames)):
        places = [place for place, position in enumerate(predicted) if position == index]
        flow = None if sample.flow is None else sample.flow[[index]]
        part = replace(sample, frames=sample.frames[[index]], masks=sample.masks[:, places], flow=flow)
        parts.append(change(part))
    sizes = [part.frames.shape[1:3] for part in parts]
    height, width = (max(size[axis] for size in sizes) for axis in range(2))
    frames = np.zeros((len(parts), height, width, 3), np.uint8)
    masks = np.zeros((*sample.masks.shape[:2], height, width), bool)
    motion = None if sample.flow is None else np.zeros((*sample.flow.shape[:2], height, width), np.float32)
    for index, (part, (h, w)) in enumerate(zip(parts, sizes, strict=True)):
        frames[index, :h, :w] = part.frames[0]
        if motion is not None:
            motion[index, :, :h, :w] = flow_at_frames(part)
        if index in predicted:
            masks[:, predicted.index(index), :h, :w] = part.masks[:, 0]
    return replace(sample, frames=frames, masks=masks, frame_sizes=tuple(sizes), flow=motion)
