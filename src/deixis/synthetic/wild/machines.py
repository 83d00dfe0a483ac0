"""Machines: cars, vans, buses, trucks, trains, two-wheelers, boats, aircraft; and balls."""

from itertools import pairwise

import numpy as np

from .figure import Figure, Part, Shape, Swing, bar, box, ellipse, limb, points, smooth

VEHICLES = ("car", "jeep", "van", "bus", "truck", "pickup")


def wheel(x: float, radius: float, spokes: int, depth: float, parent: int = 0, rim: str = "rim") -> Part:
    """Return a turning wheel whose hub is at (x, -radius)."""
    shapes = [
        Shape(ellipse(0, 0, radius, radius), "tyre"),
        Shape(ellipse(0, 0, radius * 0.6, radius * 0.6), rim),
    ]
    for turn in np.arange(spokes) * np.pi / max(spokes, 1):
        tip = (radius * 0.6 * np.cos(turn), radius * 0.6 * np.sin(turn))
        shapes.append(Shape(bar((-tip[0], -tip[1]), tip, radius * 0.13), "tyre"))
    return Part(tuple(shapes), parent, (x, -radius), Swing(spin=1.0), depth=depth)


def vehicle(rng: np.random.Generator, kind: str) -> Figure:
    """Build a vehicle of length 1, from the side or (one in four) from the front or the rear.

    Paints: body, glass, tyre, rim, light, trim, cargo.
    """
    if rng.random() < 0.25:
        return _vehicle_end(rng, kind)
    radius = {"jeep": 0.11, "bus": 0.06, "truck": 0.075}.get(kind, 0.085) * float(rng.uniform(0.9, 1.15))
    height = {"car": 0.31, "jeep": 0.42, "van": 0.44, "bus": 0.33, "truck": 0.42, "pickup": 0.36}[kind]
    height *= float(rng.uniform(0.9, 1.15))
    floor = -radius * 0.8
    shapes = _side_shapes(rng, kind, height, floor)
    shapes.append(Shape(box(0.46, floor - height * 0.36, 0.5, floor - height * 0.24), "light"))
    shapes.append(Shape(box(-0.5, floor - height * 0.38, -0.47, floor - height * 0.26), "tail"))
    shapes.append(Shape(bar((-0.5, floor - 0.01), (0.5, floor - 0.01), 0.03), "trim"))
    body = Part(tuple(shapes), joint=(0.0, 0.0), swing=Swing(0.0, 0.006, 0.0), depth=2)
    places = [-0.31, 0.31] if kind != "truck" else [-0.36, -0.2, 0.34]
    spokes = int(rng.integers(2, 5))
    return Figure((body, *(wheel(x, radius, spokes, 3) for x in places)))


