"""Muted, textured planes behind the objects."""

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from .scene import Background

KINDS: tuple[str, ...] = ("clouds", "patches", "hills", "tiles")


def sample_background(rng: np.random.Generator) -> Background:
    """Draw a kind of pattern and three muted colours of middle lightness, so that every object stands out."""
    kind = str(rng.choice(KINDS))
    hue = rng.uniform(0, 2 * np.pi)
    colours = []
    for _ in range(3):
        grey, chroma, angle = rng.uniform(88, 190), rng.uniform(2, 12), hue + rng.uniform(-0.7, 0.7)
        offsets = np.array([np.cos(angle), np.cos(angle - 2.09), np.cos(angle + 2.09)])
        red, green, blue = (float(value) for value in grey + chroma * offsets)
        colours.append((red, green, blue))
    return Background(kind, int(rng.integers(2**31)), tuple(colours))


def paint(
    background: Background, height: int, width: int, unit: float
) -> UInt8[np.ndarray, "height width 3"]:
    """Paint the plane; ``unit`` is the number of pixels to one of the reference frame."""
    if background.kind == "plain":
        return np.broadcast_to(np.asarray(background.colours[0], np.uint8), (height, width, 3)).copy()
    rng = np.random.default_rng(background.seed)
    first, second, third = (np.asarray(colour, np.float32) for colour in background.colours)
    grain = _noise(rng, height, width, 10 * unit)[..., None]
    painters = {"clouds": _clouds, "patches": _patches, "hills": _hills, "tiles": _tiles}
    level = painters[background.kind](rng, height, width, unit)[..., None]
    mixed = np.where(
        level < 0.5, first + (second - first) * 2 * level, second + (third - second) * (2 * level - 1)
    )
    fine = _noise(rng, height, width, 3 * unit)[..., None]
    return np.clip(mixed + 22 * (grain - 0.5) + 16 * (fine - 0.5), 60, 205).astype(np.uint8)


def _noise(rng: np.random.Generator, height: int, width: int, cell: float) -> np.ndarray:
    """Return smooth noise in [0, 1] with features of ``cell`` pixels, ``float32 [height, width]``."""
    rows, columns = int(height / cell) + 3, int(width / cell) + 3
    coarse = Image.fromarray(rng.random((rows, columns), dtype=np.float32))
    box = (0.5, 0.5, min(0.5 + width / cell, columns), min(0.5 + height / cell, rows))
    return np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC, box=box))


def _clouds(rng: np.random.Generator, height: int, width: int, unit: float) -> np.ndarray:
    level = sum(
        weight * _noise(rng, height, width, cell * unit)
        for cell, weight in ((64, 0.55), (28, 0.3), (12, 0.15))
    )
    return np.clip((level - 0.5) * 1.8 + 0.5, 0, 1)


def _patches(rng: np.random.Generator, height: int, width: int, unit: float) -> np.ndarray:
    """Dead leaves: ellipses of many sizes over one another."""
    level = np.full((height, width), rng.random(), np.float32)
    for _ in range(60):
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        half_width, half_height = rng.uniform(8, 40, size=2) * unit
        top, bottom = max(int(y - half_height), 0), min(int(y + half_height) + 2, height)
        left, right = max(int(x - half_width), 0), min(int(x + half_width) + 2, width)
        rows, columns = np.ogrid[top:bottom, left:right]
        inside = ((columns - x) / half_width) ** 2 + ((rows - y) / half_height) ** 2 < 1
        level[top:bottom, left:right][inside] = rng.random()
    return level


def _hills(rng: np.random.Generator, height: int, width: int, unit: float) -> np.ndarray:
    """Sky, hills and ground: three layers with wavy borders."""
    columns = np.arange(width)
    level = np.zeros((height, width), np.float32)
    for index, base in enumerate((rng.uniform(0.3, 0.5), rng.uniform(0.6, 0.8))):
        wave = np.sin(columns / (rng.uniform(14, 40) * unit) + rng.uniform(0, 6)) * rng.uniform(2, 9) * unit
        level[np.arange(height)[:, None] > base * height + wave] = 0.5 * (index + 1)
    return np.clip(level + 0.15 * (_noise(rng, height, width, 30 * unit) - 0.5), 0, 1)


def _tiles(rng: np.random.Generator, height: int, width: int, unit: float) -> np.ndarray:
    """Flagstones of slightly different tones with dark joints."""
    side = rng.uniform(22, 44) * unit
    rows, columns = np.arange(height) / side, np.arange(width) / side
    shifted = columns[None] + 0.5 * (rows.astype(int)[:, None] % 2)
    tones = rng.random((int(rows[-1]) + 1, int(shifted.max()) + 1)).astype(np.float32)
    level = 0.25 + 0.5 * tones[rows.astype(int)[:, None], shifted.astype(int)]
    joints = (rows[:, None] % 1 < 1.5 / side) | (shifted % 1 < 1.5 / side)
    return np.where(joints, 0.0, level).astype(np.float32)
