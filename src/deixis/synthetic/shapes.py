"""The bodies of objects, rigid and articulated: signed distances of parts that swing on joints.

Every body lies in the square [-1, 1] x [-1, 1], x to the right and y down, and looks to the right. A distance
is negative inside and in units of the body's half extent.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Distance = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Part:
    """One rigid piece of a body.

    Attributes:
        distance: signed distance of points given relative to the joint.
        joint: where the piece hangs on the body.
        swing: amplitude in radians of its rotation about the joint.
        heave: amplitude of its vertical shift.
        phase: its lag within the body's cycle, radians.
        paint: an 8-bit RGB of its own (eyes, wheels); None: the texture of the object.
    """

    distance: Distance
    joint: tuple[float, float] = (0.0, 0.0)
    swing: float = 0.0
    heave: float = 0.0
    phase: float = 0.0
    paint: tuple[int, int, int] | None = None

    def pose(self, phase: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return angle and vertical shift at each ``phase`` of the body's cycle."""
        wave = np.sin(phase + self.phase)
        return self.swing * wave, self.heave * wave


@dataclass(frozen=True)
class Shape:
    """A body.

    Attributes:
        parts: its pieces from back to front.
        is_directional: it looks one way, and so is mirrored to face its motion.
        scale: factor on its half extent: slim bodies are drawn larger, to be as easy to see as the others.
    """

    parts: tuple[Part, ...]
    is_directional: bool = False
    scale: float = 1.0

    @property
    def is_articulated(self) -> bool:
        """Whether a part moves on its joint."""
        return any(part.swing or part.heave for part in self.parts)


def disc(radius: float) -> Distance:
    """A disc about the joint."""
    return lambda x, y: np.hypot(x, y) - radius


def annulus(radius: float, width: float) -> Distance:
    """A ring of half ``width`` about ``radius``."""
    return lambda x, y: np.abs(np.hypot(x, y) - radius) - width