def _side_shapes(rng: np.random.Generator, kind: str, height: float, floor: float) -> list[Shape]:
    top, belt = floor - height, floor - height * 0.52
    if kind in ("car", "jeep", "pickup"):
        hood = belt + height * 0.08
        rear = float(rng.uniform(-0.46, -0.3)) if kind == "car" else -0.5 if kind == "jeep" else 0.0
        front = float(rng.uniform(0.02, 0.12)) + (0.08 if kind != "car" else 0.0)
        boot = belt if kind == "car" else belt + 0.02
        lower = smooth(
            points(
                (-0.5, floor),
                (-0.5, boot + 0.03),
                (-0.46, boot),
                (0.44, hood),
                (0.5, hood + height * 0.14),
                (0.5, floor),
            ),
            1,
        )
        slope = 0.16 if kind == "car" else 0.06
        cabin = points(
            (rear, belt + 0.03), (rear + slope * 0.7, top), (front, top), (front + slope, belt + 0.04)
        )
        inner = points(
            (rear + 0.045, belt),
            (rear + slope * 0.7 + 0.02, top + 0.03),
            (front - 0.01, top + 0.03),
            (front + slope - 0.05, belt),
        )
        middle = (rear + front) / 2 + 0.03
        post = bar((middle, belt + 0.02), (middle, top), 0.03)
        return [
            Shape(lower, "body"),
            Shape(smooth(cabin, 1), "body"),
            Shape(inner, "glass"),
            Shape(post, "body"),
        ]
    if kind == "truck":
        nose = float(rng.uniform(0.26, 0.32))
        cab = smooth(
            points((0.22, floor), (0.22, top + 0.08), (0.44, top + 0.08), (0.5, belt), (0.5, floor)), 1
        )
        load = box(-0.5, top, nose - 0.1, floor - 0.05)
        window = points((nose + 0.04, belt), (nose + 0.04, top + 0.12), (0.43, top + 0.12), (0.47, belt))
        bed = box(-0.5, floor - 0.07, 0.3, floor)
        return [Shape(bed, "trim"), Shape(load, "cargo"), Shape(cab, "body"), Shape(window, "glass")]
    nose = 0.02 if kind == "bus" else float(rng.uniform(0.08, 0.18))
    shell = smooth(
        points(
            (-0.5, floor),
            (-0.5, top + 0.02),
            (-0.47, top),
            (0.5 - nose * 1.3, top),
            (0.5 - nose * 0.4, belt),
            (0.5, belt + 0.05),
            (0.5, floor),
        ),
        1,
    )
    shapes = [Shape(shell, "body")]
    if rng.random() < 0.5:
        shapes.append(Shape(box(-0.49, belt + height * 0.1, 0.49, belt + height * 0.22), "trim"))
    count = int(rng.integers(5, 9)) if kind == "bus" else int(rng.integers(2, 4))
    edges = np.linspace(-0.46, 0.47 - nose, count + 1)
    ceiling = top + height * 0.12
    shapes += [Shape(box(a + 0.01, ceiling, b - 0.01, belt), "glass") for a, b in pairwise(edges)]
    return shapes


def _vehicle_end(rng: np.random.Generator, kind: str) -> Figure:
    height = {"car": 0.75, "jeep": 0.95, "van": 1.1, "bus": 1.25, "truck": 1.3, "pickup": 0.85}[kind]
    height *= float(rng.uniform(0.9, 1.12))
    high = -height
    belt = high * 0.58
    roof = 0.36 if kind in ("car", "jeep", "pickup") else 0.47
    shell = smooth(
        points((-0.5, -0.1), (-0.5, belt), (-roof, high), (roof, high), (0.5, belt), (0.5, -0.1)), 1
    )
    glass = points((-0.43, belt), (-roof + 0.04, high + 0.06), (roof - 0.04, high + 0.06), (0.43, belt))
    lamp = "light" if rng.random() < 0.5 else "tail"
    shapes = [
        Shape(box(-0.48, -0.2, -0.32, 0.0, 0.02), "tyre"),
        Shape(box(0.32, -0.2, 0.48, 0.0, 0.02), "tyre"),
        Shape(shell, "body"),
        Shape(glass, "glass"),
        Shape(box(-0.46, belt * 0.72, -0.3, belt * 0.55), lamp),
        Shape(box(0.3, belt * 0.72, 0.46, belt * 0.55), lamp),
        Shape(box(-0.25, belt * 0.7, 0.25, belt * 0.5), "trim"),
        Shape(box(-0.5, -0.18, 0.5, -0.08, 0.02), "trim"),
        Shape(box(-0.12, -0.26, 0.12, -0.19), "light"),
    ]
    return Figure((Part(tuple(shapes), swing=Swing(0.0, 0.006), depth=2),))


def train(rng: np.random.Generator) -> Figure:
    """Build a locomotive with cars, of length 1 in all; paints as of a vehicle."""
    count = int(rng.integers(2, 5))
    length, gap = 1 / count, 0.012
    height = length * float(rng.uniform(0.4, 0.7))
    shapes: list[Shape] = [Shape(bar((-0.5, -0.02), (0.48, -0.02), 0.02), "trim")]
    nose = length * float(rng.uniform(0.04, 0.3))
    for car in range(count):
        right = 0.5 - car * length
        left, floor = right - length + gap, -0.02
        if car == 0:
            shell = points(
                (left, floor),
                (left, -height),
                (right - nose, -height),
                (right, -height * 0.45),
                (right, floor),
            )
        else:
            shell = box(left, -height * 0.97, right, floor)
        shapes.append(Shape(shell, "body" if car == 0 or rng.random() < 0.7 else "cargo"))
        shapes.append(Shape(box(left, -height * 0.35, right, -height * 0.25), "trim"))
        edges = np.linspace(left + 0.015, right - 0.015 - (nose if car == 0 else 0), int(rng.integers(3, 7)))
        width = (edges[1] - edges[0]) * 0.7
        shapes += [Shape(box(x, -height * 0.8, x + width, -height * 0.48), "glass") for x in edges[:-1]]
        shapes += [
            Shape(ellipse(x, -0.015, 0.02, 0.02), "tyre") for x in np.linspace(left + 0.04, right - 0.04, 4)
        ]
    return Figure((Part(tuple(shapes), swing=Swing(0.0, 0.002), depth=2),))


