"""Places: who is seen there, and what the ground and the distance look like."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Setting:
    """A kind of place.

    Attributes:
        name: what it is called.
        weight: how often it is drawn.
        categories: who is seen there, and how often.
        grounds: what the ground may be.
        backs: what the distance may be.
        horizons: range of the share of the frame above the ground; 0: all is ground.
        habitat: of the birds there.
        moving: chances of moving water, foliage or a crowd, by name.
        clutter: how often something stands in front, relative to other places.
        swings: chance that a person sits on a swing.
        seed: of the pixels.
        horizon: the one that was drawn.
    """

    name: str
    weight: float
    categories: Mapping[str, float]
    grounds: tuple[str, ...]
    backs: tuple[str, ...]
    horizons: tuple[float, float]
    habitat: str = "ground"
    moving: tuple[tuple[str, float], ...] = ()
    clutter: float = 1.0
    swings: float = 0.0
    seed: int = 0
    horizon: float = 0.4


_STREET = {
    "vehicle": 5,
    "person": 4,
    "two-wheeler": 2.5,
    "quadruped": 1,
    "train": 0.4,
    "ball": 0.3,
    "bird": 0.3,
}
_MEADOW = {
    "quadruped": 5,
    "person": 2.5,
    "bird": 1.2,
    "ball": 0.7,
    "two-wheeler": 1,
    "vehicle": 0.8,
    "other": 0.5,
}
_ANYWHERE = {
    "person": 3, "quadruped": 2.5, "bird": 1.2, "fish": 0.4, "vehicle": 1.5, "two-wheeler": 0.8, "boat": 0.2,
    "aircraft": 0.4, "ball": 0.8, "other": 2.5,
}  # fmt: skip

SETTINGS: tuple[Setting, ...] = (
    Setting(
        "street",
        3.0,
        _STREET,
        ("road", "road", "pavement"),
        ("buildings", "forest", "wall"),
        (0.2, 0.6),
        moving=(("crowd", 0.15), ("foliage", 0.15)),
        clutter=1.4,
    ),
    Setting(
        "meadow",
        2.4,
        _MEADOW,
        ("grass", "grass", "dirt", "sand", "snow"),
        ("forest", "hills", "sky"),
        (0.0, 0.55),
        moving=(("foliage", 0.3),),
        swings=0.07,
    ),
    Setting(
        "lake",
        1.3,
        {"bird": 4, "boat": 4, "person": 0.3, "other": 0.3},
        ("water",),
        ("forest", "hills", "sky"),
        (0.0, 0.5),
        habitat="water",
        moving=(("water", 0.65),),
        clutter=0.6,
    ),
    Setting(
        "under water",
        0.6,
        {"fish": 5, "other": 0.7},
        ("deep",),
        ("sky",),
        (0.0, 0.0),
        moving=(("water", 0.4),),
    ),
    Setting(
        "sky",
        0.8,
        {"bird": 3, "aircraft": 4, "ball": 0.6, "other": 0.4},
        ("clouds",),
        ("sky",),
        (0.0, 0.0),
        habitat="air",
        clutter=0.2,
    ),
    Setting(
        "indoors",
        1.3,
        {"person": 5, "quadruped": 2, "ball": 1.2, "other": 1.0},
        ("floor", "floor", "carpet"),
        ("wall", "wall", "crowd"),
        (0.25, 0.7),
        moving=(("crowd", 0.15),),
    ),
    Setting(
        "court",
        0.7,
        {"person": 6, "ball": 1.5},
        ("court",),
        ("crowd", "wall", "forest"),
        (0.0, 0.45),
        moving=(("crowd", 0.5),),
    ),
    Setting(
        "railway",
        0.7,
        {"train": 6, "person": 1, "vehicle": 0.5},
        ("dirt", "grass", "pavement"),
        ("forest", "buildings", "hills"),
        (0.3, 0.65),
        clutter=1.3,
    ),
    Setting(
        "anywhere",
        3.2,
        _ANYWHERE,
        ("leaves", "leaves", "noise", "patches", "stripes"),
        ("leaves", "noise", "sky", "forest"),
        (0.0, 0.5),
        moving=(("water", 0.1), ("foliage", 0.15)),
    ),
)
"""All places."""
