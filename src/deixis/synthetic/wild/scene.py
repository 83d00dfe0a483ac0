"""The values of a scene, and how they are drawn from a seed. Nothing here makes pixels.

Lengths are pixels of a frame of 128 rows, places are from the middle of the frame; times are frames, 0 in the
middle of the clip.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from . import cast
from .camera import Camera, draw_camera
from .cast import Look, Role
from .occluders import occluder
from .paths import Path
from .setting import SETTINGS, Setting

NUM_MOVERS = (0.03, 0.60, 0.24, 0.09, 0.04)
"""Chances of 0 to 4 movers."""

NUM_STILL = (0.40, 0.30, 0.16, 0.09, 0.05)
"""Chances of 0 to 4 still things of the same kinds."""


@dataclass(frozen=True, kw_only=True)
class WildSettings:
    """What all scenes of a set have in common.

    Attributes:
        size: height and width of the frames.
        length: number of frames.
    """

    size: tuple[int, int] = (240, 426)
    length: int = 24

    def __post_init__(self) -> None:
        if min(self.size) < 32 or self.length < 1:
            raise ValueError(
                f"need frames of at least 32x32 and a length of 1, got {self.size}, {self.length}"
            )

    @property
    def unit(self) -> float:
        """Pixels of these frames to a pixel of a frame of 128 rows."""
        return self.size[0] / 128


@dataclass(frozen=True)
class WildObject:
    """One object, as it is known before anything is drawn.

    Attributes:
        id: its value in label maps, from 1.
        look: its category, noun, colours and clothes.
        is_mover: whether it moves over the ground or in itself.
        habitat: "ground", "water", "deep", "air" or "swing".
        partner: id of what it rides or carries, 0: alone.
    """

    id: int
    look: Look
    is_mover: bool
    habitat: str
    partner: int = 0

    @property
    def category(self) -> str:
        """One of ``deixis.ops.lexicon.CATEGORIES``."""
        return self.look.category

    @property
    def noun(self) -> str:
        """The narrowest word for it."""
        return self.look.noun

    @property
    def colours(self) -> tuple[str, ...]:
        """Names of its colours, most of the area first; empty where no name is sure."""
        return self.look.colours


@dataclass(frozen=True, eq=False)
class Actor:
    """A figure on its path.

    Attributes:
        role: figure, paints and looks.
        path: where it is when.
        ids: of its objects, by owner; empty for scenery in front (occluders).
        facing: 1 to the right, -1 to the left.
        depth: of its plane; 1 is the ground, more is nearer.
        vigour: of its swings.
        is_camouflaged: its texture is cut from the background.
        shadow: darkness and slant of its shadow on the ground.
        wobble: of its outline, in units of the figure, as of cloth.
    """

    role: Role
    path: Path
    ids: tuple[int, ...]
    facing: int = 1
    depth: float = 1.0
    vigour: float = 1.0
    is_camouflaged: bool = False
    shadow: tuple[float, float] = (0.0, 0.0)
    wobble: float = 0.0


@dataclass(frozen=True)
class Sensor:
    """What the light and the camera's electronics do to the picture.

    Attributes:
        shutter: share of the time between frames in which light is gathered.
        gain: of the light, and of each colour.
        gamma: of the tone curve.
        flicker: amplitude and rate of changes of the light.
        noise: standard deviation, 8-bit steps.
        blur: standard deviation in pixels of a frame of 128 rows.
        quality: of JPEG.
    """

    shutter: float = 0.0
    gain: tuple[float, float, float] = (1.0, 1.0, 1.0)
    gamma: float = 1.0
    flicker: tuple[float, float] = (0.0, 0.0)
    noise: float = 2.0
    blur: float = 0.0
    quality: int = 80


@dataclass(frozen=True, eq=False)
class WildScene:
    """Everything that determines a clip, bit for bit.

    Attributes:
        seed: what it was drawn from.
        settings: what it was drawn with.
        setting: the place.
        actors: the farthest first.
        objects: by id.
        camera: how it moves.
        sensor: how it sees.
    """

    seed: int
    settings: WildSettings
    setting: Setting
    actors: tuple[Actor, ...]
    objects: tuple[WildObject, ...]
    camera: Camera = field(default_factory=Camera)
    sensor: Sensor = field(default_factory=Sensor)

    def time(self, index: int) -> float:
        """Return the time of frame ``index``."""
        return index - (self.settings.length - 1) / 2

    def followed(self, time: float) -> tuple[float, float]:
        """Return how far the first mover has come at ``time``."""
        for actor in self.actors:
            if actor.ids and not actor.path.is_still:
                here, start = actor.path.at(time).place, actor.path.at(0.0).place
                return here[0] - start[0], here[1] - start[1]
        return 0.0, 0.0


def draw_wild(seed: int, settings: WildSettings | None = None) -> WildScene:
    """Draw the scene of ``seed``: the same values on every machine and in every process."""
    settings = settings or WildSettings()
    rng = np.random.default_rng([seed, 11])
    setting = _draw_setting(rng)
    half_width = 64 * settings.size[1] / settings.size[0]
    num_movers = int(rng.choice(5, p=NUM_MOVERS))
    num_still = int(rng.choice(5, p=NUM_STILL))
    crowding = 1.0 if num_movers < 2 else 0.82
    actors: list[Actor] = []
    taken: list[tuple[float, float, float]] = []
    for number in range(num_movers + num_still):
        role = _draw_role(rng, setting, [actor.role for actor in actors], is_still=number >= num_movers)
        actor = _place(rng, role, setting, half_width, crowding, taken, is_mover=number < num_movers)
        actors.append(actor)
    numbered, objects = _number(rng, actors)
    camera = draw_camera(rng, can_follow=num_movers > 0)
    occluders = _draw_occluders(rng, setting, half_width)
    ordered = sorted(
        numbered, key=lambda actor: (actor.role.habitat in ("air", "swing"), actor.path.start[1])
    )
    return WildScene(seed, settings, setting, (*ordered, *occluders), objects, camera, _draw_sensor(rng))


def _draw_setting(rng: np.random.Generator) -> Setting:
    weights = np.array([setting.weight for setting in SETTINGS])
    chosen = SETTINGS[int(rng.choice(len(SETTINGS), p=weights / weights.sum()))]
    return replace(chosen, seed=int(rng.integers(2**31)), horizon=float(rng.uniform(*chosen.horizons)))


def _draw_role(rng: np.random.Generator, setting: Setting, before: list[Role], *, is_still: bool) -> Role:
    """Draw who comes next; a still thing is most often of the category of something that moves."""
    names = list(setting.categories)
    weights = np.array([setting.categories[name] for name in names], float)
    category = str(names[int(rng.choice(len(names), p=weights / weights.sum()))])
    if before and rng.random() < (0.6 if is_still else 0.45):
        category = before[int(rng.integers(len(before)))].looks[0].category
    if not is_still and category == "quadruped" and rng.random() < 0.15:
        return cast.animal_with_rider(rng)
    if not is_still and category == "person" and rng.random() < setting.swings:
        return cast.child_on_swing(rng)
    habitat = setting.habitat
    if category == "bird" and habitat != "air" and rng.random() < 0.25 and not is_still:
        habitat = "air"
    return cast.cast(category, rng, habitat)


def _place(
    rng: np.random.Generator,
    role: Role,
    setting: Setting,
    half_width: float,
    crowding: float,
    taken: list[tuple[float, float, float]],
    *,
    is_mover: bool,
) -> Actor:
    scale = _draw_scale(rng, role, crowding, is_mover=is_mover)
    for _ in range(6):
        start = _draw_place(rng, role, setting, half_width, scale)
        if all(np.hypot(start[0] - x, start[1] - y) > 0.55 * (scale + size) * 0.7 for x, y, size in taken):
            break
    taken.append((*start, scale))
    path, vigour, facing = _draw_path(rng, role, start, scale, is_mover=is_mover)
    shadow = (0.0, 0.0)
    if role.habitat in ("ground",) and rng.random() < 0.45:
        shadow = (float(rng.uniform(0.2, 0.6)), float(rng.uniform(-1.2, 1.2)))
    return Actor(
        role, path, (), facing,
        depth=float(np.clip(rng.normal(1.0, 0.07), 0.8, 1.2)) if not is_mover else 1.0,
        vigour=vigour,
        is_camouflaged=bool(rng.random() < (0.2 if role.looks[0].category != "other" else 0.45)),
        shadow=shadow,
        wobble=float(rng.uniform(0.005, 0.03)) if role.is_deforming and rng.random() < 0.5 else 0.0,
    )  # fmt: skip


def _draw_scale(rng: np.random.Generator, role: Role, crowding: float, *, is_mover: bool) -> float:
    """Draw the pixels to a unit of the figure; what is large beside people is often larger in the frame."""
    low, high = (38.0, 145.0) if is_mover else (20.0, 110.0)
    extent = float(np.exp(rng.uniform(np.log(low), np.log(high)))) * crowding
    extent *= float(np.clip(role.proportion, 0.3, 2.2)) ** 0.5
    if role.proportion > 3:
        extent = float(rng.uniform(120, 320))
    width, height = role.figure.extents()
    return min(extent / max(width, height), float(rng.uniform(80, 135)) / height)


def _draw_place(
    rng: np.random.Generator, role: Role, setting: Setting, half_width: float, scale: float
) -> tuple[float, float]:
    x = float(rng.uniform(-0.75, 0.75)) * half_width
    if role.habitat == "swing":
        return x, -64.0 + float(rng.uniform(-20, 64 - 0.8 * scale)) if scale < 80 else -64.0
    if role.habitat == "air":
        return x, float(rng.uniform(-42, 25))
    if role.habitat == "deep":
        return x, float(rng.uniform(-45, 45))
    share = np.clip(np.log(scale / 20) / np.log(7), 0, 1)
    horizon = 128 * setting.horizon - 64
    y = horizon + (66 - horizon) * (0.2 + 0.75 * share) + float(rng.normal(0, 8))
    if horizon < -60:
        y = float(rng.uniform(-30, 60)) + 0.25 * scale
    return x, float(np.clip(y, max(horizon, -50) + 3, 80))


def _draw_path(
    rng: np.random.Generator, role: Role, start: tuple[float, float], scale: float, *, is_mover: bool
) -> tuple[Path, float, int]:
    """Return a path, the vigour of the swings and where the figure looks."""
    phase = float(rng.uniform(0, 2 * np.pi))
    facing = 1 if rng.random() < 0.5 else -1
    tilt = float(rng.normal(0, 0.04)) if role.habitat in ("ground", "water") else float(rng.normal(0, 0.2))
    still = Path(start, scale=scale, phase=(phase, 0.0), tilt=(tilt, 0.0))
    if not is_mover:
        return still, float(rng.uniform(0.1, 0.6)), facing
    rate = float(rng.uniform(0.12, 0.3))
    if role.habitat == "swing":
        return replace(still, phase=(phase, rate)), float(rng.uniform(0.8, 1.4)), facing
    swings = role.is_deforming and rng.random() < 0.8
    is_slow = swings and rng.random() < 0.22
    low, high = (0.3, 0.9) if is_slow else (0.9, 7.0)
    speed = float(np.exp(rng.uniform(np.log(low), np.log(high))))
    if role.habitat == "water":
        speed = min(speed, 3.0)
    across = float(rng.normal(0, 0.18 if role.habitat in ("ground", "water") else 0.45))
    velocity = (facing * speed * float(np.cos(across)), speed * float(np.sin(across)))
    growth = float(rng.normal(0, 0.004)) + (0.004 * velocity[1] if role.habitat == "ground" else 0.0)
    if rng.random() < 0.15:
        growth = float(rng.choice((-1, 1))) * float(rng.uniform(0.008, 0.03))
        velocity = (0.3 * velocity[0], 0.3 * velocity[1])
    cadence = float(np.clip(role.cadence * 2 * np.pi * speed / scale, 0.1, 0.9))
    if role.figure.parts[0].swing.spin or len(role.looks) == 2 or not role.is_deforming:
        cadence = float(np.clip(2 * np.pi * role.cadence * speed / scale, 0.0, 1.2))
    path = replace(
        still,
        velocity=velocity,
        bend=(float(rng.normal(0, 0.03)) * speed, float(rng.normal(0, 0.01)) * speed),
        growth=growth,
        tilt=(tilt, float(rng.normal(0, 0.01)) if role.habitat in ("air", "deep") else 0.0),
        phase=(phase, max(cadence, rate) if is_slow else cadence if swings or not role.is_deforming else 0.0),
        bob=0.03 if role.looks[-1].doing in ("run", "walk", "ride") and swings else 0.0,
        bounce=float(rng.uniform(5, 30)) if role.looks[0].category == "ball" and rng.random() < 0.5 else 0.0,
    )
    if role.looks[-1].doing == "dance" and rng.random() < 0.4:
        path = replace(path, bounce=float(rng.uniform(4, 14)))
    return path, float(rng.uniform(1.1, 1.6)) if is_slow else float(rng.uniform(0.7, 1.2)), facing


def _number(rng: np.random.Generator, actors: list[Actor]) -> tuple[list[Actor], tuple[WildObject, ...]]:
    """Give ids in random order, so that an id says nothing of who moves."""
    slots = [(index, owner) for index, actor in enumerate(actors) for owner in range(len(actor.role.looks))]
    order = rng.permutation(len(slots))
    ids = {slots[place]: number + 1 for number, place in enumerate(order)}
    objects: list[WildObject] = []
    numbered = []
    for index, actor in enumerate(actors):
        own = tuple(ids[index, owner] for owner in range(len(actor.role.looks)))
        for owner, look in enumerate(actor.role.looks):
            partner = own[1 - owner] if len(own) == 2 else 0
            hidden = replace(look, colours=(), pattern="", wears={}) if actor.is_camouflaged else look
            objects.append(
                WildObject(own[owner], hidden, not actor.path.is_still, actor.role.habitat, partner)
            )
        numbered.append(replace(actor, ids=own))
    return numbered, tuple(sorted(objects, key=lambda item: item.id))


def _draw_occluders(rng: np.random.Generator, setting: Setting, half_width: float) -> list[Actor]:
    """Draw things that stand nearer than the actors: poles, trunks, fences, bushes."""
    if rng.random() >= 0.3 * setting.clutter:
        return []
    found = []
    for _ in range(int(rng.integers(1, 3))):
        role = occluder(rng)
        start = (float(rng.uniform(-1, 1)) * half_width, float(rng.uniform(45, 75)))
        path = Path(start, scale=float(rng.uniform(60, 160)), phase=(float(rng.uniform(0, 6)), 0.0))
        found.append(Actor(role, path, (), depth=float(np.clip(rng.normal(1.25, 0.25), 1.0, 2.0))))
    return sorted(found, key=lambda actor: actor.depth)


def _draw_sensor(rng: np.random.Generator) -> Sensor:
    tint = 1 + 0.06 * rng.standard_normal(3)
    gain = float(np.exp(rng.normal(0, 0.13))) * tint
    return Sensor(
        shutter=float(rng.uniform(0.1, 0.7)) if rng.random() < 0.5 else 0.0,
        gain=(float(gain[0]), float(gain[1]), float(gain[2])),
        gamma=float(np.exp(rng.normal(0, 0.12))),
        flicker=(float(rng.uniform(0.01, 0.07)), float(rng.uniform(0.1, 1.2)))
        if rng.random() < 0.3
        else (0.0, 0.0),
        noise=float(rng.uniform(0.5, 5.0)),
        blur=float(rng.uniform(0.15, 0.55)) if rng.random() < 0.5 else 0.0,
        quality=int(rng.integers(40, 96)),
    )