def box(half_width: float, half_height: float, corner: float = 0.0) -> Distance:
    """An upright rectangle with rounded corners."""

    def distance(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        across, down = np.abs(x) - (half_width - corner), np.abs(y) - (half_height - corner)
        outside = np.hypot(np.maximum(across, 0), np.maximum(down, 0))
        return outside + np.minimum(np.maximum(across, down), 0) - corner

    return distance


def turned_box(half_side: float) -> Distance:
    """A square on its corner."""
    square, root = box(half_side, half_side), np.float32(np.sqrt(0.5))
    return lambda x, y: square((x + y) * root, (y - x) * root)


def ellipse(half_width: float, half_height: float, centre: tuple[float, float] = (0.0, 0.0)) -> Distance:
    """An upright ellipse; the distance is exact to first order at the outline."""

    def distance(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        across, down = (x - centre[0]) / half_width, (y - centre[1]) / half_height
        level = np.hypot(across, down)
        slope = np.hypot(across / half_width, down / half_height)
        return level * (level - 1) / np.maximum(slope, 1e-3)

    return distance


def capsule(end: tuple[float, float], radius: float) -> Distance:
    """A rod with round ends from the joint to ``end``."""
    length = end[0] ** 2 + end[1] ** 2

    def distance(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        along = np.clip((x * end[0] + y * end[1]) / length, 0, 1)
        return np.hypot(x - along * end[0], y - along * end[1]) - radius

    return distance


def polygon(*corners: tuple[float, float]) -> Distance:
    """A convex polygon, corners clockwise as seen (y down)."""
    planes = []
    for (ax, ay), (bx, by) in zip(corners, corners[1:] + corners[:1], strict=True):
        length = float(np.hypot(bx - ax, by - ay))
        normal = ((by - ay) / length, -(bx - ax) / length)
        planes.append((*normal, normal[0] * ax + normal[1] * ay))

    def distance(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        result = None
        for across, down, offset in planes:
            plane = x * across + y * down - offset
            result = plane if result is None else np.maximum(result, plane)
        assert result is not None
        return result

    return distance


def star(outer: float, inner: float, points: int = 5) -> Distance:
    """A star with one point up."""
    half = np.pi / points
    tip, notch = np.array([outer, 0.0]), inner * np.array([np.cos(half), np.sin(half)])
    edge = (notch - tip) / np.linalg.norm(notch - tip)

    across, down = np.float32(edge[1]), np.float32(-edge[0])

    def distance(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        radius = np.hypot(x, y)
        angle = np.abs((np.arctan2(x, -y) + half) % (2 * half) - half)
        return (radius * np.cos(angle) - outer) * across + radius * np.sin(angle) * down

    return distance


def _snake() -> tuple[Part, ...]:
    """Overlapping discs whose heights follow a travelling wave, then the eye."""
    places = np.linspace(-0.82, 0.62, 9)
    body = [
        Part(disc(0.2 if index else 0.14), (float(x), 0.0), heave=0.3, phase=-3.6 * float(x))
        for index, x in enumerate(places)
    ]
    head = Part(ellipse(0.27, 0.23), (0.72, 0.0), heave=0.3, phase=-3.6 * 0.66)
    eye = Part(disc(0.07), (0.8, -0.07), heave=0.3, phase=-3.6 * 0.66, paint=(250, 250, 250))
    return (*body, head, eye)


_DARK, _PALE = (36, 36, 40), (206, 222, 232)

SHAPES: dict[str, Shape] = {
    "circle": Shape((Part(disc(0.95)),)),
    "square": Shape((Part(box(0.84, 0.84, 0.06)),)),
    "triangle": Shape((Part(polygon((0.0, -0.96), (0.98, 0.78), (-0.98, 0.78))),)),
    "star": Shape((Part(star(1.05, 0.47), (0.0, 0.05)),)),
    "cross": Shape((Part(box(0.96, 0.34, 0.04)), Part(box(0.34, 0.96, 0.04)))),
    "ring": Shape((Part(annulus(0.7, 0.27)),)),
    "heart": Shape(
        (
            Part(turned_box(0.58), (0.0, 0.08)),
            Part(disc(0.58), (-0.41, -0.33)),
            Part(disc(0.58), (0.41, -0.33)),
        )
    ),
    "person": Shape(
        (
            Part(capsule((0.0, 0.5), 0.13), (0.0, -0.32), swing=0.75, phase=np.pi),
            Part(capsule((0.0, 0.62), 0.15), (0.0, 0.2), swing=0.6),
            Part(capsule((0.0, 0.62), 0.15), (0.0, 0.2), swing=0.6, phase=np.pi),
            Part(capsule((0.0, 0.46), 0.25), (0.0, -0.24)),
            Part(disc(0.25), (0.02, -0.72)),
            Part(capsule((0.0, 0.5), 0.13), (0.0, -0.32), swing=0.75),
            Part(disc(0.05), (0.14, -0.76), paint=(250, 250, 250)),
        ),
        is_directional=True,
        scale=1.35,
    ),
    "fish": Shape(
        (
            Part(polygon((0.08, 0.0), (-0.48, 0.46), (-0.48, -0.46)), (-0.5, 0.0), swing=0.5),
            Part(polygon((0.0, -0.34), (0.3, 0.0), (-0.3, 0.0)), (-0.02, -0.34)),
            Part(ellipse(0.7, 0.48), (0.24, 0.0)),
            Part(disc(0.1), (0.6, -0.12), paint=(250, 250, 250)),
            Part(disc(0.05), (0.62, -0.12), paint=_DARK),
        ),
        is_directional=True,
        scale=1.15,
    ),
    "bird": Shape(
        (
            Part(polygon((0.1, -0.1), (0.1, 0.12), (-0.42, 0.26), (-0.46, -0.2)), (-0.5, 0.12)),
            Part(ellipse(0.58, 0.3), (-0.02, 0.12)),
            Part(disc(0.25), (0.5, -0.12)),
            Part(polygon((0.0, -0.1), (0.32, 0.04), (0.0, 0.12)), (0.66, -0.12), paint=(240, 160, 40)),
            Part(ellipse(0.25, 0.56, (-0.1, -0.5)), (-0.02, 0.1), swing=0.8, phase=0.4),
            Part(disc(0.06), (0.56, -0.18), paint=(250, 250, 250)),
        ),
        is_directional=True,
        scale=1.25,
    ),
    "snake": Shape(_snake(), is_directional=True, scale=1.4),
    "car": Shape(
        (
            Part(polygon((-0.3, -0.3), (0.3, -0.3), (0.52, 0.24), (-0.52, 0.24)), (-0.08, -0.22)),
            Part(
                polygon((-0.2, -0.17), (0.22, -0.17), (0.35, 0.15), (-0.33, 0.15)),
                (-0.08, -0.22),
                paint=_PALE,
            ),
            Part(box(0.98, 0.3, 0.16), (0.0, 0.22)),
            Part(disc(0.24), (-0.52, 0.48), paint=_DARK),
            Part(disc(0.24), (0.52, 0.48), paint=_DARK),
            Part(box(0.18, 0.05), (-0.52, 0.48), swing=2.4, paint=_PALE),
            Part(box(0.18, 0.05), (0.52, 0.48), swing=2.4, paint=_PALE),
        ),
        is_directional=True,
        scale=1.15,
    ),
}
"""Seven rigid bodies and five articulated ones."""
