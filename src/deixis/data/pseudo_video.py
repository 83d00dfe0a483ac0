"""Videos out of still images: copies moved, turned, bent, brightened and blurred (ReferFormer, joint).

The published code takes these changes from the library imgaug; their distributions here are those of its
documentation.

Axes: t frames, n objects, H W pixels, p pixels of a kernel.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, UInt8

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
    import cv2

    if motion.brightness:
        frame = np.clip(np.arange(256) + motion.brightness, 0, 255).astype(np.uint8)[frame]
    if motion.hue_and_saturation:
        change = motion.hue_and_saturation / 255
        frame = shift_hsv(frame, 360 * change, change)
    height, width = frame.shape[:2]
    turn = _turn(motion, height, width)
    inside = _is_inside(turn, height, width).view(np.uint8)
    to_pixels = np.array([(width, 0, -0.5), (0, height, -0.5), (0, 0, 1)])
    source = to_pixels @ _homography(motion.corners) @ turn

    def warp(image: np.ndarray, interpolation: int) -> np.ndarray:
        warped = cv2.warpPerspective(
            image, source, (width, height), flags=interpolation | cv2.WARP_INVERSE_MAP
        )
        return cv2.bitwise_and(warped, warped, mask=inside)

    moved = warp(np.ascontiguousarray(frame), cv2.INTER_LINEAR)
    if motion.blur:
        kernel = blur_kernel(motion.blur, motion.blur_angle, motion.blur_direction)
        moved = cv2.filter2D(moved, -1, kernel, borderType=cv2.BORDER_REFLECT_101)
    seen = np.zeros(masks.shape, bool)
    for place, mask in enumerate(masks):
        seen[place] = warp(np.ascontiguousarray(mask).view(np.uint8), cv2.INTER_NEAREST)
    return moved, seen


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


def _turn(motion: Motion, height: int, width: int) -> Float[np.ndarray, "3 3"]:
    """Return the map from a pixel of the result back to before it was turned and shifted, in shares."""
    cosine, sine = np.cos(np.radians(motion.angle)), np.sin(np.radians(motion.angle))
    # From the index of a pixel to its middle, seen from the centre.
    x = np.array((1, 0, 0.5 - width / 2 - motion.shift * width))
    y = np.array((0, 1, 0.5 - height / 2 - motion.shift * height))
    half = np.array((0, 0, 0.5))
    return np.stack(
        [(cosine * x + sine * y) / width + half, (cosine * y - sine * x) / height + half, (0, 0, 1)]
    )


def _is_inside(turn: Float[np.ndarray, "3 3"], height: int, width: int) -> Bool[np.ndarray, "H W"]:
    """Tell which pixels of the result come from within the image that was turned."""
    columns, rows = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
    is_inside = np.ones((height, width), bool)
    for of_column, of_row, start in turn[:2].astype(np.float32):
        share = of_column * columns + (of_row * rows + start)
        is_inside &= share >= 0
        is_inside &= share <= 1
    return is_inside


def _homography(corners: tuple[tuple[float, float], ...]) -> Float[np.ndarray, "3 3"]:
    """Return the map of the unit square onto the quadrilateral whose corners lie inside it by ``corners``."""
    square = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], float)
    target = np.abs(square - np.array(corners))
    rows = []
    for (x, y), (u, v) in zip(square, target, strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y])
    return np.append(np.linalg.solve(np.array(rows), target.ravel()), 1).reshape(3, 3)
