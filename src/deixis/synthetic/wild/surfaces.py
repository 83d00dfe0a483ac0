"""What moves without being an object: water, foliage, crowds, glints; shadows and reflections."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, UInt8

from .setting import Setting
from .sprites import Patch

Picture = UInt8[np.ndarray, "h w 3"]

_COARSE = 4
"""Displacements are smooth: computed at a quarter of the size."""


@dataclass(frozen=True, eq=False)
class Ripples:
    """A region that is displaced by running waves.

    Attributes:
        kind: "water", "foliage" or "crowd".
        is_below: the region is all that lies below the horizon; else the ellipses.
        spots: ellipses (x, y, radius x, radius y) from the middle of the frame, pixels of 128 rows.
        waves: rows of wave number (x, y), rate, phase and the displacement (x, y), pixels of 128 rows.
        glints: brightness added where the waves point to the light, and the share of the area that has it.
    """

    kind: str
    is_below: bool
    spots: Float[np.ndarray, "n 4"]
    waves: Float[np.ndarray, "n 6"]
    glints: tuple[float, float]


def draw_ripples(setting: Setting) -> Ripples | None:
    """Draw what moves in the scenery of ``setting``; None: nothing."""
    rng = np.random.default_rng([setting.seed, 2])
    drawn = [kind for kind, chance in setting.moving if rng.random() < chance]
    if not drawn:
        return None
    kind = drawn[0]
    is_water = kind == "water"
    count = {"water": 5, "foliage": 6, "crowd": 8}[kind]
    low, high = {"water": (10, 60), "foliage": (12, 40), "crowd": (5, 14)}[kind]
    length = np.exp(rng.uniform(np.log(low), np.log(high), count))
    angle = rng.normal(np.pi / 2, 0.5, count) if is_water else rng.uniform(0, 2 * np.pi, count)
    size = float(np.exp(rng.uniform(np.log(0.3), np.log(3.0))))
    towards = rng.normal(0, size / np.sqrt(count), (count, 2)) * 1.5
    waves = np.column_stack(
        [
            2 * np.pi / length * np.cos(angle),
            2 * np.pi / length * np.sin(angle),
            rng.uniform(0.2, 1.1, count),
            rng.uniform(0, 2 * np.pi, count),
            towards,
        ]
    )
    spots = np.column_stack(
        [rng.uniform(-100, 100, 3), rng.uniform(-64, 40, 3), rng.uniform(25, 100, 3), rng.uniform(12, 50, 3)]
    )
    is_below = is_water and bool(set(setting.grounds) & {"water", "deep"})
    shines = is_water and "deep" not in setting.grounds and bool(rng.random() < 0.75)
    glints = (float(rng.uniform(20, 150)), float(rng.uniform(0.03, 0.3))) if shines else (0.0, 0.0)
    return Ripples(kind, is_below, spots, waves, glints)


def ripple(
    picture: Picture, ripples: Ripples, view: Float[np.ndarray, "3 3"], time: float, horizon: float
) -> Picture:
    """Displace ``picture``; ``view`` maps the ground to the frame, the horizon is a share of the height."""
    import cv2

    height, width = picture.shape[:2]
    unit = height / 128
    columns = (np.arange(0, width + _COARSE, _COARSE, dtype=np.float32))[None]
    rows = (np.arange(0, height + _COARSE, _COARSE, dtype=np.float32))[:, None]
    back = np.linalg.inv(view)
    ground_x = (back[0, 0] * columns + back[0, 1] * rows + back[0, 2]) / unit
    ground_y = (back[1, 0] * columns + back[1, 1] * rows + back[1, 2]) / unit
    strength = _strength(ripples, ground_x, ground_y, 128 * horizon - 64)
    shift_x, shift_y, slope = (np.zeros(ground_x.shape, np.float32) for _ in range(3))
    for kx, ky, rate, phase, dx, dy in ripples.waves:
        wave = np.sin(kx * ground_x + ky * ground_y - rate * time + phase).astype(np.float32)
        shift_x += np.float32(dx) * wave
        shift_y += np.float32(dy) * wave
        slope += wave
    full = (width, height)
    fields = [strength * unit * shift_x, strength * unit * shift_y, strength * slope]
    grown = [
        cv2.resize(
            field, (field.shape[1] * _COARSE, field.shape[0] * _COARSE), interpolation=cv2.INTER_LINEAR
        )[:height, :width]
        for field in fields
    ]
    map_x = np.arange(width, dtype=np.float32)[None] + grown[0]
    map_y = np.arange(height, dtype=np.float32)[:, None] + grown[1]
    moved = cv2.remap(picture, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    if ripples.glints[0]:
        level = np.quantile(grown[2][::8, ::8], 1 - ripples.glints[1])
        gain = np.clip((grown[2] - level) * 1.2, 0, 1) * ripples.glints[0]
        added = gain.astype(np.uint8)
        moved = cv2.add(moved, cv2.merge([added, added, added]))
    assert moved.shape[1::-1] == full
    return moved


def _strength(ripples: Ripples, x: np.ndarray, y: np.ndarray, horizon: float) -> Float32[np.ndarray, "h w"]:
    if ripples.is_below:
        # Far waves are small.
        return np.clip((y - horizon) / 40 + 0.15, 0, 1).astype(np.float32) * (y > horizon)
    inside = np.zeros(np.broadcast_shapes(x.shape, y.shape), np.float32)
    for middle_x, middle_y, radius_x, radius_y in ripples.spots:
        distance = ((x - middle_x) / radius_x) ** 2 + ((y - middle_y) / radius_y) ** 2
        np.maximum(inside, np.clip(4 * (1 - distance), 0, 1), out=inside)
    return inside


def cast_shadow(
    picture: Picture, patch: Patch, foot: tuple[float, float], darkness: float, slant: float
) -> None:
    """Darken ``picture`` where the shadow of ``patch`` falls from ``foot``, in place."""
    import cv2

    height, width = picture.shape[:2]
    squash = -0.3 if slant > 0 else 0.3
    left, top = patch.corner
    # A pixel at height k above the foot falls to (x + slant k, foot - squash k).
    matrix = np.array(
        [
            [1, -slant, left + slant * (foot[1] - top)],
            [0, squash, foot[1] + squash * (top - foot[1])],
        ]
    )
    alpha = np.ascontiguousarray(patch.pixels[..., 3])
    corners = _corners(alpha.shape) @ matrix[:, :2].T + matrix[:, 2]
    x0, y0 = np.maximum(np.floor(corners.min(axis=0)).astype(int) - 4, 0)
    x1, y1 = np.minimum(np.ceil(corners.max(axis=0)).astype(int) + 4, (width, height))
    if x1 - x0 < 2 or y1 - y0 < 2:
        return
    matrix[:, 2] -= (x0, y0)
    fallen = cv2.blur(cv2.warpAffine(alpha, matrix, (x1 - x0, y1 - y0)), (5, 3))
    window = picture[y0:y1, x0:x1]
    window[:] = (window * (1 - darkness / 255 * fallen)[..., None]).astype(np.uint8)


def _corners(shape: tuple[int, int]) -> np.ndarray:
    return np.array([[0, 0], [shape[1], 0], [0, shape[0]], [shape[1], shape[0]]], float)


def mirror(picture: Picture, patch: Patch, line: float, strength: float, time: float) -> None:
    """Draw the reflection of ``patch`` in water below ``line``, in place."""
    import cv2

    height, width = picture.shape[:2]
    left, top = patch.corner
    columns = patch.pixels.shape[1]
    x0, x1 = max(left, 0), min(left + columns, width)
    y0, y1 = max(int(np.ceil(line)), 0), min(int(2 * line - top), height)
    if x1 - x0 < 2 or y1 - y0 < 2:
        return
    y = np.arange(y0, y1, dtype=np.float32)[:, None]
    x = np.arange(x0, x1, dtype=np.float32)[None]
    unit = height / 128
    below = (y - np.float32(line)) / unit
    bend = (0.4 + 0.05 * below) * unit * np.sin(0.9 * below - 0.7 * time) * np.minimum(below, 1)
    map_x = np.broadcast_to(x - left + bend, (y1 - y0, x1 - x0)).astype(np.float32)
    map_y = np.broadcast_to(2 * np.float32(line) - y - top + 0.5 * bend, map_x.shape).astype(np.float32)
    seen = cv2.remap(patch.pixels, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    window = picture[y0:y1, x0:x1]
    mixed = window * (1 - strength / 255 * seen[..., 3:]) + strength * seen[..., :3]
    window[:] = np.clip(mixed, 0, 255).astype(np.uint8)