def two_wheeler(rng: np.random.Generator, kind: str) -> tuple[Figure, tuple[float, float]]:
    """Build a "bicycle" or "motorbike" of length 1, and say where its saddle is.

    Paints: body, tyre, rim, trim, light, glass (what is seen between the spokes is not drawn).
    """
    if kind == "bicycle":
        radius, thick = float(rng.uniform(0.19, 0.23)), 0.022
        rear, front = (-0.29, -radius), (0.29, -radius)
        crank, seat, bars = (-0.03, -radius * 0.95), (-0.12, -0.5), (0.2, -0.52)
        lines = [
            (rear, crank),
            (rear, (seat[0], -0.45)),
            (crank, seat),
            ((-0.11, -0.45), (0.2, -0.46)),
            (crank, (0.2, -0.44)),
            (front, bars),
        ]
        shapes = [Shape(bar(start, stop, thick), "body") for start, stop in lines]
        shapes += [
            Shape(ellipse(seat[0], seat[1], 0.07, 0.02), "tyre"),
            Shape(bar(bars, (0.27, -0.53), 0.025), "tyre"),
        ]
        body = Part(tuple(shapes), depth=2)
        return Figure((body, _ring(-0.29, radius), _ring(0.29, radius))), (seat[0], seat[1] - 0.02)
    radius = float(rng.uniform(0.15, 0.19))
    tank = smooth(points((-0.1, -0.34), (0.02, -0.46), (0.17, -0.44), (0.2, -0.34), (0.05, -0.28)))
    engine = box(-0.12, -0.32, 0.14, -0.13, 0.03)
    tail = points((-0.4, -0.44), (-0.1, -0.4), (-0.08, -0.32), (-0.3, -0.36))
    fork = bar((0.33, -radius), (0.2, -0.5), 0.035)
    shapes = [
        Shape(bar((-0.33, -radius), (-0.05, -0.25), 0.04), "trim"),
        Shape(fork, "trim"),
        Shape(engine, "trim"),
        Shape(tail, "body"),
        Shape(tank, "body"),
        Shape(bar((0.2, -0.5), (0.12, -0.54), 0.025), "tyre"),
        Shape(ellipse(0.25, -0.46, 0.04, 0.04), "light"),
        Shape(points((0.2, -0.3), (0.42, -0.34), (0.44, -0.3), (0.3, -0.26)), "body"),
    ]
    wheels = [wheel(x, radius, 3, 1, rim="trim") for x in (-0.33, 0.33)]
    return Figure((Part(tuple(shapes), depth=2), *wheels)), (-0.14, -0.42)


def _ring(x: float, radius: float) -> Part:
    """Return a thin wheel: a tyre of bars, a few spokes, and air between them."""
    count = 18
    turns = np.linspace(0, 2 * np.pi, count + 1)
    rim = np.stack([np.cos(turns), np.sin(turns)], axis=1) * radius
    shapes = [
        Shape(bar((float(a[0]), float(a[1])), (float(b[0]), float(b[1])), radius * 0.13), "tyre")
        for a, b in zip(rim[:-1] * 0.95, rim[1:] * 0.95, strict=True)
    ]
    for turn in np.arange(4) * np.pi / 4:
        tip = (0.9 * radius * np.cos(turn), 0.9 * radius * np.sin(turn))
        shapes.append(Shape(bar((-tip[0], -tip[1]), tip, radius * 0.035), "rim"))
    return Part(tuple(shapes), 0, (x, -radius), Swing(spin=1.0), depth=1)


