"""Who plays: for each category a figure, its paints, a noun and the names of its colours."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np

from deixis.ops.lexicon import BASIC_COLOURS

from . import animals, machines, people
from . import kinds as known
from .figure import Figure, join
from .palette import named_colour, natural_colour, scaled, vary
from .textures import Paint


@dataclass(frozen=True)
class Look:
    """What can be said of an object's looks and kind, known before anything is drawn.

    Attributes:
        category: one of ``deixis.ops.lexicon.CATEGORIES``.
        noun: the narrowest word for it ("golden retriever", "woman", "bus").
        colours: names of its colours, most of the area first; empty where no name is sure.
        pattern: "plain", "striped", "spotted", "checkered" or "patched".
        wears: names of the colours of its top, bottom and hair, by "top", "bottom", "hair"; of people only.
        doing: of people and animals, what the body does ("walk", "run", "stand", ...).
    """

    category: str
    noun: str
    colours: tuple[str, ...] = ()
    pattern: str = "plain"
    wears: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    doing: str = ""


@dataclass(frozen=True, eq=False)
class Role:
    """A figure with its paints and looks.

    Attributes:
        figure: its parts; those of the second object of a pair have owner 1.
        paints: by the names that the figure's shapes use; those of a pair's second object begin with "1".
        looks: of each object of the figure.
        habitat: "ground", "water", "deep" or "air".
        cadence: cycles of its motion over the time in which it moves by its own length.
        is_deforming: whether it swings or bends at all.
        proportion: size relative to the others of the scene, 1 for a person.
    """

    figure: Figure
    paints: Mapping[str, Paint]
    looks: tuple[Look, ...]
    habitat: str = "ground"
    cadence: float = 1.0
    is_deforming: bool = True
    proportion: float = 1.0


def cast(category: str, rng: np.random.Generator, habitat: str = "") -> Role:
    """Draw a role of ``category``; a bird suits its ``habitat`` ("ground", "water" or "air")."""
    if category == "person":
        gait = str(rng.choice(("walk", "run", "dance", "stand", "skate"), p=(0.42, 0.24, 0.18, 0.06, 0.1)))
        return _person(rng, gait)
    makers = {"quadruped": _quadruped, "fish": _fish, "vehicle": _vehicle, "train": _train}
    makers |= {"boat": _boat, "aircraft": _aircraft, "ball": _ball, "other": _other}
    if category == "bird":
        return _bird(rng, {"water": "swim", "air": "fly"}.get(habitat, "stand"))
    if category == "two-wheeler":
        return two_wheeler_with_rider(rng)
    return makers[category](rng)


def _person(rng: np.random.Generator, gait: str, noun: str = "") -> Role:
    figure = people.person(rng, gait)
    top, bottom = (str(name) for name in rng.choice(tuple(known.CLOTHES), 2, p=tuple(known.CLOTHES.values())))
    if rng.random() < 0.12:
        bottom = top
    hair = str(rng.choice(("black", "brown", "brown", "yellow", "grey"), p=(0.35, 0.25, 0.2, 0.15, 0.05)))
    skin = named_colour("brown", rng) if rng.random() < 0.3 else (*_skin(rng),)
    pattern = str(rng.choice(("plain", "striped", "checkered"), p=(0.84, 0.09, 0.07)))
    second = named_colour(str(rng.choice(("white", "black", "grey"))), rng)
    paints = {
        "top": _paint(rng, named_colour(top, rng), pattern if rng.random() < 0.9 else "plain", second, 0.06),
        "bottom": _paint(rng, named_colour(bottom, rng)),
        "skin": _paint(rng, skin, grain=4),
        "hair": _paint(rng, named_colour(hair, rng)),
        "hat": _paint(rng, natural_colour(rng)),
        "shoes": _paint(rng, named_colour(str(rng.choice(("black", "white", "brown"))), rng)),
        "bag": _paint(rng, natural_colour(rng)),
    }
    noun = noun or str(rng.choice(known.PEOPLE[gait]))
    wears = (
        {"top": top, "bottom": bottom, "hair": hair}
        if pattern == "plain"
        else {"bottom": bottom, "hair": hair}
    )
    look = Look(
        "person", noun, tuple(dict.fromkeys((top, bottom))), wears=MappingProxyType(wears), doing=gait
    )
    return Role(figure, paints, (look,), cadence={"run": 0.6, "skate": 0.25}.get(gait, 0.9))


def _skin(rng: np.random.Generator) -> tuple[float, float, float]:
    light = float(rng.uniform(0.45, 1.0))
    return (
        235 * light,
        190 * light * float(rng.uniform(0.9, 1.0)),
        160 * light * float(rng.uniform(0.88, 1.0)),
    )


def _paint(
    rng: np.random.Generator,
    colour: tuple[float, float, float],
    pattern: str = "plain",
    second: tuple[float, float, float] = (0.0, 0.0, 0.0),
    scale: float = 0.1,
    grain: float | None = None,
) -> Paint:
    strength = float(rng.uniform(3, 18)) if grain is None else grain
    return Paint(
        colour, pattern, second, scale * float(rng.uniform(0.7, 1.5)), strength, int(rng.integers(2**31))
    )


def _coat(rng: np.random.Generator, colours: tuple[str, ...], pattern: str, scale: float) -> dict[str, Paint]:
    """Return the paints of an animal: one colour over the body, a second in the pattern or on the belly."""
    main = named_colour(colours[0], rng)
    second = named_colour(colours[1], rng) if len(colours) > 1 else vary(main, rng, 30)
    coat = _paint(rng, main, pattern, second, scale)
    shade = scaled(main, 0.75)
    belly = replace(coat, seed=coat.seed + 1) if pattern in ("striped", "spotted") else _paint(rng, second)
    return {
        "coat": coat,
        "belly": belly,
        "head": replace(coat, scale=coat.scale * 0.7),
        "legs": _paint(rng, second) if rng.random() < 0.3 and len(colours) > 1 else coat,
        "dark": _paint(rng, scaled(main, 0.35)),
        "light": _paint(rng, named_colour("white", rng)),
        "wing": _paint(rng, second if len(colours) > 1 else shade),
        "beak": _paint(rng, named_colour(str(rng.choice(("orange", "yellow", "black", "grey"))), rng)),
    }


def _any_coat(
    rng: np.random.Generator, colours: tuple[str, ...], choices: tuple[str, ...] = known.COATS
) -> tuple[str, ...]:
    return colours or (str(rng.choice(choices)),)


def _quadruped(rng: np.random.Generator) -> Role:
    weights = np.array([known.QUADRUPED_WEIGHTS.get(kind, 1.0) for kind in known.QUADRUPEDS])
    kind = list(known.QUADRUPEDS)[int(rng.choice(len(weights), p=weights / weights.sum()))]
    rows = known.QUADRUPEDS[kind]
    noun, listed, pattern = rows[int(rng.integers(len(rows)))]
    colours = _any_coat(rng, listed)
    scale = {"striped": 0.14, "spotted": 0.1, "patched": 0.3}.get(pattern, 0.2)
    paints = _coat(rng, colours, pattern, scale)
    if pattern == "plain" and len(colours) > 1 and noun == "sheep":
        paints["head"] = paints["legs"] = _paint(rng, named_colour("black", rng))
    look = Look("quadruped", noun, colours, pattern, doing="walk")
    size = {
        "elephant": 1.7,
        "giraffe": 1.2,
        "horse": 1.2,
        "bear": 1.1,
        "rabbit": 0.5,
        "cat": 0.7,
        "small dog": 0.6,
    }
    return Role(animals.quadruped(rng, kind), paints, (look,), cadence=0.9, proportion=size.get(kind, 0.95))


def _bird(rng: np.random.Generator, way: str) -> Role:
    noun, listed, _ = known.BIRDS[way][int(rng.integers(len(known.BIRDS[way])))]
    colours = _any_coat(rng, listed, known.FEATHERS)
    paints = _coat(rng, colours, "plain", 0.1)
    paints["legs"] = _paint(rng, named_colour(str(rng.choice(("orange", "black", "pink", "grey"))), rng))
    maker = {"stand": animals.standing_bird, "swim": animals.swimming_bird, "fly": animals.flying_bird}[way]
    habitat = {"stand": "ground", "swim": "water", "fly": "air"}[way]
    look = Look("bird", noun, colours, doing=way)
    cadence = {"stand": 1.2, "swim": 0.5, "fly": 1.3}[way]
    return Role(maker(rng), paints, (look,), habitat, cadence, proportion=0.7)


def _fish(rng: np.random.Generator) -> Role:
    noun, listed, _ = known.FISH[int(rng.integers(len(known.FISH)))]
    colours = _any_coat(rng, listed, tuple(known.CLOTHES))
    pattern = "striped" if len(colours) > 1 and rng.random() < 0.7 else "plain"
    look = Look("fish", noun, colours, pattern)
    return Role(animals.fish(rng), _coat(rng, colours, pattern, 0.2), (look,), "deep", 1.2, proportion=0.9)


def _machine_paints(rng: np.random.Generator, main: str) -> dict[str, Paint]:
    body = _paint(rng, named_colour(main, rng), grain=float(rng.uniform(1, 5)))
    dark = float(rng.uniform(0.5, 1.6))
    return {
        "body": body,
        "glass": _paint(rng, (45 * dark, 52 * dark, 60 * dark), grain=6),
        "tyre": _paint(rng, (32.0, 31.0, 30.0), grain=3),
        "rim": _paint(rng, named_colour("grey", rng), grain=3),
        "light": _paint(rng, (240.0, 235.0, 205.0), grain=2),
        "tail": _paint(rng, (190.0, 35.0, 30.0), grain=2),
        "trim": _paint(rng, natural_colour(rng) if rng.random() < 0.4 else (60.0, 60.0, 62.0), grain=6),
        "cargo": _paint(rng, named_colour(str(rng.choice(known.LACQUERS)), rng)),
        "sail": _paint(
            rng, named_colour(str(rng.choice(("white", "white", "red", "blue", "yellow"))), rng), grain=5
        ),
    }


def _vehicle(rng: np.random.Generator) -> Role:
    kind = str(rng.choice(machines.VEHICLES, p=(0.4, 0.12, 0.13, 0.14, 0.13, 0.08)))
    noun, listed, _ = known.VEHICLES[kind][int(rng.integers(len(known.VEHICLES[kind])))]
    main = _any_coat(rng, listed, known.LACQUERS)[0]
    look = Look("vehicle", noun, (main,) if kind != "truck" else ())
    size = {"bus": 2.4, "truck": 2.2, "van": 1.7, "jeep": 1.5}.get(kind, 1.5)
    return Role(
        machines.vehicle(rng, kind),
        _machine_paints(rng, main),
        (look,),
        cadence=1.5,
        is_deforming=False,
        proportion=size,
    )


def _train(rng: np.random.Generator) -> Role:
    main = str(rng.choice(known.LACQUERS))
    look = Look("train", str(rng.choice(("train", "train", "tram", "locomotive"))), (main,))
    return Role(machines.train(rng), _machine_paints(rng, main), (look,), is_deforming=False, proportion=4.5)


def _boat(rng: np.random.Generator) -> Role:
    has_sail = bool(rng.random() < 0.45)
    main = str(rng.choice(known.LACQUERS))
    nouns = (
        ("sailboat", "sailing boat", "boat", "yacht")
        if has_sail
        else ("boat", "motorboat", "ship", "ferry", "fishing boat")
    )
    look = Look("boat", str(rng.choice(nouns)), () if has_sail else (main,))
    return Role(
        machines.boat(rng, has_sail=has_sail),
        _machine_paints(rng, main),
        (look,),
        "water",
        0.3,
        is_deforming=False,
        proportion=1.6,
    )


def _aircraft(rng: np.random.Generator) -> Role:
    kind = str(rng.choice(("airplane", "helicopter"), p=(0.65, 0.35)))
    noun = str(rng.choice(("airplane", "plane", "jet", "aircraft"))) if kind == "airplane" else "helicopter"
    main = str(rng.choice(known.LACQUERS, p=(0.3, 0.1, 0.15, 0.12, 0.1, 0.07, 0.06, 0.04, 0.03, 0.03)))
    look = Look("aircraft", noun, (main,))
    cadence = 9.0 if kind == "helicopter" else 0.2
    return Role(
        machines.aircraft(rng, kind),
        _machine_paints(rng, main),
        (look,),
        "air",
        cadence,
        kind == "helicopter",
        1.5,
    )


def _ball(rng: np.random.Generator) -> Role:
    noun, listed, _ = known.BALLS[int(rng.integers(len(known.BALLS)))]
    colours = _any_coat(rng, listed, tuple(BASIC_COLOURS))
    paints = _coat(rng, colours, "patched" if noun == "beach ball" else "plain", 0.4)
    paints["coat"] = replace(paints["coat"], grain=0.3 * paints["coat"].grain)
    if len(colours) > 1:
        paints["dark"] = _paint(rng, named_colour(colours[1], rng))
    habitat = "air" if noun == "balloon" or rng.random() < 0.3 else "ground"
    return Role(
        machines.ball(rng),
        paints,
        (Look("ball", noun, colours),),
        habitat,
        0.32,
        is_deforming=False,
        proportion=0.4,
    )


def _other(rng: np.random.Generator) -> Role:
    draw = rng.random()
    colours = (str(rng.choice(tuple(BASIC_COLOURS))),)
    if draw < 0.2:
        look = Look("other", str(rng.choice(("snake", "snake", "worm"))), colours, doing="walk")
        return Role(
            animals.snake(rng), _coat(rng, colours, "plain", 0.1), (look,), cadence=1.0, proportion=0.9
        )
    if draw < 0.35:
        look = Look("other", "butterfly", colours, doing="fly")
        return Role(
            animals.butterfly(rng), _coat(rng, colours, "plain", 0.1), (look,), "air", 1.5, proportion=0.5
        )
    figure = machines.blob(rng)
    paints = _coat(rng, colours, "plain", 0.2)
    if rng.random() < 0.5:
        pattern = str(rng.choice(("striped", "spotted", "checkered", "patched")))
        paints["coat"] = _paint(
            rng, paints["coat"].colour, pattern, named_colour(str(rng.choice(tuple(BASIC_COLOURS))), rng), 0.2
        )
        return Role(
            figure,
            paints,
            (Look("other", "object", (), pattern),),
            "air" if rng.random() < 0.3 else "ground",
            1.0,
        )
    return Role(
        figure, paints, (Look("other", "object", colours),), "air" if rng.random() < 0.3 else "ground", 1.0
    )


def _pair(base: Role, rider: Role, parent: int, joint: tuple[float, float], scale: float) -> Role:
    figure = join(base.figure, people.seated(rider.figure), parent, joint, scale)
    paints = dict(base.paints) | {f"1{name}": paint for name, paint in rider.paints.items()}
    return replace(base, figure=figure, paints=paints, looks=(*base.looks, *rider.looks))


def two_wheeler_with_rider(rng: np.random.Generator) -> Role:
    """Draw a bicycle or motorbike (first object) and who rides it (second)."""
    kind = str(rng.choice(("bicycle", "motorbike")))
    figure, saddle = machines.two_wheeler(rng, kind)
    noun = str(
        rng.choice(
            ("bicycle", "bike", "mountain bike")
            if kind == "bicycle"
            else ("motorbike", "motorcycle", "scooter")
        )
    )
    main = str(rng.choice(known.LACQUERS))
    base = Role(
        figure,
        _machine_paints(rng, main),
        (Look("two-wheeler", noun, (main,) if kind == "motorbike" else ()),),
    )
    base = replace(base, cadence=0.8, proportion=1.25)
    return _pair(base, _person(rng, "ride"), 0, saddle, float(rng.uniform(0.85, 1.0)))


def animal_with_rider(rng: np.random.Generator) -> Role:
    """Draw a horse, camel or elephant (first object) and who rides it (second)."""
    kind = str(rng.choice(("horse", "horse", "camel", "elephant")))
    rows = known.QUADRUPEDS[kind]
    noun, listed, pattern = rows[int(rng.integers(len(rows)))]
    colours = _any_coat(rng, listed)
    scale = {"striped": 0.14, "patched": 0.3}.get(pattern, 0.2)
    look = Look("quadruped", noun, colours, pattern, doing="walk")
    figure = animals.quadruped(rng, kind)
    back = -0.48 * animals.PROPORTIONS[kind].depth
    base = Role(figure, _coat(rng, colours, pattern, scale), (look,), cadence=0.8, proportion=1.4)
    return _pair(base, _person(rng, "ride"), 0, (-0.05, back), 0.5 if kind == "elephant" else 0.78)


def child_on_swing(rng: np.random.Generator) -> Role:
    """Draw a swing (first object) and a child on it (second); it hangs from its origin."""
    figure, seat = machines.swing_seat()
    base = Role(
        figure, _machine_paints(rng, str(rng.choice(known.LACQUERS))), (Look("other", "swing"),), "swing"
    )
    return _pair(base, _person(rng, "sit"), 0, seat, 0.75)
