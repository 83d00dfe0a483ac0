"""Animals: quadrupeds by proportion, birds that stand, swim or fly, fish, snakes."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from .figure import Figure, Outline, Part, Shape, Swing, bar, ellipse, limb, points, smooth


@dataclass(frozen=True)
class Proportions:
    """Measures of a quadruped, in lengths of its trunk.

    Attributes:
        depth: of the body.
        leg: from the belly to the ground.
        leg_width: at the top.
        neck: length and angle from the horizontal (radians, up).
        head: length and height.
        tail: length, width and angle (down from the horizontal).
        ears: length; negative ones hang.
        extra: "", "trunk", "mane", "horns" or "hump".
    """

    depth: float
    leg: float
    leg_width: float
    neck: tuple[float, float]
    head: tuple[float, float]
    tail: tuple[float, float, float]
    ears: float
    extra: str = ""


PROPORTIONS: Mapping[str, Proportions] = MappingProxyType(
    {
        "dog": Proportions(0.38, 0.36, 0.12, (0.24, 0.75), (0.3, 0.17), (0.4, 0.07, -0.5), -0.14),
        "small dog": Proportions(0.42, 0.22, 0.11, (0.16, 0.8), (0.3, 0.2), (0.25, 0.07, -0.7), 0.1),
        "cat": Proportions(0.33, 0.28, 0.1, (0.14, 0.6), (0.22, 0.18), (0.6, 0.06, -0.3), 0.09),
        "horse": Proportions(0.4, 0.56, 0.12, (0.5, 0.85), (0.36, 0.16), (0.5, 0.1, 1.1), 0.08, "mane"),
        "cow": Proportions(0.46, 0.36, 0.12, (0.25, 0.35), (0.3, 0.18), (0.5, 0.04, 1.3), -0.1, "horns"),
        "sheep": Proportions(0.52, 0.24, 0.08, (0.16, 0.6), (0.24, 0.15), (0.12, 0.06, 1.0), -0.1),
        "bear": Proportions(0.54, 0.28, 0.2, (0.18, 0.2), (0.32, 0.24), (0.06, 0.06, 0.8), 0.07),
        "elephant": Proportions(0.66, 0.4, 0.24, (0.08, 0.25), (0.36, 0.4), (0.4, 0.03, 1.3), -0.36, "trunk"),
        "giraffe": Proportions(0.5, 0.95, 0.13, (1.15, 1.15), (0.32, 0.15), (0.5, 0.04, 1.3), 0.1, "horns"),
        "deer": Proportions(0.36, 0.5, 0.09, (0.42, 0.95), (0.26, 0.13), (0.1, 0.06, 0.2), 0.12, "horns"),
        "pig": Proportions(0.48, 0.18, 0.1, (0.06, 0.1), (0.3, 0.22), (0.15, 0.03, 0.2), 0.1),
        "lion": Proportions(0.36, 0.34, 0.12, (0.2, 0.5), (0.26, 0.2), (0.6, 0.04, 0.9), 0.06, "mane"),
        "camel": Proportions(0.44, 0.62, 0.11, (0.6, 0.8), (0.28, 0.14), (0.3, 0.04, 1.2), 0.05, "hump"),
        "rabbit": Proportions(0.5, 0.14, 0.12, (0.06, 0.6), (0.28, 0.2), (0.1, 0.1, 0.0), 0.32),
        "goat": Proportions(0.42, 0.4, 0.09, (0.28, 0.9), (0.26, 0.15), (0.12, 0.06, -0.6), -0.1, "horns"),
    }
)


def quadruped(rng: np.random.Generator, kind: str) -> Figure:
    """Build a four-legged animal with a trunk of length 1; paints: coat, belly, head, legs, dark, light."""
    base = PROPORTIONS[kind]

    def vary(value: float) -> float:
        return value * float(rng.uniform(0.88, 1.14))

    depth, leg, width = vary(base.depth), vary(base.leg), vary(base.leg_width)
    hip = -leg - depth * 0.5
    trunk = smooth(
        points(
            (-0.52, -depth * 0.15),
            (-0.42, -depth * 0.46),
            (0.0, -depth * 0.4),
            (0.4, -depth * 0.5),
            (0.54, -depth * 0.12),
            (0.44, depth * 0.42),
            (0.0, depth * 0.5),
            (-0.36, depth * 0.32),
            (-0.5, depth * 0.2),
        )
    )
    belly = ellipse(0.05, depth * 0.36, 0.34, depth * 0.14)
    shapes = [Shape(trunk, "coat"), Shape(belly, "belly")]
    if base.extra == "hump":
        shapes.insert(0, Shape(ellipse(-0.02, -depth * 0.5, 0.2, depth * 0.4), "coat"))
    sway = Swing(0.0, 0.04, float(rng.uniform(0, 6)))
    parts = [Part(tuple(shapes), joint=(0.0, hip), swing=sway, depth=3)]
    parts += _neck_and_head(rng, base, vary, depth, bool(rng.random() < 0.2))
    tail_length, tail_width, tail_angle = base.tail
    tail = Part(
        (Shape(limb(vary(tail_length), tail_width, tail_width * 0.6), "coat"),),
        0,
        (-0.48, -depth * 0.3),
        Swing(np.pi / 2 - vary(tail_angle), 0.3, float(rng.uniform(0, 6))),
        depth=2.5,
    )
    parts.append(tail)
    gallops = rng.random() < 0.35 and base.leg_width < 0.18
    reach = float(rng.uniform(0.35, 0.6)) * (1.5 if gallops else 1.0) * min(0.13 / base.leg_width, 1.0)
    for fore in (0, 1):
        for side in (0, 1):
            lead = (np.pi * fore + 0.5 * side) if gallops else np.pi * (fore + side) + 0.3 * fore
            x = (0.38 if fore else -0.38) + 0.03 * side
            parts += _leg(len(parts), x, hip + depth * 0.25, depth, leg, width, reach, lead, side, fore)
    return Figure(tuple(parts))


def _leg(
    index: int,
    x: float,
    y: float,
    depth: float,
    leg: float,
    width: float,
    reach: float,
    lead: float,
    side: int,
    fore: int,
) -> list[Part]:
    length = (leg + depth * 0.25) * 0.5
    upper = Part(
        (Shape(limb(length, width * 1.4, width * 0.85), "coat"),),
        -1,
        (x, y),
        Swing(0.05 if fore else -0.1, reach, lead),
        depth=1 if side else 4,
    )
    paw = Shape(ellipse(width * 0.12, length - width * 0.1, width * 0.5, width * 0.25), "dark")
    fold = Swing(0.0 if fore else 0.15, 0.9 if fore else -0.7, lead + 1.6, is_fold=True)
    lower = Part(
        (Shape(limb(length - width * 0.2, width * 0.8, width * 0.55), "legs"), paw),
        index,
        (0.0, length),
        fold,
        depth=upper.depth - 0.2,
    )
    return [upper, lower]


def _neck_and_head(rng, base, vary, depth, grazes):  # type: ignore[no-untyped-def]
    length, angle = vary(base.neck[0]), base.neck[1] * float(rng.uniform(0.8, 1.15))
    if grazes:
        angle = -0.6
    thick = max(depth * 0.42, base.head[1] * 0.7)
    # A limb hangs along +y; turning it by -(pi/2 + angle) makes it point forwards and up.
    turn = -(np.pi / 2 + angle)
    neck_shapes = [Shape(limb(length, thick * 1.25, thick * 0.72), "coat")]
    if base.extra == "mane":
        side = ellipse(-thick * 0.5, length * 0.5, thick * 0.3, length * 0.55)
        neck_shapes.insert(0, Shape(side, "dark"))
    nod = Swing(turn, 0.1, float(rng.uniform(0, 6)))
    neck = Part(tuple(neck_shapes), 0, (0.42, -depth * 0.2), nod, depth=3.5)
    head_length, height = vary(base.head[0]), vary(base.head[1])
    skull = smooth(
        points(
            (-height * 0.5, -height * 0.45),
            (height * 0.3, -height * 0.55),
            (head_length * 0.65, -height * 0.12),
            (head_length * 0.9, height * 0.02),
            (head_length * 0.85, height * 0.35),
            (0.0, height * 0.5),
            (-height * 0.5, height * 0.3),
        )
    )
    shapes = [
        Shape(skull, "head"),
        Shape(ellipse(head_length * 0.82, height * 0.08, height * 0.12, height * 0.1), "dark"),
    ]
    shapes.append(Shape(ellipse(height * 0.25, -height * 0.15, height * 0.08, height * 0.08), "dark"))
    if base.extra == "horns" and rng.random() < 0.7:
        tip = (-height * 0.2, -height * float(rng.uniform(1.1, 2.2)))
        shapes.insert(0, Shape(bar((0.0, -height * 0.4), tip, height * 0.15), "light"))
    if base.extra == "mane" and base.depth < 0.38:
        shapes.insert(0, Shape(ellipse(-height * 0.25, height * 0.15, height * 1.15, height * 1.25), "dark"))
    head = Part(
        tuple(shapes), 1, (0.0, length), Swing(-turn + 0.25 + (0.5 if grazes else 0.0), 0.12, 1.0), depth=3.8
    )
    parts = [neck, head, _ear(rng, base, height)]
    if base.extra == "trunk":
        trunk_length = float(rng.uniform(0.28, 0.36))
        upper = Part(
            (Shape(limb(trunk_length, 0.15, 0.11), "head"),),
            2,
            (head_length * 0.7, height * 0.1),
            Swing(-0.25, 0.2),
            depth=3.7,
        )
        lower = Part(
            (Shape(limb(trunk_length, 0.11, 0.07), "head"),),
            4,
            (0.0, trunk_length),
            Swing(0.2, 0.5, 0.8),
            depth=3.6,
        )
        parts += [upper, lower]
    return parts


def _ear(rng: np.random.Generator, base: Proportions, height: float) -> Part:
    size = abs(base.ears) * float(rng.uniform(0.85, 1.2))
    if base.extra == "trunk":
        shape = Shape(smooth(points((0.0, -0.1), (-0.28, -0.12), (-0.32, size * 0.6), (-0.1, size))), "dark")
        return Part((shape,), 2, (-0.0, -height * 0.2), Swing(0.0, 0.12, 0.0), depth=4.2)
    if base.ears < 0:
        shape = Shape(ellipse(0.0, size * 0.45, size * 0.35, size * 0.55), "dark")
        return Part((shape,), 2, (-height * 0.25, -height * 0.35), Swing(0.2, 0.15, 0.7), depth=4.2)
    shape = Shape(points((-size * 0.35, 0.1 * size), (size * 0.35, 0.1 * size), (0.0, -size)), "head")
    return Part((shape,), 2, (-height * 0.2, -height * 0.4), Swing(-0.15, 0.08), depth=3.9)


def standing_bird(rng: np.random.Generator) -> Figure:
    """Build a standing or wading bird of length about 1; paints: coat, belly, head, wing, beak, legs."""
    leg = float(np.exp(rng.uniform(np.log(0.12), np.log(0.95))))
    neck = leg * float(rng.uniform(0.5, 1.2))
    parts = _bird_body(rng, -leg - 0.2, neck, float(rng.uniform(0.05, 0.35)))
    thick = 0.045
    for side in (0, 1):
        shape = Shape(limb(leg * 0.55, thick * 1.3, thick), "legs")
        thigh = Part((shape,), -1, (0.02, -leg - 0.05), Swing(-0.1, 0.4, np.pi * side), depth=1 - side)
        parts.append(thigh)
        foot = Shape(bar((-0.03, leg * 0.5), (0.1, leg * 0.5), thick), "legs")
        shin = (Shape(limb(leg * 0.5, thick, thick * 0.8), "legs"), foot)
        joint = (0.0, leg * 0.55)
        parts.append(
            Part(shin, len(parts) - 1, joint, Swing(0.0, 0.7, np.pi * side + 1.6, is_fold=True), depth=0.5)
        )
    return Figure(tuple(parts))


def swimming_bird(rng: np.random.Generator) -> Figure:
    """Build a duck or swan whose waterline is at y = 0."""
    return Figure(tuple(_bird_body(rng, -0.1, float(rng.uniform(0.1, 0.55)), 0.12)))


def _bird_body(rng: np.random.Generator, y: float, neck: float, tilt: float) -> list[Part]:
    plump = float(rng.uniform(0.17, 0.27))
    body = smooth(
        points(
            (-0.55, -0.06),
            (-0.3, -plump * 0.8),
            (0.1, -plump),
            (0.34, -plump * 0.55),
            (0.36, plump * 0.3),
            (0.1, plump * 0.8),
            (-0.25, plump * 0.5),
        )
    )
    shapes = (Shape(body, "coat"), Shape(ellipse(0.12, plump * 0.45, 0.22, plump * 0.35), "belly"))
    parts = [Part(shapes, -1, (0.0, y), Swing(-tilt, 0.04, 1.0), depth=3)]
    wing = ellipse(-0.12, -plump * 0.2, 0.32, plump * 0.5, 0.12)
    parts.append(Part((Shape(wing, "wing"),), 0, (0.0, 0.0), Swing(0.0, 0.05), depth=3.5))
    curve = float(rng.uniform(0.2, 0.6))
    thick = 0.12 if neck < 0.3 else 0.08
    low = Part(
        (Shape(limb(neck * 0.5, thick * 1.4, thick), "head"),),
        0,
        (0.3, -plump * 0.4),
        Swing(np.pi + 0.9 - curve, 0.12),
        depth=2.9,
    )
    high = Part(
        (Shape(limb(neck * 0.5, thick, thick * 0.9), "head"),),
        2,
        (0.0, neck * 0.5),
        Swing(curve * 0.6 - 0.6, 0.15, 0.6),
        depth=2.9,
    )
    radius = float(rng.uniform(0.075, 0.12))
    beak_length = float(rng.uniform(0.8, 2.4)) * radius
    beak = points(
        (radius * 0.6, -radius * 0.35),
        (radius * 0.6 + beak_length, radius * 0.3),
        (radius * 0.5, radius * 0.45),
    )
    skull = (
        Shape(beak, "beak"),
        Shape(ellipse(0, 0, radius * 1.1, radius), "head"),
        Shape(ellipse(radius * 0.4, -radius * 0.2, radius * 0.15, radius * 0.15), "dark"),
    )
    # The skull looks forwards whatever the neck does: the turns of the chain are taken back.
    back = -(np.pi + 0.9 - curve) - (curve * 0.6 - 0.6) + tilt
    parts += [low, high, Part(skull, 3, (0.0, neck * 0.5 + radius * 0.4), Swing(back, 0.1), depth=3.2)]
    return parts


def flying_bird(rng: np.random.Generator) -> Figure:
    """Build a bird in flight, its body at the origin, seen from the side with the wings up and down."""
    slim, span = float(rng.uniform(0.07, 0.13)), float(rng.uniform(0.45, 0.85))
    body = smooth(
        points(
            (-0.42, 0.0), (-0.1, -slim), (0.3, -slim * 0.8), (0.45, 0.0), (0.25, slim), (-0.15, slim * 0.8)
        )
    )
    tail = points((-0.35, -0.02), (-0.62, -0.09), (-0.66, 0.0), (-0.62, 0.09), (-0.35, 0.04))
    beak = points((0.42, -0.03), (0.58, 0.02), (0.42, 0.05))
    shapes = (
        Shape(tail, "wing"),
        Shape(beak, "beak"),
        Shape(body, "coat"),
        Shape(ellipse(0.36, -0.02, 0.1, 0.085), "head"),
    )
    parts = [Part(shapes, -1, (0.0, -0.4), Swing(-0.08, 0.05, 1.5), depth=3)]
    chord = float(rng.uniform(0.2, 0.34))
    wing = points(
        (-chord, 0.0),
        (chord * 0.8, 0.0),
        (chord * 0.6, -span * 0.5),
        (-chord * 0.3, -span),
        (-chord * 1.1, -span * 0.85),
        (-chord * 1.1, -span * 0.3),
    )
    for side, lean in ((0, -0.15), (1, 0.25)):
        shape = Shape(smooth(wing, 1), "wing")
        parts.append(
            Part(
                (shape,),
                0,
                (0.05, 0.0),
                Swing(lean, 0.1, 0.3, flap=0.95, flap_rest=0.2),
                depth=4 if side == 0 else 1,
            )
        )
    return Figure(tuple(parts))


def chain_of(
    outline: Outline, count: int, sway: float, lag: float, paint: str, extras: dict[int, list[Shape]]
) -> Figure:
    """Cut a long body (head at +x, symmetric about y = 0) into pieces that bend in a running wave."""
    edges = np.linspace(outline[:, 0].max(), outline[:, 0].min(), count + 1)
    parts: list[Part] = []
    for index in range(count):
        front, rear = edges[index], edges[index + 1]
        overlap = (front - rear) * 0.35
        xs = np.linspace(front + (overlap if index else 0), rear - (overlap if index < count - 1 else 0), 7)
        half = np.interp(xs[::-1], *_profile(outline))[::-1]
        piece = np.concatenate([np.stack([xs, -half], 1), np.stack([xs, half], 1)[::-1]]) - (front, 0.0)
        shapes = (*extras.get(-index - 1, ()), Shape(piece, paint), *extras.get(index, ()))
        joint = (front, 0.0) if index == 0 else (edges[index] - edges[index - 1], 0.0)
        swing = Swing(0.0, sway * (0.4 + index / count), -lag * index)
        parts.append(Part(shapes, index - 1, joint, swing, depth=count - index))
    return Figure(tuple(parts))


def _profile(outline: Outline) -> tuple[np.ndarray, np.ndarray]:
    upper = outline[outline[:, 1] >= 0]
    order = np.argsort(upper[:, 0])
    return upper[order, 0], upper[order, 1]


def fish(rng: np.random.Generator) -> Figure:
    """Build a fish of length 1 about the origin; paints: coat, wing (fins), dark."""
    height = float(rng.uniform(0.1, 0.3))
    xs = np.linspace(0.5, -0.5, 24)
    profile = height * np.sqrt(np.clip(1 - ((xs - 0.12) / np.where(xs > 0.12, 0.38, 0.62)) ** 2, 0, 1)) + 0.02
    outline = np.concatenate([np.stack([xs, profile], 1), np.stack([xs[::-1], -profile[::-1]], 1)])
    eye = Shape(ellipse(-0.09, -height * 0.25, 0.025, 0.025), "dark")
    fork = float(rng.uniform(0.12, 0.24))
    tail = Shape(points((0.02, -0.02), (-0.3, -fork), (-0.22, 0.0), (-0.3, fork), (0.02, 0.02)), "wing")
    fin_height = float(rng.uniform(0.05, 0.22))
    fin = Shape(points((0.05, -height * 0.8), (-0.15, -height - fin_height), (-0.22, -height * 0.6)), "wing")
    low = Shape(
        points((0.0, height * 0.5), (-0.14, height + fin_height * 0.5), (-0.16, height * 0.4)), "wing"
    )
    return chain_of(
        outline, 5, float(rng.uniform(0.1, 0.25)), 0.9, "coat", {0: [eye], -3: [fin, low], -5: [tail]}
    )


def snake(rng: np.random.Generator) -> Figure:
    """Build a snake or worm of length 1 about the origin."""
    thick = float(rng.uniform(0.025, 0.07))
    xs = np.linspace(0.5, -0.5, 30)
    profile = thick * np.minimum(1, 0.25 + 6 * (xs + 0.5)) * np.where(xs > 0.47, 0.7, 1)
    outline = np.concatenate([np.stack([xs, profile], 1), np.stack([xs[::-1], -profile[::-1]], 1)])
    return chain_of(outline, 12, float(rng.uniform(0.35, 0.6)), 0.65, "coat", {})


def butterfly(rng: np.random.Generator) -> Figure:
    """Build a butterfly or moth about the origin."""
    span = float(rng.uniform(0.4, 0.55))
    parts = [Part((Shape(ellipse(0, 0, 0.05, 0.3), "dark"),), depth=3)]
    for side in (-1, 1):
        upper = Shape(ellipse(side * span * 0.55, -0.18, span * 0.55, 0.24, 0.5 * side), "wing")
        lower = Shape(ellipse(side * span * 0.42, 0.2, span * 0.4, 0.2, -0.4 * side), "coat")
        # A quarter turn makes the flap act across the body: the wings close sideways.
        turned = tuple(
            Shape(s.outline @ np.array([[0.0, -1.0], [1.0, 0.0]]), s.paint) for s in (lower, upper)
        )
        parts.append(
            Part(turned, 0, (0.0, 0.0), Swing(np.pi / 2, 0.0, 0.0, flap=0.4, flap_rest=0.6), depth=2)
        )
    return Figure(tuple(parts))
