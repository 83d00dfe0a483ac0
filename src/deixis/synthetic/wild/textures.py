"""Rasters that look like surfaces: noise, fur, stripes, patches, leaves. All from a generator."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, UInt8

from .palette import Colour, vary

Grey = Float32[np.ndarray, "h w"]

PATTERNS = ("plain", "striped", "spotted", "checkered", "patched")


@dataclass(frozen=True)
class Paint:
    """How a part is coloured.

    Attributes:
        colour: the main one.
        pattern: one of ``PATTERNS``, or "scenery": cut from the background (camouflage).
        second: colour of the stripes, spots, checks or patches.
        scale: size of the pattern in units of the figure.
        grain: strength of the fine structure, 8-bit steps.
        seed: of the pattern.
    """

    colour: Colour
    pattern: str = "plain"
    second: Colour = (0.0, 0.0, 0.0)
    scale: float = 0.1
    grain: float = 10.0
    seed: int = 0


def noise(
    height: int, width: int, cell: float, rng: np.random.Generator, *, octaves: int = 3, aspect: float = 1.0
) -> Grey:
    """Return fractal noise of standard deviation 1; cells are ``aspect`` times wider than high."""
    total = np.zeros((height, width), np.float32)
    weight = 1.0
    for _ in range(octaves):
        rows = max(int(np.ceil(height / cell)), 2) + 1
        columns = max(int(np.ceil(width / (cell * aspect))), 2) + 1
        grid = rng.standard_normal((min(rows, height), min(columns, width)), np.float32) * np.float32(weight)
        total += _enlarge(grid, height, width)
        weight, cell = weight * 0.55, max(cell / 2, 1.0)
    return total / max(float(total.std()), 1e-6)


def _enlarge(grid: Grey, height: int, width: int) -> Grey:
    import cv2

    return cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)


def leaves(
    height: int, width: int, colours: Sequence[Colour], count: int, size: float, rng: np.random.Generator
) -> UInt8[np.ndarray, "h w 3"]:
    """Return dead leaves: ``count`` opaque random shapes of about half ``size`` over one another."""
    import cv2

    picture = np.empty((height, width, 3), np.uint8)
    picture[:] = colours[0]
    spots = rng.uniform((0, 0), (width, height), (count, 2))
    sizes = size * np.exp(rng.uniform(-1.2, 1.0, (count, 2)))
    turns = rng.uniform(0, 180, count)
    tones = [vary(colours[int(pick)], rng) for pick in rng.integers(len(colours), size=count)]
    kinds = rng.random(count)
    for spot, radii, turn, tone, kind in zip(spots, sizes, turns, tones, kinds, strict=True):
        centre = (int(spot[0] * 16), int(spot[1] * 16))
        if kind < 0.5:
            axes = (int(radii[0] * 16), int(radii[1] * 16))
            cv2.ellipse(picture, centre, axes, turn, 0, 360, tone, -1, cv2.LINE_AA, 4)
        else:
            corners = cv2.boxPoints(((spot[0], spot[1]), (2 * radii[0], 2 * radii[1]), turn))
            corners[: 1 + int(4 * kind) % 3] += (radii[0] * (kind - 0.7), radii[1] * (0.8 - kind))
            cv2.fillConvexPoly(picture, (corners * 16).astype(np.int32), tone, cv2.LINE_AA, 4)
    return picture


def fill(paint: Paint, height: int, width: int, unit: float) -> Float32[np.ndarray, "h w 3"]:
    """Return a raster of ``paint`` for a figure of ``unit`` pixels."""
    rng = np.random.default_rng(paint.seed)
    raster = np.empty((height, width, 3), np.float32)
    raster[:] = paint.colour
    if paint.pattern != "plain":
        raster += _pattern(paint, height, width, unit, rng)[..., None] * (
            np.array(paint.second, np.float32) - np.array(paint.colour, np.float32)
        )
    if paint.grain > 0:
        aspect = float(rng.uniform(0.3, 2.5))
        fine = noise(height, width, max(unit * 0.08, 2.0), rng, octaves=4, aspect=aspect)
        # Folds and fur are light and shade: they scale the colour, and are seen on black as well.
        raster *= np.exp(np.float32(paint.grain / 90) * fine)[..., None]
        raster += np.float32(0.3 * paint.grain) * fine[..., None]
    return raster


def _pattern(paint: Paint, height: int, width: int, unit: float, rng: np.random.Generator) -> Grey:
    """Return how much of the second colour there is at each pixel, 0 to 1."""
    period = max(paint.scale * unit, 3.0)
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    bend = noise(height, width, 4 * period, rng, octaves=1) * (0.12 * period)
    if paint.pattern == "striped":
        angle = float(rng.normal(0, 0.25)) + (np.pi / 2 if rng.random() < 0.4 else 0.0)
        wave = np.cos(angle) * columns + np.sin(angle) * rows + 2 * bend
        return _step(np.sin(2 * np.pi / period * wave))
    if paint.pattern == "checkered":
        return _step(np.sin(np.pi / period * (columns + bend)) * np.sin(np.pi / period * (rows + bend)))
    if paint.pattern == "spotted":
        return _step(noise(height, width, period * 0.8, rng, octaves=1) - 0.75)
    return _step(noise(height, width, period * 2.0, rng, octaves=2) - 0.2)


def _step(values: Grey) -> Grey:
    return np.clip(values * 6 + 0.5, 0, 1)
