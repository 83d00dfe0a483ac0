"""People: head, hair, torso, arms and legs that walk, run, jump, dance, stand or ride."""

from dataclasses import replace

import numpy as np

from .figure import Figure, Part, Shape, Swing, bar, box, ellipse, limb, points, smooth

GAITS = ("walk", "run", "dance", "stand", "ride", "sit", "skate")
"""What a body is doing."""

_REACH = {"walk": (0.42, 0.45), "run": (0.8, 1.0), "dance": (0.35, 1.2), "stand": (0.05, 0.15)}
_REACH |= {"ride": (0.35, 0.05), "sit": (0.1, 0.1), "skate": (0.35, 0.6)}
"""Swing of legs and arms, radians."""

_HIP = -0.49


def person(rng: np.random.Generator, gait: str = "walk") -> Figure:
    """Build a person of height 1 with the feet at y = 0; paints: skin, hair, top, bottom, shoes, bag, hat."""
    is_child = rng.random() < 0.2
    bulk = float(rng.uniform(0.8, 1.25)) * (1.15 if is_child else 1.0)
    frontal = gait in ("dance", "stand", "walk", "run") and rng.random() < 0.45
    head = (0.088 if is_child else 0.066) * float(rng.uniform(0.92, 1.1))
    leg_swing, arm_swing = (float(rng.uniform(0.75, 1.25)) * value for value in _REACH[gait])
    parts = [_torso(rng, bulk, frontal, gait)]
    parts.append(_head(rng, head, frontal))
    wears_shorts = rng.random() < 0.3
    for side in (0, 1):
        parts += _leg(rng, len(parts), side, leg_swing, bulk, frontal, gait, wears_shorts)
    has_sleeves = rng.random() < 0.55
    for side in (0, 1):
        parts += _arm(rng, len(parts), side, arm_swing, bulk, frontal, gait, has_sleeves)
    if gait != "ride" and rng.random() < 0.22:
        parts.append(_skirt(rng, bulk))
    if rng.random() < 0.2:
        parts.append(_bag(rng, bulk, frontal))
    return Figure(tuple(parts))


def _torso(rng: np.random.Generator, bulk: float, frontal: bool, gait: str) -> Part:
    shoulder = (0.125 if frontal else 0.085) * bulk
    waist = shoulder * float(rng.uniform(0.68, 0.9))
    hip = shoulder * float(rng.uniform(0.75, 0.95))
    outline = points(
        (-shoulder * 0.55, -0.345), (shoulder * 0.55, -0.345), (shoulder, -0.31), (waist, -0.13),
        (hip, 0.02), (-hip, 0.02), (-waist, -0.13), (-shoulder, -0.31),
    )  # fmt: skip
    belt = points((-waist * 1.02, -0.06), (waist * 1.02, -0.06), (hip, 0.03), (-hip, 0.03))
    lean = {"run": 0.2, "ride": 0.45, "skate": 0.3, "walk": 0.05}.get(gait, 0.0)
    lean *= 0.2 if frontal else float(rng.uniform(0.6, 1.4))
    wave = {"dance": 0.2, "stand": 0.03}.get(gait, 0.05)
    shapes = (Shape(smooth(outline, 1), "top"), Shape(belt, "bottom"))
    return Part(shapes, joint=(0.0, _HIP), swing=Swing(lean, wave, float(rng.uniform(0, 6))), depth=3)


def _head(rng: np.random.Generator, radius: float, frontal: bool) -> Part:
    neck = Shape(box(-radius * 0.45, -radius * 0.5, radius * 0.45, radius * 0.5), "skin")
    face = Shape(ellipse(0, -radius * 1.3, radius * 0.85, radius * 1.1), "skin")
    if frontal:
        hair = ellipse(0, -radius * 1.85, radius * 0.95, radius * 0.7)
    else:
        hair = ellipse(-radius * 0.25, -radius * 1.65, radius * 0.9, radius * 0.85)
    shapes = [neck, face, Shape(hair, "hair")]
    draw = rng.random()
    if draw < 0.3:
        fall = float(rng.uniform(0.8, 2.2)) * radius
        back = box(-radius * 1.05, -radius * 1.6, (0.95 if frontal else -0.1) * radius, fall, radius * 0.4)
        shapes.insert(0, Shape(back, "hair"))
    elif draw < 0.5:
        shapes.append(Shape(ellipse(0, -radius * 1.95, radius * 1.0, radius * 0.6), "hat"))
        brim = bar((-radius, -radius * 1.65), (radius * 1.5, -radius * 1.6), radius * 0.25)
        shapes.append(Shape(brim, "hat"))
    return Part(tuple(shapes), 0, (0.0, -0.355), Swing(0.0, 0.08, 0.0), depth=4)


