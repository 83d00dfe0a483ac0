"""Draw a scene from a seed: looks (with distractors that share all but one attribute), places and paths."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from .attributes import COLOURS, SIZES, TEXTURES
from .background import sample_background
from .scene import Camera, ObjectSpec, Pair, Path, Scene, SceneSettings
from .shapes import SHAPES

SIMPLE_LENGTH = 48
"""Clips of more frames wander from pause to pause instead of doing one thing."""

_PLANS = ("constant", "starts", "stops", "turns", "enters", "leaves")
_PLAN_WEIGHTS = (0.44, 0.10, 0.10, 0.12, 0.13, 0.11)
_SPEEDS = {"slow": (0.85, 1.05), "medium": (1.7, 2.3), "fast": (3.4, 4.6)}
_TRIES = 24


class Look(NamedTuple):
    """What an object looks like."""

    colour: str
    shape: str
    size: str
    texture: str


def sample_scene(seed: int, settings: SceneSettings | None = None) -> Scene:
    """Draw the scene of ``seed``: the same bytes on every machine and in every process."""
    settings = settings or SceneSettings()
    rng = np.random.default_rng(seed)
    camera = _sample_camera(rng, settings)
    count = int(rng.integers(settings.min_objects, settings.max_objects + 1))
    looks = _sample_looks(rng, settings, count)
    depths = rng.permutation(count)
    crowding = 0.3 if rng.random() < settings.occlusion_share else 0.05
    objects: list[ObjectSpec] = []
    for index, look in enumerate(looks):
        objects.append(_place(rng, settings, camera, look, int(depths[index]), objects, crowding))
    order = rng.permutation(count)
    return Scene(
        seed=seed,
        settings=settings,
        objects=tuple(replace(objects[place], id=index + 1) for index, place in enumerate(order)),
        camera=camera,
        background=sample_background(rng),
        flicker=(float(rng.uniform(0, 0.08)), float(rng.uniform(0, 2 * np.pi))),
        noise=float(rng.uniform(0.5, 4)),
    )


def _sample_camera(rng: np.random.Generator, settings: SceneSettings) -> Camera:
    """Still, or a pan of up to a fifth of the frame's shorter side, or a zoom of up to a tenth, or both."""
    if rng.random() >= settings.moving_camera:
        return Camera(length=settings.length)
    kind = rng.choice(("pan", "zoom", "both"), p=(0.6, 0.2, 0.2))
    angle, travel = rng.uniform(0, 2 * np.pi), rng.uniform(0.04, 0.2) * min(settings.size)
    pan = (float(travel * np.cos(angle)), float(travel * np.sin(angle))) if kind != "zoom" else (0.0, 0.0)
    end = float(rng.uniform(0.05, 0.1) * rng.choice((-1, 1))) if kind != "pan" else 0.0
    return Camera(pan, (float(np.exp(-end / 2)), float(np.exp(end / 2))), settings.length)


def _sample_looks(rng: np.random.Generator, settings: SceneSettings, count: int) -> list[Look]:
    """Draw looks; many copy an earlier one but for a single attribute, some copy it whole."""
    looks = [_random_look(rng, settings)]
    while len(looks) < count:
        kind = rng.choice(("new", "distractor", "twin"), p=(0.42, 0.46, 0.12))
        look = _random_look(rng, settings)
        if kind != "new":
            model = looks[int(rng.integers(len(looks)))]
            name = str(rng.choice(Look._fields, p=(0.35, 0.35, 0.15, 0.15)))
            look = model if kind == "twin" else model._replace(**{name: getattr(look, name)})
        if (look.colour, look.shape) not in settings.forbidden_pairs:
            looks.append(look)
    return looks


def _random_look(rng: np.random.Generator, settings: SceneSettings) -> Look:
    while True:
        pair: Pair = (str(rng.choice(list(COLOURS))), str(rng.choice(list(SHAPES))))
        if settings.extra_pairs and rng.random() < settings.extra_share:
            pair = settings.extra_pairs[int(rng.integers(len(settings.extra_pairs)))]
        size = str(rng.choice(list(SIZES), p=(0.25, 0.4, 0.35)))
        texture = str(rng.choice(TEXTURES, p=(0.4, 0.15, 0.15, 0.15, 0.15)))
        if pair not in settings.forbidden_pairs:
            return Look(*pair, size, texture)


def _place(
    rng: np.random.Generator,
    settings: SceneSettings,
    camera: Camera,
    look: Look,
    depth: int,
    others: list[ObjectSpec],
    crowding: float,
) -> ObjectSpec:
    """Give ``look`` a path: the first of some draws that overlaps ``others`` little, else the best one."""
    low, high = SIZES[look.size]
    radius = float(rng.uniform(low, high)) * settings.unit * SHAPES[look.shape].scale
    times = np.arange(settings.length, dtype=float)
    tracks = [(other.path.at(times), other.radius) for other in others]
    best, least = None, np.inf
    for _ in range(_TRIES):
        path, facing = _sample_path(rng, settings, radius, SHAPES[look.shape].is_directional)
        overlap = _overlap(path.at(times), radius, tracks)
        if overlap < least:
            best, least = (path, facing), overlap
        if overlap <= crowding:
            break
    assert best is not None
    return ObjectSpec(
        id=0,
        **look._asdict(),
        radius=radius,
        path=best[0],
        depth=depth,
        tilt=float(rng.uniform(-0.2, 0.2)),
        faces_left=best[1] and SHAPES[look.shape].is_directional,
        grain=float(rng.choice((0.0, 0.25, 0.5, 0.75)) * np.pi + rng.uniform(-0.15, 0.15)),
        light=float(rng.uniform(0.92, 1.08)),
    )


