"""Videos out of still images: copies moved, turned, bent, brightened and blurred (ReferFormer, joint).

The published code takes these changes from the library imgaug; their distributions here are those of its
documentation.

Axes: t frames, n objects, H W pixels, p pixels of a kernel.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from torch.nn import functional as F

from .clips import Sample
from .photometric import shift_hsv

BEND = 0.08
"""Standard deviation of how far a corner moves in, in shares of the sides."""


@dataclass(frozen=True)
class Motion:
    """How a copy differs from the image; the defaults change nothing.

    Attributes:
        brightness: added to all values.
        hue_and_saturation: of 255, added to both; None: not changed.
        corners: shares of width and height by which the upper left, upper right, lower right and lower left
            corner of what is seen lie inside the image.
        angle: degrees, clockwise.
        shift: of the sides, to the right and down.
        blur: side of the kernel of a motion blur; 0: none.
        blur_angle: degrees of its line.
        blur_direction: in [-1, 1], which end of the line weighs more.
    """

    brightness: int = 0
    hue_and_saturation: int | None = None
    corners: tuple[tuple[float, float], ...] = ((0.0, 0.0),) * 4
    angle: float = 0.0
    shift: float = 0.0
    blur: int = 0
    blur_angle: float = 0.0
    blur_direction: float = 0.0


def draw_motion(generator: np.random.Generator) -> Motion:
    """Draw the changes of one copy (ReferFormer, code; supplement: +- 20 degrees).

    One or both of brightness +- 40 and hue and saturation +- 5; corners moved in by normal chance; an angle
    of +- 20 degrees and a shift of +- a tenth; motion blur of 9 or 11 pixels in a quarter of the copies.
    """
    colours = generator.permutation(2)[: int(generator.integers(1, 3))]
    brightness, hue = int(generator.integers(-40, 41)), int(generator.integers(-5, 6))
    inside = np.abs(generator.normal(0, BEND, (4, 2))) % 0.5
    angle, shift = float(generator.uniform(-20, 20)), float(generator.uniform(-0.1, 0.1))
    is_blurred, size = generator.random() < 0.25, int(generator.choice((9, 11)))
    blur_angle, direction = float(generator.uniform(0, 360)), float(generator.uniform(-1, 1))
    return Motion(
        brightness=brightness if 0 in colours else 0,
        hue_and_saturation=hue if 1 in colours else None,
        corners=tuple((float(x), float(y)) for x, y in inside),
        angle=angle,
        shift=shift,
        blur=size if is_blurred else 0,
        blur_angle=blur_angle,
        blur_direction=direction,
    )


def set_in_motion(sample: Sample, generator: np.random.Generator) -> Sample:
    """Change every frame of a still clip but one, and put them in random order.

    All frames must be annotated.
    """
    t = len(sample.frames)
    frames, masks = [sample.frames[0]], [sample.masks[:, 0]]
    for index in range(1, t):
        motion = draw_motion(generator)
        frame, moved = move(sample.frames[index], sample.masks[:, index], motion)
        frames.append(frame)
        masks.append(moved)
    order = generator.permutation(t)
    return replace(sample, frames=np.stack(frames)[order], masks=np.stack(masks, axis=1)[:, order])


def move(
    frame: UInt8[np.ndarray, "H W 3"], masks: Bool[np.ndarray, "n H W"], motion: Motion
) -> tuple[UInt8[np.ndarray, "H W 3"], Bool[np.ndarray, "n H W"]]:
    """Apply ``motion`` to an image (bilinear) and its masks (nearest); beyond its edges is black."""
    if motion.brightness:
        frame = np.clip(frame.astype(np.int16) + motion.brightness, 0, 255).astype(np.uint8)
    if motion.hue_and_saturation:
        change = motion.hue_and_saturation / 255
        frame = shift_hsv(frame, 360 * change, change)
    grid = _grid(motion, *frame.shape[:2])
    pixels = torch.from_numpy(np.ascontiguousarray(frame)).permute(2, 0, 1)[None].float()  # 1 3 H W
    moved = F.grid_sample(pixels, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    if motion.blur:
        kernel = blur_kernel(motion.blur, motion.blur_angle, motion.blur_direction)
        margin = motion.blur // 2
        padded = F.pad(moved[0][:, None], (margin,) * 4, mode="reflect")  # 3 1 H W
        moved = F.conv2d(padded, torch.from_numpy(kernel)[None, None])[:, 0][None]
    values = moved[0].round_().clamp_(0, 255).to(torch.uint8).permute(1, 2, 0).contiguous().numpy()
    if not len(masks):
        return values, masks
    planes = torch.from_numpy(np.ascontiguousarray(masks))[None].float()  # 1 n H W
    seen = F.grid_sample(planes, grid, mode="nearest", padding_mode="zeros", align_corners=False)
    return values, seen[0].numpy() > 0.5


def blur_kernel(size: int, angle: float, direction: float) -> Float[np.ndarray, "p p"]:
    """Return a line of ``size`` pixels through the centre, upright at 0 degrees; its sum is 1.

    Weights go from ``(1 - direction) / 2`` at one end to ``(1 + direction) / 2`` at the other.
    """
    middle = (size - 1) / 2
    weights = np.linspace((1 - direction) / 2, (1 + direction) / 2, size)
    along = np.arange(size) - middle
    x = middle + along * np.sin(np.radians(angle))
    y = middle + along * np.cos(np.radians(angle))
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    kernel = np.zeros((size + 2, size + 2))
    for column in (0, 1):
        for row in (0, 1):
            share = (1 - np.abs(x - left - column)) * (1 - np.abs(y - top - row))
            np.add.at(kernel, (top + row + 1, left + column + 1), weights * share)
    kernel = kernel[1:-1, 1:-1]
    return (kernel / kernel.sum()).astype(np.float32)


def _grid(motion: Motion, height: int, width: int) -> Float[torch.Tensor, "1 H W 2"]:
    """Return where each pixel of the result lies in the image, in [-1, 1]; beyond 1: nowhere."""
    x = np.arange(width) + 0.5 - width / 2
    y = (np.arange(height) + 0.5 - height / 2)[:, None]
    cosine, sine = np.cos(np.radians(motion.angle)), np.sin(np.radians(motion.angle))
    x, y = x - motion.shift * width, y - motion.shift * height
    # Back through the turn, then through the bend.
    turned_x = (cosine * x + sine * y) / width + 0.5
    turned_y = (cosine * y - sine * x) / height + 0.5
    is_outside = (turned_x < 0) | (turned_x > 1) | (turned_y < 0) | (turned_y > 1)
    bend = _homography(motion.corners)
    depth = bend[2, 0] * turned_x + bend[2, 1] * turned_y + 1
    source_x = (bend[0, 0] * turned_x + bend[0, 1] * turned_y + bend[0, 2]) / depth
    source_y = (bend[1, 0] * turned_x + bend[1, 1] * turned_y + bend[1, 2]) / depth
    grid = np.stack([2 * source_x - 1, 2 * source_y - 1], axis=-1)
    grid[is_outside] = 3
    return torch.from_numpy(grid.astype(np.float32))[None]


def _homography(corners: tuple[tuple[float, float], ...]) -> Float[np.ndarray, "3 3"]:
    """Return the map of the unit square onto the quadrilateral whose corners lie inside it by ``corners``."""
    square = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], float)
    target = np.abs(square - np.array(corners))
    rows = []
    for (x, y), (u, v) in zip(square, target, strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y])
    return np.append(np.linalg.solve(np.array(rows), target.ravel()), 1).reshape(3, 3)
