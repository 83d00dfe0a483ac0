"""Rasterise the parts of a figure once, and set them together in any pose.

Legend: h w of a raster or a patch; pixels are premultiplied RGB and alpha, 0 to 255.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, UInt8

from .figure import Figure, Part
from .scene import Actor
from .textures import Paint, fill

_LARGEST = 400
_SHIFT = 4
"""Fractional bits of the coordinates that OpenCV draws."""


@dataclass(frozen=True, eq=False)
class Sprite:
    """A painted part.

    Attributes:
        pixels: of the part.
        matrix: from pixels to the part's own coordinates.
        owner: as of the part.
        depth: as of the part.
    """

    pixels: Float32[np.ndarray, "h w 4"]
    matrix: Float[np.ndarray, "2 3"]
    owner: int
    depth: float


@dataclass(frozen=True, eq=False)
class Patch:
    """A figure as it is seen, cut to the frame.

    Attributes:
        corner: x and y of its first pixel in the frame.
        pixels: RGB and alpha.
        owners: 1 + owner of the part on top, 0 outside.
    """

    corner: tuple[int, int]
    pixels: Float32[np.ndarray, "h w 4"]
    owners: UInt8[np.ndarray, "h w"]


def make_sprites(actor: Actor, unit: float, scenery: UInt8[np.ndarray, "h w 4"]) -> tuple[Sprite, ...]:
    """Paint the parts of ``actor`` in the size in which they are seen; camouflage is cut from ``scenery``."""
    figure, scale = actor.role.figure, min(actor.path.scale * unit, 500.0)
    rasters = _rasters(figure, actor.role.paints, scale, scenery if actor.is_camouflaged else None)
    return tuple(_sprite(part, rasters, scale) for part in figure.parts)


def _bounds(part: Part) -> tuple[np.ndarray, np.ndarray]:
    outlines = np.concatenate([shape.outline for shape in part.shapes])
    return outlines.min(axis=0), outlines.max(axis=0)


def _extent(low: np.ndarray, high: np.ndarray, scale: float) -> tuple[int, int]:
    columns, rows = np.minimum(np.ceil((high - low) * scale).astype(int) + 4, 2 * _LARGEST)
    return int(rows), int(columns)


def _rasters(
    figure: Figure, paints: Mapping[str, Paint], scale: float, scenery: np.ndarray | None
) -> dict[str, Float32[np.ndarray, "h w 3"]]:
    sizes: dict[str, tuple[int, int]] = {}
    for part in figure.parts:
        rows, columns = _extent(*_bounds(part), scale)
        for shape in part.shapes:
            before = sizes.get(shape.paint, (0, 0))
            sizes[shape.paint] = (max(before[0], rows), max(before[1], columns))
    rasters = {}
    for name, (rows, columns) in sizes.items():
        paint = paints[name]
        if scenery is None or name in ("glass", "tyre", "beak"):
            rasters[name] = fill(paint, rows, columns, scale)
            continue
        rng = np.random.default_rng(paint.seed)
        y = int(rng.integers(max(scenery.shape[0] - rows, 1)))
        x = int(rng.integers(max(scenery.shape[1] - columns, 1)))
        cut = scenery[y : y + rows, x : x + columns, :3].astype(np.float32)
        grown = np.pad(cut, ((0, rows - cut.shape[0]), (0, columns - cut.shape[1]), (0, 0)), mode="reflect")
        rasters[name] = grown * np.float32(rng.uniform(0.85, 1.1))
    return rasters


def _sprite(part: Part, rasters: dict[str, np.ndarray], scale: float) -> Sprite:
    import cv2

    low, high = _bounds(part)
    rows, columns = _extent(low, high, scale)
    colour = np.zeros((rows, columns, 3), np.float32)
    alpha = np.zeros((rows, columns), np.uint8)
    for shape in part.shapes:
        corners = np.round(((shape.outline - low) * scale + 1.5) * (1 << _SHIFT)).astype(np.int32)
        x0, y0 = np.maximum((corners.min(axis=0) >> _SHIFT) - 1, 0)
        x1, y1 = np.minimum((corners.max(axis=0) >> _SHIFT) + 3, (columns, rows))
        if x1 <= x0 or y1 <= y0:
            continue
        mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
        cv2.fillPoly(mask, [corners - ((x0 << _SHIFT), (y0 << _SHIFT))], 255, cv2.LINE_AA, _SHIFT)
        # What is bare takes the whole colour: its edge is mixed once, by the alpha.
        weight = np.where(alpha[y0:y1, x0:x1] == 0, np.float32(1), mask.astype(np.float32) / 255)[..., None]
        window = colour[y0:y1, x0:x1]
        window += weight * (rasters[shape.paint][y0:y1, x0:x1] - window)
        np.maximum(alpha[y0:y1, x0:x1], mask, out=alpha[y0:y1, x0:x1])
    pixels = np.empty((rows, columns, 4), np.float32)
    pixels[..., 3] = alpha
    np.clip(colour, 0, 255, out=colour)
    np.multiply(colour, pixels[..., 3:] * np.float32(1 / 255), out=pixels[..., :3])
    matrix = np.array([[1 / scale, 0, low[0] - 1.0 / scale], [0, 1 / scale, low[1] - 1.0 / scale]])
    return Sprite(pixels, matrix, part.owner, part.depth)


def assemble(
    sprites: Sequence[Sprite],
    transforms: Float[np.ndarray, "p 2 3"],
    place: Float[np.ndarray, "2 3"],
    size: tuple[int, int],
    margin: int = 0,
) -> Patch | None:
    """Set the parts together; ``place`` maps the figure to the frame. None: nothing of it is in the frame.

    ``margin`` pixels are kept free around the figure, and drawn beyond the frame.
    """
    import cv2

    maps = [_to_frame(place, matrix, sprite) for sprite, matrix in zip(sprites, transforms, strict=True)]
    boxes = [_box(matrix, sprite.pixels.shape) for matrix, sprite in zip(maps, sprites, strict=True)]
    left, top = np.min([low for low, _ in boxes], axis=0).astype(int) - margin - 1
    right, bottom = np.max([high for _, high in boxes], axis=0).astype(int) + margin + 2
    left, top = max(int(left), -margin), max(int(top), -margin)
    right, bottom = min(int(right), size[1] + margin), min(int(bottom), size[0] + margin)
    if right - left < 2 or bottom - top < 2:
        return None
    pixels = np.zeros((bottom - top, right - left, 4), np.float32)
    owners = np.zeros(pixels.shape[:2], np.uint8)
    for index in sorted(range(len(sprites)), key=lambda index: (sprites[index].depth, index)):
        low, high = boxes[index]
        x0, y0 = max(int(low[0]) - left, 0), max(int(low[1]) - top, 0)
        x1, y1 = min(int(high[0]) + 2 - left, right - left), min(int(high[1]) + 2 - top, bottom - top)
        if x1 <= x0 or y1 <= y0:
            continue
        matrix = maps[index].copy()
        matrix[:, 2] -= (left + x0, top + y0)
        drawn = cv2.warpAffine(sprites[index].pixels, matrix, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR)
        window, alpha = pixels[y0:y1, x0:x1], drawn[..., 3]
        window *= (1 - alpha * np.float32(1 / 255))[..., None]
        window += drawn
        owners[y0:y1, x0:x1][alpha > 127] = sprites[index].owner + 1
    return Patch((left, top), pixels, owners)


def relief(patch: Patch, radius: int, light: tuple[float, float], strength: float) -> None:
    """Shade a patch in place as if it were round: lit from ``light`` (x, y), darker towards its edges."""
    import cv2

    alpha = patch.pixels[..., 3]
    side = 2 * radius + 1
    soft = cv2.blur(alpha, (side, side))
    away = np.array([[1, 0, radius * light[0]], [0, 1, radius * light[1]]], np.float32)
    ahead = cv2.warpAffine(soft, away, alpha.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
    shade = (1 - 0.4 * strength) + (0.45 * strength / 255) * soft + (strength / 255) * (ahead - soft)
    patch.pixels[..., :3] *= np.clip(shade, 0.4, 1.35)[..., None]
    np.minimum(patch.pixels[..., :3], patch.pixels[..., 3:], out=patch.pixels[..., :3])


def _to_frame(place: np.ndarray, matrix: np.ndarray, sprite: Sprite) -> np.ndarray:
    joined = place[:, :2] @ matrix[:, :2] @ sprite.matrix[:, :2]
    shift = place[:, :2] @ (matrix[:, :2] @ sprite.matrix[:, 2] + matrix[:, 2]) + place[:, 2]
    return np.column_stack([joined, shift])


def _box(matrix: np.ndarray, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    corners = np.array([[0, 0], [shape[1], 0], [0, shape[0]], [shape[1], shape[0]]], float)
    placed = corners @ matrix[:, :2].T + matrix[:, 2]
    return np.floor(placed.min(axis=0)), np.ceil(placed.max(axis=0))