def boat(rng: np.random.Generator, *, has_sail: bool) -> Figure:
    """Build a boat of length 1 whose waterline is at y = 0; paints: body, trim, sail, glass, cargo."""
    side = float(rng.uniform(0.1, 0.2))
    hull = points((-0.48, -side), (0.5, -side * 1.3), (0.4, 0.0), (-0.42, 0.0))
    shapes = [
        Shape(smooth(hull, 1), "body"),
        Shape(
            points((-0.47, -side * 0.9), (0.49, -side * 1.25), (0.48, -side), (-0.47, -side * 0.7)), "trim"
        ),
    ]
    if has_sail:
        high, foot = float(rng.uniform(0.8, 1.3)), -side - 0.06
        mast = bar((0.05, -side), (0.05, -high), 0.018)
        main = points((0.03, -high * 0.97), (0.03, foot), (-float(rng.uniform(0.28, 0.42)), foot))
        shapes = [Shape(mast, "trim"), Shape(main, "sail"), *shapes]
        if rng.random() < 0.6:
            shapes.insert(0, Shape(points((0.07, -high * 0.85), (0.07, foot), (0.42, foot + 0.03)), "sail"))
    elif rng.random() < 0.75:
        left, right, roof = (
            float(rng.uniform(-0.35, -0.1)),
            float(rng.uniform(0.05, 0.25)),
            -side - float(rng.uniform(0.1, 0.24)),
        )
        shapes.insert(
            0, Shape(points((left, -side), (left, roof), (right - 0.06, roof), (right, -side)), "cargo")
        )
        edges = np.linspace(left + 0.02, right - 0.08, 4)
        shapes += [Shape(box(x, roof + 0.03, x + 0.05, roof + 0.08), "glass") for x in edges]
    return Figure((Part(tuple(shapes), swing=Swing(0.0, float(rng.uniform(0.01, 0.06))), depth=2),))


def aircraft(rng: np.random.Generator, kind: str) -> Figure:
    """Build an "airplane" or "helicopter" of length 1, its middle at the origin."""
    if kind == "helicopter":
        cabin = smooth(
            points((-0.12, -0.12), (0.2, -0.13), (0.34, 0.0), (0.3, 0.1), (-0.1, 0.1), (-0.2, 0.0))
        )
        boom = points((-0.12, -0.08), (-0.55, -0.06), (-0.55, -0.02), (-0.12, 0.03))
        shapes = [
            Shape(bar((0.05, -0.2), (0.05, -0.08), 0.03), "trim"),
            Shape(boom, "body"),
            Shape(points((-0.5, -0.04), (-0.62, -0.2), (-0.54, -0.2), (-0.46, -0.04)), "body"),
            Shape(cabin, "body"),
            Shape(smooth(points((0.14, -0.09), (0.24, -0.08), (0.31, 0.01), (0.14, 0.01)), 1), "glass"),
            Shape(bar((-0.12, 0.18), (0.28, 0.18), 0.02), "trim"),
            Shape(bar((0.0, 0.08), (-0.02, 0.18), 0.015), "trim"),
            Shape(bar((0.18, 0.08), (0.2, 0.18), 0.015), "trim"),
        ]
        rotor = Shape(bar((-0.55, 0.0), (0.55, 0.0), 0.02), "trim")
        turned = Part(
            (Shape(rotor.outline[:, ::-1], "trim"),),
            0,
            (0.05, -0.21),
            Swing(np.pi / 2, 0.03, flap=0.5, flap_rest=0.5),
            depth=3,
        )
        return Figure((Part(tuple(shapes), swing=Swing(0.05, 0.03), depth=2), turned))
    slim = float(rng.uniform(0.05, 0.085))
    body = smooth(
        points((0.5, 0.01), (0.4, -slim), (-0.4, -slim), (-0.52, -slim * 0.8), (-0.35, slim), (0.38, slim)), 1
    )
    fin = points(
        (-0.36, -slim * 0.8),
        (-0.52, -slim - float(rng.uniform(0.1, 0.18))),
        (-0.44, -slim - 0.12),
        (-0.2, -slim * 0.8),
    )
    near = points((0.1, 0.02), (-0.2, float(rng.uniform(0.16, 0.34))), (-0.3, 0.22), (-0.08, 0.02))
    far = points((0.1, -slim * 0.6), (-0.1, -0.2), (-0.17, -0.2), (-0.06, -slim * 0.6))
    tail = points((-0.38, 0.0), (-0.55, 0.08), (-0.58, 0.05), (-0.46, -0.01))
    windows = [
        Shape(box(x, -slim * 0.45, x + 0.02, -slim * 0.1), "glass") for x in np.linspace(-0.25, 0.36, 12)
    ]
    shapes = [
        Shape(far, "trim"),
        Shape(fin, "cargo"),
        Shape(body, "body"),
        *windows,
        Shape(tail, "trim"),
        Shape(near, "trim"),
    ]
    return Figure((Part(tuple(shapes), swing=Swing(0.0, 0.02), depth=2),))


