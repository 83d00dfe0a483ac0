"""Figures: bodies of jointed parts, each part a few painted polygons.

A figure stands at the origin (feet, wheels or waterline at y = 0; y down) and looks to the right; its unit is
its own height or length. Parts hang from parents at joints and swing with a phase that walks through the
cycle of the motion.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float

Outline = Float[np.ndarray, "n 2"]


@dataclass(frozen=True, eq=False)
class Shape:
    """One polygon and the name of its paint."""

    outline: Outline
    paint: str


@dataclass(frozen=True)
class Swing:
    """How a part turns about its joint: ``rest + amplitude * wave(phase + offset)`` radians.

    Attributes:
        rest: angle in the middle, positive turns from right to down.
        amplitude: of the turn.
        offset: lead within the cycle, radians.
        is_fold: the wave is of one sign, as of a knee.
        spin: full turns a cycle, as of a wheel.
        flap: amplitude of a change of the part's length along y, as of a wing seen from the side; 0: none.
        flap_rest: factor in the middle of the flap.
    """

    rest: float = 0.0
    amplitude: float = 0.0
    offset: float = 0.0
    is_fold: bool = False
    spin: float = 0.0
    flap: float = 0.0
    flap_rest: float = 1.0


@dataclass(frozen=True, eq=False)
class Part:
    """A rigid piece of a figure.

    Attributes:
        shapes: in the part's own coordinates, the joint at the origin; later ones on top.
        parent: index of the part that it hangs from; -1: the figure itself.
        joint: where, in the parent's coordinates.
        swing: how it turns.
        depth: drawn in this order, the smallest first.
        owner: which object of the figure it belongs to (a rider and a horse are two).
    """

    shapes: tuple[Shape, ...]
    parent: int = -1
    joint: tuple[float, float] = (0.0, 0.0)
    swing: Swing = field(default_factory=Swing)
    depth: float = 0.0
    owner: int = 0


@dataclass(frozen=True, eq=False)
class Figure:
    """Parts, parents before children."""

    parts: tuple[Part, ...]

    def transforms(self, phase: float, vigour: float = 1.0) -> Float[np.ndarray, "p 2 3"]:
        """Return for each part the map from its coordinates to the figure's, at ``phase`` of the motion."""
        matrices = np.empty((len(self.parts), 2, 3))
        for index, part in enumerate(self.parts):
            swing = part.swing
            wave = np.sin(phase + swing.offset)
            turn = 0.5 + 0.5 * wave if swing.is_fold else wave
            angle = swing.rest + vigour * swing.amplitude * turn + swing.spin * phase
            stretch = swing.flap_rest + vigour * swing.flap * wave if swing.flap else 1.0
            cos, sin = np.cos(angle), np.sin(angle)
            own = np.array([[cos, -sin * stretch, part.joint[0]], [sin, cos * stretch, part.joint[1]]])
            matrices[index] = own if part.parent < 0 else chain(matrices[part.parent], own)
        return matrices

    def extents(self) -> tuple[float, float]:
        """Return its width and height at rest."""
        matrices = self.transforms(0.0, 0.0)
        outlines = [
            shape.outline @ matrix[:, :2].T + matrix[:, 2]
            for part, matrix in zip(self.parts, matrices, strict=True)
            for shape in part.shapes
        ]
        spots = np.concatenate(outlines)
        width, height = spots.max(axis=0) - spots.min(axis=0)
        return float(width), float(height)

    def owners(self) -> int:
        """Return how many objects the figure has."""
        return 1 + max(part.owner for part in self.parts)


def chain(outer: Float[np.ndarray, "2 3"], inner: Float[np.ndarray, "2 3"]) -> Float[np.ndarray, "2 3"]:
    """Return the affine map ``outer`` after ``inner``."""
    joined = outer[:, :2] @ inner
    joined[:, 2] += outer[:, 2]
    return joined


def join(base: Figure, other: Figure, parent: int, joint: tuple[float, float], scale: float) -> Figure:
    """Return ``base`` with ``other``, scaled, hung from its part ``parent`` as one more object."""
    shift, owner = len(base.parts), base.owners()
    hung = tuple(
        replace(
            part,
            shapes=tuple(Shape(shape.outline * scale, f"{owner}{shape.paint}") for shape in part.shapes),
            parent=part.parent + shift if part.parent >= 0 else parent,
            joint=(
                part.joint[0] * scale + (joint[0] if part.parent < 0 else 0.0),
                part.joint[1] * scale + (joint[1] if part.parent < 0 else 0.0),
            ),
            owner=part.owner + owner,
        )
        for part in other.parts
    )
    return Figure(base.parts + hung)


def ellipse(x: float, y: float, rx: float, ry: float, angle: float = 0.0, count: int = 20) -> Outline:
    """Return an ellipse about (x, y), turned by ``angle``."""
    turns = np.linspace(0, 2 * np.pi, count, endpoint=False)
    points = np.stack([rx * np.cos(turns), ry * np.sin(turns)], axis=1)
    cos, sin = np.cos(angle), np.sin(angle)
    return points @ np.array([[cos, sin], [-sin, cos]]) + (x, y)


def limb(length: float, start: float, end: float) -> Outline:
    """Return a tapering limb that hangs from the origin down to y = ``length``, with round ends."""
    turns = np.linspace(0, np.pi, 6)
    top = np.stack([np.cos(turns + np.pi), np.sin(turns + np.pi)], axis=1) * start / 2
    bottom = np.stack([np.cos(turns), np.sin(turns)], axis=1) * end / 2 + (0, length)
    return np.concatenate([top, bottom])


def bar(start: tuple[float, float], stop: tuple[float, float], width: float) -> Outline:
    """Return a straight bar between two points."""
    begin, end = np.asarray(start, float), np.asarray(stop, float)
    along = (end - begin) / max(float(np.hypot(*(end - begin))), 1e-9)
    across = np.array([-along[1], along[0]]) * width / 2
    return np.stack([begin - across, end - across, end + across, begin + across])


def box(left: float, top: float, right: float, bottom: float, corner: float = 0.0) -> Outline:
    """Return a rectangle whose corners are cut by ``corner``."""
    if corner <= 0:
        return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], float)
    return np.array(
        [
            [left + corner, top],
            [right - corner, top],
            [right, top + corner],
            [right, bottom - corner],
            [right - corner, bottom],
            [left + corner, bottom],
            [left, bottom - corner],
            [left, top + corner],
        ],
        float,
    )


def points(*values: tuple[float, float]) -> Outline:
    """Return the polygon through ``values``."""
    return np.array(values, float)


def smooth(outline: Outline, rounds: int = 2) -> Outline:
    """Round the corners of a closed polygon by cutting them (Chaikin, 1974)."""
    for _ in range(rounds):
        following = np.roll(outline, -1, axis=0)
        outline = np.stack([0.75 * outline + 0.25 * following, 0.25 * outline + 0.75 * following], axis=1)
        outline = outline.reshape(-1, 2)
    return outline
