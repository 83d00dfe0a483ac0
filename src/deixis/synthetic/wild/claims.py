"""Claims about objects, each judged true, false or borderline (None) of every object of a clip.

A sentence is used only if all that it claims is true of its referents, and something of it is false of every
other object: what is borderline proves nothing.
"""

from collections.abc import Iterable
from functools import lru_cache

import numpy as np

from deixis.ops.lexicon import noun_categories

from .kinds import QUADRUPEDS, VEHICLES
from .observation import WildObservation
from .palette import NEIGHBOURS
from .scene import WildObject
from .words import DOUBTFUL, GENERAL, SHARED, SYNONYMS

Truth = bool | None
Truths = tuple[Truth, ...]

_UNLIKE: tuple[frozenset[str], ...] = (
    frozenset(("elephant",)),
    frozenset(("giraffe",)),
    frozenset(("horse", "deer", "camel")),
    frozenset(("cow",)),
    frozenset(("bear",)),
    frozenset(("dog", "small dog", "cat", "lion", "rabbit")),
    frozenset(("car", "jeep")),
    frozenset(("bus",)),
    frozenset(("truck",)),
)
"""Builds that nobody takes for one another; sheep, goats and pigs, vans and pickups are not so sure."""


_MOVES, _DRIFTS = 0.45, 0.15
_APPROACHES = 0.007


def all_of(truths: Iterable[Truths], count: int) -> Truths:
    """Return the conjunction of claims about ``count`` objects."""
    joined: list[Truth] = [True] * count
    for claim in truths:
        for index, truth in enumerate(claim):
            if truth is False or joined[index] is False:
                joined[index] = False
            elif truth is None:
                joined[index] = None
    return tuple(joined)


def referents(truths: Truths) -> tuple[int, ...] | None:
    """Return the indices of which a claim is true; None where it is borderline of any."""
    return None if None in truths else tuple(index for index, truth in enumerate(truths) if truth)


@lru_cache(maxsize=4096)
def _builds(noun: str) -> frozenset[str]:
    """Return the builds that a noun, or what it is a synonym of, may have."""
    own = {noun} | {base for base, others in SYNONYMS.items() if noun in others}
    tables = {**QUADRUPEDS, **VEHICLES}
    return frozenset(build for build, rows in tables.items() if own & {row.noun for row in rows})


@lru_cache(maxsize=4096)
def _groups(noun: str) -> frozenset[int | None]:
    """Return the groups of ``_UNLIKE`` that a thing of that name may be of; None: of no sure one."""
    found = {build: index for index, group in enumerate(_UNLIKE) for build in group}
    return frozenset(found.get(build) for build in _builds(noun))


def is_called(item: WildObject, noun: str) -> Truth:
    """Judge whether an object may be called ``noun``."""
    if noun in SHARED:
        if item.category in SHARED[noun]:
            return True
        return None if item.category in DOUBTFUL.get(noun, ()) else False
    if noun == item.noun or noun in SYNONYMS.get(item.noun, ()) or noun in GENERAL[item.category]:
        return True
    if item.category in DOUBTFUL.get(noun, ()):
        return None
    categories = noun_categories(noun)
    if not categories:
        return None
    if item.category not in categories:
        # A rider is a part of "the cyclist"; a blob is no animal, but who knows what it is.
        return (
            None if item.category == "other" and "other" not in categories and item.noun != "swing" else False
        )
    ours, said = _groups(item.noun), _groups(noun)
    return False if ours and said and None not in ours | said and not ours & said else None


def is_coloured(item: WildObject, colours: tuple[str, ...]) -> Truth:
    """Judge whether an object may be called by one colour, or by two."""
    own = item.colours
    if not own:
        return None
    if item.category == "person":
        # "The red person" is one all in red; who wears some red is borderline.
        own = own[:1] if len(own) == 1 else ()
        worn = set(item.look.wears.values()) | set(item.colours)
        if not own:
            return None if any(_near(colour, worn) for colour in colours) else False
    if len(colours) == 1:
        if colours[0] == own[0] and len(own) == 1:
            return True
        return None if _near(colours[0], own) else False
    if set(colours) == set(own[:2]):
        return True
    missing = [colour for colour in colours if not _near(colour, own)]
    return False if missing else None