def ball(rng: np.random.Generator) -> Figure:
    """Build a ball of diameter 1 standing at y = 0; paints: coat, dark."""
    shapes = [Shape(ellipse(0, 0, 0.5, 0.5, count=28), "coat")]
    if rng.random() < 0.5:
        for turn in np.linspace(0, 2 * np.pi, 6)[:-1]:
            shapes.append(Shape(ellipse(0.34 * np.cos(turn), 0.34 * np.sin(turn), 0.1, 0.1, count=6), "dark"))
        shapes.append(Shape(ellipse(0, 0, 0.13, 0.13, count=5), "dark"))
    return Figure((Part(tuple(shapes), joint=(0.0, -0.5), swing=Swing(spin=1.0)),))


def swing_seat() -> tuple[Figure, tuple[float, float]]:
    """Build a swing that hangs from the origin, of height 1, and say where its seat is."""
    shapes = (
        Shape(bar((-0.05, 0.0), (-0.05, 1.0), 0.012), "trim"),
        Shape(bar((0.05, 0.0), (0.05, 1.0), 0.012), "trim"),
        Shape(box(-0.12, 0.98, 0.12, 1.02), "body"),
    )
    return Figure((Part(shapes, swing=Swing(0.0, 0.5), depth=1),)), (0.0, 0.97)


def blob(rng: np.random.Generator) -> Figure:
    """Build a thing of no known kind, of height about 1: a wavy blob, a union with others, or limbs on it."""
    turns = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    radius = 1 + sum(
        float(rng.normal(0, 0.35 / k)) * np.cos(k * turns + rng.uniform(0, 6)) for k in range(2, 6)
    )
    radius = 0.42 * np.clip(radius, 0.35, 1.9)
    stretch = float(rng.uniform(0.6, 1.7))
    outline = np.stack([radius * np.cos(turns) * stretch, radius * np.sin(turns)], axis=1)
    shapes = [Shape(outline, "coat")]
    if rng.random() < 0.4:
        for _ in range(int(rng.integers(1, 4))):
            x, y = rng.uniform(-0.5, 0.5, 2)
            w, h = rng.uniform(0.1, 0.35, 2)
            piece = box(x - w, y - h, x + w, y + h) if rng.random() < 0.5 else ellipse(x, y, w, h)
            shapes.append(Shape(piece, str(rng.choice(["coat", "belly", "dark"]))))
    parts = [Part(tuple(shapes), joint=(0.0, -0.5), swing=Swing(0.0, 0.15, 0.0), depth=2)]
    for _ in range(int(rng.integers(0, 5)) if rng.random() < 0.5 else 0):
        turn = float(rng.uniform(0, 2 * np.pi))
        joint = (0.35 * stretch * np.cos(turn), 0.35 * np.sin(turn))
        length, width = float(rng.uniform(0.25, 0.6)), float(rng.uniform(0.05, 0.15))
        swing = Swing(turn - np.pi / 2, float(rng.uniform(0.3, 0.9)), float(rng.uniform(0, 6)))
        parts.append(
            Part(
                (Shape(limb(length, width, width * 0.6), "coat"),),
                0,
                joint,
                swing,
                depth=float(rng.integers(1, 4)),
            )
        )
    return Figure(tuple(parts))