def _leg(
    rng: np.random.Generator,
    index: int,
    side: int,
    reach: float,
    bulk: float,
    frontal: bool,
    gait: str,
    wears_shorts: bool,
) -> list[Part]:
    thick = 0.075 * bulk
    lead, x = np.pi * side, (0.055 * bulk * (1 - 2 * side) if frontal else 0.0)
    rest, fold_rest, fold = 0.0, 0.04, {"walk": 0.7, "run": 1.4, "stand": 0.05, "skate": 0.4}.get(gait, 0.5)
    if gait == "ride":
        rest, fold_rest, fold = -1.05, 0.7, 0.5
    elif gait == "sit":
        rest, fold_rest, fold = -1.4, 1.2, 0.3
    if frontal:
        rest, fold = (0.06 * (1 if side else -1)), fold * 0.15
        reach *= 0.5 if gait == "dance" else 0.25
    thigh = Part(
        (Shape(limb(0.245, thick, thick * 0.75), "bottom"),), -1, (x, _HIP),
        Swing(rest, reach, lead), depth=2 if side == 0 else 1,
    )  # fmt: skip
    calf = Shape(limb(0.23, thick * 0.72, thick * 0.45), "skin" if wears_shorts else "bottom")
    toe = 0.045 if frontal else 0.095
    foot = Shape(points((-0.03, 0.21), (0.03, 0.205), (toe, 0.235), (toe, 0.25), (-0.035, 0.25)), "shoes")
    shin = Part(
        (calf, foot), index, (0.0, 0.24),
        Swing(fold_rest, fold, lead + 1.7, is_fold=True), depth=thigh.depth - 0.5,
    )  # fmt: skip
    return [thigh, shin]


def _arm(
    rng: np.random.Generator,
    index: int,
    side: int,
    reach: float,
    bulk: float,
    frontal: bool,
    gait: str,
    has_sleeves: bool,
) -> list[Part]:
    thick = 0.055 * bulk
    shoulder = 0.115 * bulk * (1 - 2 * side) if frontal else 0.0
    rest = {"ride": -1.0, "sit": -1.2}.get(gait, 0.0)
    bend = {"run": -1.3, "ride": -0.4, "walk": -0.25, "sit": -0.8}.get(gait, -0.3)
    if gait == "dance" or (gait in ("stand", "skate") and rng.random() < 0.3):
        rest = float(rng.uniform(-2.6, 0.6))
    if frontal:
        rest = (0.18 if side else -0.18) * (1.0 + abs(rest))
        reach *= 0.4
    upper = Part(
        (Shape(limb(0.165, thick, thick * 0.8), "top"),), 0, (shoulder, -0.315),
        Swing(rest, reach, np.pi * (1 - side)), depth=5 if side == 0 else 0.2,
    )  # fmt: skip
    fore = Shape(limb(0.15, thick * 0.78, thick * 0.55), "top" if has_sleeves else "skin")
    hand = Shape(ellipse(0, 0.17, thick * 0.45, thick * 0.6), "skin")
    lower = Part(
        (hand, fore), index, (0.0, 0.16),
        Swing(bend, 0.25, np.pi * (1 - side) + 0.6), depth=upper.depth + 0.1,
    )  # fmt: skip
    return [upper, lower]


def _skirt(rng: np.random.Generator, bulk: float) -> Part:
    length, flare = float(rng.uniform(0.14, 0.4)), float(rng.uniform(0.1, 0.2)) * bulk
    waist = 0.075 * bulk
    outline = points((-waist, -0.06), (waist, -0.06), (flare, length), (0, length * 1.04), (-flare, length))
    return Part((Shape(outline, "bottom"),), 0, (0.0, 0.0), Swing(0.0, 0.1, 0.8), depth=3.4)


def _bag(rng: np.random.Generator, bulk: float, frontal: bool) -> Part:
    if frontal:
        outline = box(-0.1, -0.05, 0.1, 0.13, 0.03)
        return Part((Shape(outline, "bag"),), 0, (0.16 * bulk, -0.05), Swing(0.0, 0.2), depth=5.5)
    outline = smooth(box(-0.12 * bulk, -0.3, -0.01, -0.02), 1)
    return Part((Shape(outline, "bag"),), 0, (-0.03, 0.0), Swing(0.0, 0.05), depth=2.8)


def seated(figure: Figure) -> Figure:
    """Return a riding or sitting person with the seat, not the feet, at the origin."""
    moved = tuple(
        replace(part, joint=(part.joint[0], part.joint[1] - _HIP)) if part.parent < 0 else part
        for part in figure.parts
    )
    return Figure(moved)