def _overlap(track: np.ndarray, radius: float, others: list[tuple[np.ndarray, float]]) -> float:
    """Return how much discs of the objects' radii overlap: mean over time, most of the others, in [0, 1]."""
    worst = 0.0
    for other, other_radius in others:
        distance = np.hypot(*(track - other).T)
        share = (radius + other_radius - distance) / (2 * min(radius, other_radius))
        worst = max(worst, float(np.clip(share, 0, 1).mean()))
    return worst


def _sample_path(
    rng: np.random.Generator, settings: SceneSettings, radius: float, is_directional: bool
) -> tuple[Path, bool]:
    """Return a path and whether it goes to the left."""
    if rng.random() < settings.still_share or settings.length == 1:
        return _anchored(rng, settings, radius, [0.0], np.zeros((1, 2))), bool(rng.random() < 0.5)
    if settings.length > SIMPLE_LENGTH:
        return _wander(rng, settings, radius), bool(rng.random() < 0.5)
    plan = str(rng.choice(_PLANS, p=_PLAN_WEIGHTS))
    if plan in ("enters", "leaves"):
        return _cross_border(rng, settings, radius, plan == "leaves")
    last = settings.length - 1.0
    angle = _sample_angle(rng)
    speed = rng.uniform(*_SPEEDS[str(rng.choice(list(_SPEEDS)))])
    if plan != "constant":
        speed = max(speed, rng.uniform(1.8, 2.6))
    velocity = speed * settings.unit * settings.pace * np.array([np.cos(angle), np.sin(angle)])
    if plan == "constant":
        times, steps = [0.0, last], [velocity * last]
    elif plan == "turns":
        middle = float(last * rng.uniform(0.42, 0.58))
        turned = _turn(rng, velocity, is_directional)
        times, steps = [0.0, middle, last], [velocity * middle, turned * (last - middle)]
    else:
        middle = float(last * rng.uniform(0.35, 0.55))
        times = [middle, last] if plan == "starts" else [0.0, last - middle]
        steps = [velocity * (last - middle)]
    shifts = np.concatenate([np.zeros((1, 2)), np.cumsum(steps, axis=0)])
    return _anchored(rng, settings, radius, times, shifts), bool(velocity[0] < 0)


def _sample_angle(rng: np.random.Generator) -> float:
    """Draw one of eight directions, the level ones most often, a few degrees off."""
    eighth = rng.choice(8, p=(0.22, 0.06, 0.14, 0.06, 0.22, 0.08, 0.14, 0.08))
    return float(eighth * np.pi / 4 + rng.uniform(-0.12, 0.12))


def _turn(rng: np.random.Generator, velocity: np.ndarray, is_directional: bool) -> np.ndarray:
    """Turn by 75 to 150 degrees; a body that looks one way goes on to the side it looks to."""
    options = rng.uniform(1.3, 2.6, size=8) * rng.choice((-1, 1), size=8)
    turned = [np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]) @ velocity for a in options]
    if is_directional:
        turned.sort(key=lambda other: -other[0] * np.sign(velocity[0]))
    return turned[0]


def _anchored(
    rng: np.random.Generator, settings: SceneSettings, radius: float, times: list[float], shifts: np.ndarray
) -> Path:
    """Put the way ``shifts`` where most of it lies inside the frame."""
    height, width = settings.size
    start = np.empty(2)
    for axis, extent in enumerate((width, height)):
        low = 0.9 * radius - shifts[:, axis].min()
        high = extent - 0.9 * radius - shifts[:, axis].max()
        start[axis] = rng.uniform(low, high) if low < high else (low + high) / 2
    return Path(tuple(times), tuple((float(x), float(y)) for x, y in start + shifts))


def _cross_border(
    rng: np.random.Generator, settings: SceneSettings, radius: float, leaves: bool
) -> tuple[Path, bool]:
    """A way from outside the frame to a place inside, or back."""
    height, width = settings.size
    side = str(rng.choice(("left", "right", "top", "bottom"), p=(0.35, 0.35, 0.15, 0.15)))
    inside = np.array(
        [rng.uniform(1.1 * radius, width - 1.1 * radius), rng.uniform(1.1 * radius, height - 1.1 * radius)]
    )
    outside = inside + rng.uniform(-0.15, 0.15, size=2) * height
    away = 1.35 * radius + 3 * settings.unit
    axis, place = {
        "left": (0, -away),
        "right": (0, width + away),
        "top": (1, -away),
        "bottom": (1, height + away),
    }[side]
    outside[axis] = place
    last = settings.length - 1.0
    begin, end = rng.uniform(0.1, 0.25) * last, rng.uniform(0.75, 1.0) * last
    if leaves:
        knots, times = (inside, outside), (last - end, last - begin)
    else:
        knots, times = (outside, inside), (begin, end)
    return Path(tuple(map(float, times)), tuple((float(x), float(y)) for x, y in knots)), bool(
        knots[1][0] < knots[0][0]
    )


def _wander(rng: np.random.Generator, settings: SceneSettings, radius: float) -> Path:
    """Go from place to place inside the frame, resting between."""
    height, width = settings.size
    times, points = [], []
    now, place = 0.0, None
    while now < settings.length:
        new = np.array([rng.uniform(radius, width - radius), rng.uniform(radius, height - radius)])
        if place is not None:
            now += float(np.hypot(*(new - place)) / (rng.uniform(1.0, 3.0) * settings.unit)) + 1e-3
        for rest in (0.0, float(rng.integers(1, 12))):
            times.append(now + rest)
            points.append((float(new[0]), float(new[1])))
        now, place = times[-1], new
    return Path(tuple(times), tuple(points))
