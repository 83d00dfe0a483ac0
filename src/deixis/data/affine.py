"""Frames turned, sheared and scaled, each by itself; crops of a random share of the area (STCN, 1.10).

Axes: t frames, n objects, H W pixels.
"""

import math
from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float, UInt8

from deixis.ops.resize import resize_frames, resize_masks

from .clips import Sample
from .cropping import cut
from .rules import Affine

FILL = (124, 116, 104)
"""Colour beyond the edges: the mean of ImageNet (code)."""
_ASPECTS = (3 / 4, 4 / 3)
_TRIES = 10


def warp_frames(sample: Sample, change: Affine, generator: np.random.Generator) -> Sample:
    """Turn, shear and scale every frame around its middle, each by chances of its own.

    All frames must be annotated, and without motion.
    """
    if sample.flow is not None or sample.annotated_frames is not None:
        raise ValueError("frames are warped one by one: without flow, and all of them annotated")
    size = (int(sample.frames.shape[1]), int(sample.frames.shape[2]))
    frames, masks = [], []
    for place in range(len(sample.frames)):
        matrix = affine_matrix(
            generator.uniform(-change.angle, change.angle),
            generator.uniform(-change.shear, change.shear),
            generator.uniform(*change.scale),
            size,
        )
        frame, moved = _warp(sample.frames[place], sample.masks[:, place], matrix)
        frames.append(frame)
        masks.append(moved)
    return replace(sample, frames=np.stack(frames), masks=np.stack(masks, axis=1))


def affine_matrix(
    angle: float, shear: float, scale: float, size: tuple[int, int]
) -> Float[np.ndarray, "2 3"]:
    """Return the map of pixels that turns by ``angle`` clockwise after shearing along x (degrees)."""
    turn, slope = math.radians(angle), math.tan(math.radians(shear))
    cosine, sine = scale * math.cos(turn), scale * math.sin(turn)
    linear = np.array([(cosine, -cosine * slope - sine), (sine, -sine * slope + cosine)])
    middle = np.array([(size[1] - 1) / 2, (size[0] - 1) / 2])
    return np.column_stack((linear, middle - linear @ middle))


def crop_share(
    sample: Sample, shares: tuple[float, float], side: int, generator: np.random.Generator
) -> Sample:
    """Cut out a share of the area, of an aspect of 3:4 to 4:3, and resize it to a square of ``side``.

    Where it does not fit after several draws, the middle of the frames, as large as the aspect allows.
    """
    height, width = int(sample.frames.shape[1]), int(sample.frames.shape[2])
    top, left, h, w = _middle(height, width)
    for _ in range(_TRIES):
        area = generator.uniform(*shares) * height * width
        aspect = math.exp(generator.uniform(math.log(_ASPECTS[0]), math.log(_ASPECTS[1])))
        wanted = round(math.sqrt(area / aspect)), round(math.sqrt(area * aspect))
        if 0 < wanted[0] <= height and 0 < wanted[1] <= width:
            h, w = wanted
            top = int(generator.integers(height - h + 1))
            left = int(generator.integers(width - w + 1))
            break
    sample = cut(sample, top, left, h, w)
    frames, masks = resize_frames(sample.frames, (side, side)), resize_masks(sample.masks, (side, side))
    return replace(sample, frames=frames, masks=masks)


def to_grey(frames: UInt8[np.ndarray, "t H W 3"]) -> UInt8[np.ndarray, "t H W 3"]:
    """Return the frames without colours."""
    grey = frames @ np.array((0.299, 0.587, 0.114), np.float32)
    return np.repeat(np.rint(grey).astype(np.uint8)[..., None], 3, axis=3)


def _middle(height: int, width: int) -> tuple[int, int, int, int]:
    h, w = min(height, round(width / _ASPECTS[0])), min(width, round(height * _ASPECTS[1]))
    return (height - h) // 2, (width - w) // 2, h, w


def _warp(
    frame: UInt8[np.ndarray, "H W 3"],
    masks: Bool[np.ndarray, "n H W"],
    matrix: Float[np.ndarray, "2 3"],
) -> tuple[UInt8[np.ndarray, "H W 3"], Bool[np.ndarray, "n H W"]]:
    """Move an image (bilinear) and its masks (nearest)."""
    import cv2

    size = (frame.shape[1], frame.shape[0])
    moved = cv2.warpAffine(np.ascontiguousarray(frame), matrix, size, borderValue=FILL)
    seen = np.zeros(masks.shape, bool)
    for place, mask in enumerate(masks):
        own = np.ascontiguousarray(mask).view(np.uint8)
        seen[place] = cv2.warpAffine(own, matrix, size, flags=cv2.INTER_NEAREST)
    return moved, seen