def _near(colour: str, own: Iterable[str]) -> bool:
    return any(colour == name or name in NEIGHBOURS[colour] for name in own)


def wears(item: WildObject, garment: str, colour: str) -> Truth:
    """Judge whether a person wears a ``garment`` ("top", "bottom" or "hair") of ``colour``."""
    if item.category != "person":
        return False
    own = item.look.wears.get(garment)
    if own is None:
        return None
    return True if own == colour else None if _near(colour, (own,)) else False


def has_pattern(item: WildObject, pattern: str) -> Truth:
    """Judge whether an object is striped, spotted or checkered."""
    own = item.look.pattern
    if own == pattern:
        return True
    # The shirts of people have patterns too, of which their look does not tell.
    return False if own == "plain" and item.category != "person" else None


def is_at(seen: WildObservation, index: int, place: str) -> Truth:
    """Judge whether an object is at a place of the frame, all the time."""
    if not seen.is_shown[index]:
        return False
    spots = seen.places[index][seen.seen[index]]
    x, y = spots[:, 0], spots[:, 1]
    value = {"left": x, "right": 1 - x, "top": y, "bottom": 1 - y, "middle": np.abs(x - 0.5) + 0.3}[place]
    if place in ("top", "bottom"):
        value = value + 0.04
    if value.max() < 0.42:
        return True
    return False if value.min() > 0.52 else None


def moves(seen: WildObservation, index: int) -> Truth:
    """Judge whether an object moves, as a person would say."""
    return bool(seen.scene.objects[index].is_mover)


def heads(seen: WildObservation, index: int, direction: str) -> Truth:
    """Judge whether an object moves "left", "right", "towards" the camera or "away", over the ground."""
    if not seen.scene.objects[index].is_mover:
        return False
    x, y = seen.velocities[index]
    growth = seen.growths[index]
    if direction in ("left", "right"):
        along = x if direction == "right" else -x
        if along > _MOVES and along > 1.2 * abs(y):
            return True
        return False if along < _DRIFTS else None
    along = growth if direction == "towards" else -growth
    if along > _APPROACHES:
        return True
    return False if along < 0.002 else None


def does(item: WildObject, doing: str) -> Truth:
    """Judge whether an object does what ``doing`` of :data:`.words.VERBS` names."""
    if not item.is_mover:
        return False
    if item.look.doing:
        if item.look.doing == doing:
            return True
        return None if {item.look.doing, doing} & {"walk", "run", "dance", "skate", "ride", "sit"} else False
    usual = {"fish": "swim", "vehicle": "drive", "train": "drive", "two-wheeler": "drive", "boat": "sail"}
    usual |= {"aircraft": "fly", "ball": "roll"}
    return True if usual.get(item.category) == doing else None if doing in ("fly", "roll") else False


def extreme(seen: WildObservation, domain: tuple[int, ...], rank: str) -> int | None:
    """Return which of ``domain`` is clearly leftmost, rightmost, "large"st or "small"est; None: none is."""
    if len(domain) < 2 or not all(seen.is_shown[index] for index in domain):
        return None
    if rank in ("large", "small"):
        values = np.log(np.maximum([seen.sizes[index] for index in domain], 1))
        values, gap = (values if rank == "large" else -values), 0.5
    else:
        if not all(seen.seen[index].all() for index in domain):
            return None
        across = np.stack([seen.places[index][:, 0] for index in domain])
        order = across if rank == "right" else -across
        best = int(order.mean(axis=1).argmax())
        others = np.delete(order, best, axis=0).max(axis=0)
        return domain[best] if (order[best] - others).min() > 0.07 else None
    ranked = np.argsort(values)
    return domain[int(ranked[-1])] if values[ranked[-1]] - values[ranked[-2]] > gap else None


def ordered(seen: WildObservation, domain: tuple[int, ...]) -> tuple[int, ...] | None:
    """Return ``domain`` from left to right; None where the order changes or is unclear."""
    if len(domain) < 2 or not all(seen.seen[index].all() for index in domain):
        return None
    across = np.stack([seen.places[index][:, 0] for index in domain])
    order = np.argsort(across.mean(axis=1))
    gaps = np.diff(across[order], axis=0)
    return tuple(domain[int(place)] for place in order) if gaps.min() > 0.06 else None
