"""Which of the things found is the one that a sentence asks for, and whether any is.

Every kind of knowledge (category, colour, place, ...) gives a log likelihood ratio: how much likelier what
was measured is for the referent than for anything else. Their sum is the score of a thing, in which what
speaks for it saturates: agreement in many small things does not outweigh one contradiction. What the sentence
does not say, or was not measured, gives 0. The numbers are judgements, not fitted to any video.

Axes: k categories or basic colours.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from jaxtyping import Float

from deixis.ops.lexicon import BASIC_COLOURS, CATEGORIES

from .request import ColourClaim, Request

ACCEPTED = -0.2
"""Score at which a thing is as likely asked for as not: a small doubt is not enough to call it absent, a
contradiction is. Higher, and more that is absent is found out, at the price of what is there."""
SOFTNESS = 0.6
"""Of the logistic curve from a score to a presence."""
LIMITS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "category": (-3.0, 1.0),
        "colour": (-2.8, 0.9),
        "usual colour": (-0.8, 0.6),
        "texture": (-1.0, 0.8),
        "place": (-1.6, 1.2),
        "direction": (-1.0, 1.4),
        "motion": (-1.0, 0.5),
        "size": (-0.6, 0.6),
        "order": (-1.8, 0.0),
    }
)
"""The least and the most that each kind of knowledge can say."""
SUPPORT = 1.2
"""The most that all that speaks for a thing can add up to."""
_FLOOR = 0.02
"""Of a colour's share: no measurement is surer than that."""
_DOUBT, _TRUST = 0.01, 1.6
"""Of the probability of a category; exponent of its odds."""
_LIKE = 0.35
"""Share of an asked colour, of the share that may be expected, at which it says nothing."""
_SHIFTED: Mapping[str, Mapping[str, float]] = {
    "black": {"grey": 0.35, "blue": 0.1, "brown": 0.1},
    "white": {"grey": 0.45},
    "grey": {"white": 0.35, "black": 0.35, "blue": 0.1},
    "red": {"orange": 0.3, "pink": 0.3, "brown": 0.15},
    "orange": {"red": 0.35, "yellow": 0.35, "brown": 0.4},
    "yellow": {"orange": 0.35, "white": 0.1, "brown": 0.2, "green": 0.15},
    "green": {"yellow": 0.15, "blue": 0.1},
    "blue": {"purple": 0.3, "grey": 0.1},
    "purple": {"blue": 0.25, "pink": 0.35},
    "pink": {"red": 0.3, "purple": 0.3, "orange": 0.2, "white": 0.15},
    "brown": {"orange": 0.5, "grey": 0.15, "yellow": 0.25, "red": 0.25, "black": 0.15},
}
"""What a colour that was asked for may look like in real light, besides itself."""
_CONFUSED: Mapping[str, Mapping[str, float]] = {
    "vehicle": {"train": 0.3},
    "train": {"vehicle": 0.6},
    "aircraft": {"bird": 0.2},
    "boat": {"vehicle": 0.2},
}
"""Silhouettes that look alike: how much the probability of another category counts as that asked for."""
_CLOSE_ORDER = 0.8
"""Things whose other scores are at most this below the best take part in an order."""
_ALIKE = 1.5
"""Of several that are meant, how far the scores may differ."""
_BESIDE = 0.03
"""Gap between the boxes of joined things, in sizes of the frame."""
_STEADY = 2e-4
"""Velocity, in heights of the frame a frame, up to which a thing stands still."""


@dataclass(frozen=True)
class Thing:
    """What was measured of one thing that may be the referent.

    Attributes:
        categories: probability of each of ``CATEGORIES``; empty when unknown.
        colours: shares of each of ``BASIC_COLOURS`` of its pixels; empty when unknown.
        centre: x, y from 0 (left, top) to 1.
        area: share of the frame.
        velocity: x, y against the background, in heights of the frame a frame, down and right positive.
        box: x, y of the top left and the bottom right corner, from 0 to 1.
        first_seen: frame.
        last_seen: frame.
        textures: likelihood of each of ``TEXTURES`` by name; empty when unknown.
    """

    categories: Float[np.ndarray, "_k"]
    colours: Float[np.ndarray, "_k"]
    centre: tuple[float, float]
    area: float
    velocity: tuple[float, float]
    box: tuple[float, float, float, float]
    first_seen: int
    last_seen: int
    textures: tuple[tuple[str, float], ...] = ()


def match(request: Request, things: Sequence[Thing]) -> Float[np.ndarray, "n"]:
    """Score every thing: the log of how much likelier it is the referent than not.

    Orders ("the second from the left", "the larger one") are judged among the things that fit otherwise.
    """
    scores = np.array([_sum(explain(request, thing)) for thing in things], np.float64)
    if request.order is not None and len(things):
        scores = scores + _order(request, things, scores)
    if request.size and request.order is None and len(things) > 1:
        scores = scores + _relative_size(request, things)
    return scores


def presence(scores: Float[np.ndarray, "n"]) -> float:
    """Return how likely the referent is there, 0 to 1, from the scores of all things; 0.5 at ``ACCEPTED``."""
    if not len(scores):
        return 0.0
    return float(1 / (1 + np.exp(-(scores.max() - ACCEPTED) / SOFTNESS)))


def explain(request: Request, thing: Thing) -> dict[str, float]:
    """Return what each kind of knowledge says of a thing by itself; kinds that say nothing are left out."""
    found: dict[str, float] = {}
    if request.categories and len(thing.categories):
        found["category"] = _category(request, thing)
    if request.colours and len(thing.colours):
        found["colour"] = _colour(request.colours, thing.colours)
    if request.texture and thing.textures:
        likelihood = dict(thing.textures).get(request.texture, 0.0)
        found["texture"] = _limited("texture", float(np.log(likelihood + 0.1)) + 1.2)
    if request.places:
        found["place"] = _place(request.places, thing)
    speed = float(np.hypot(*thing.velocity))
    if request.directions and speed > _STEADY:
        found["direction"] = _direction(request.directions, thing.velocity)
    if request.moves is not None:
        moving = np.tanh(np.log((speed + _STEADY / 4) / (2 * _STEADY)))
        found["motion"] = _limited("motion", 0.6 * float(moving) * (1 if request.moves else -1))
    return found


def companions(request: Request, things: Sequence[Thing], scores: Float[np.ndarray, "n"]) -> tuple[int, ...]:
    """Return the indexes of what is meant besides the thing of the best score, the likeliest first.

    All that are nearly as good where several are meant, and those beside the best that the sentence joins to
    it ("the rider and the horse").
    """
    best_first = np.argsort(-scores, kind="stable").tolist()
    others = best_first[1:]
    if request.joined:
        best = things[best_first[0]]
        wanted = tuple(dict.fromkeys((*request.categories, *request.joined)))
        beside = (index for index in others if _touches(best, things[index]))
        return tuple(index for index in beside if _is_of(wanted, things[index]))
    if request.count > 1:
        floor = max(float(scores.max()) - _ALIKE, ACCEPTED)
        return tuple(index for index in others if scores[index] >= floor)
    return ()


def _touches(first: Thing, second: Thing) -> bool:
    gaps = (
        max(first.box[axis], second.box[axis]) - min(first.box[axis + 2], second.box[axis + 2])
        for axis in range(2)
    )
    return max(gaps) < _BESIDE


def _is_of(wanted: tuple[str, ...], thing: Thing) -> bool:
    return not len(thing.categories) or _chance(wanted, thing.categories) > 0.3


def _sum(found: Mapping[str, float]) -> float:
    pro = sum(max(value, 0.0) for value in found.values())
    return SUPPORT * float(np.tanh(pro / SUPPORT)) + sum(min(value, 0.0) for value in found.values())


def _category(request: Request, thing: Thing) -> float:
    """Compare the silhouette with what was asked; where it is one thing with its horse, either will do."""
    wanted = tuple(dict.fromkeys((*request.categories, *request.joined, *request.ridden)))
    prior = min(len(wanted), len(CATEGORIES) - 1) / len(CATEGORIES)
    chance = _chance(wanted, thing.categories)
    odds = (chance + _DOUBT) / (1 - chance + _DOUBT)
    return _limited("category", _TRUST * float(np.log(odds * (1 - prior) / prior)))


def _chance(wanted: tuple[str, ...], probabilities: Float[np.ndarray, "k"]) -> float:
    counted = {name: 1.0 for name in wanted}
    for name in wanted:
        for other, share in _CONFUSED.get(name, {}).items():
            counted[other] = max(counted.get(other, 0.0), share)
    weights = np.array([counted.get(name, 0.0) for name in CATEGORIES])
    return float(np.clip(weights @ probabilities, 0, 1))


def _colour(claims: Sequence[ColourClaim], shares: Float[np.ndarray, "k"]) -> float:
    """Compare shares with what was asked: the mean over claims, so that many words are not more than one."""
    values = []
    for claim in claims:
        share = float(np.dot(_tolerant(claim.weights), shares))
        ratio = float(np.log((share + _FLOOR) / (_LIKE * claim.share + _FLOOR)))
        values.append(_limited("colour" if claim.is_said else "usual colour", ratio))
    return float(np.mean(values))


def _tolerant(weights: Sequence[float]) -> Float[np.ndarray, "k"]:
    """Widen the colours that were asked for by those that they may look like."""
    wide = dict(zip(BASIC_COLOURS, weights, strict=True))
    for name, weight in zip(BASIC_COLOURS, weights, strict=True):
        for other, share in _SHIFTED[name].items():
            wide[other] = max(wide[other], weight * share)
    return np.array([wide[name] for name in BASIC_COLOURS])


def _place(places: Sequence[str], thing: Thing) -> float:
    """Compare where it is with where it should be; near is low in the frame, and large."""
    x, y = thing.centre
    foot = thing.box[3]
    offsets = {
        "left": 0.5 - x,
        "right": x - 0.5,
        "top": 0.5 - y,
        "bottom": y - 0.5,
        "middle": 0.22 - float(np.hypot(x - 0.5, 0.6 * (y - 0.5))),
        "front": 0.5 * (foot - 0.6),
        "back": 0.5 * (0.7 - foot),
    }
    value = sum(float(np.clip(7 * offsets[name], -1.6, 1.2)) for name in places) / len(places) ** 0.5
    return _limited("place", value)


def _direction(directions: Sequence[str], velocity: tuple[float, float]) -> float:
    """Compare the heading with what was asked; towards and away cannot be told from it."""
    units = {"left": (-1.0, 0.0), "right": (1.0, 0.0), "up": (0.0, -1.0), "down": (0.0, 1.0)}
    asked = np.sum([units[name] for name in directions if name in units] or [(0.0, 0.0)], axis=0)
    length = float(np.hypot(*asked))
    speed = float(np.hypot(*velocity))
    if not length:
        return 0.0
    cosine = float(asked @ np.array(velocity)) / (length * speed)
    # A slow drift may be the estimate's error.
    trust = speed / (speed + 5 * _STEADY)
    return _limited("direction", 2.2 * trust * cosine)


def _order(
    request: Request, things: Sequence[Thing], scores: Float[np.ndarray, "n"]
) -> Float[np.ndarray, "n"]:
    assert request.order is not None
    key, rank = request.order.key, request.order.rank
    least, most = LIMITS["order"]
    fitting = np.flatnonzero(scores >= scores.max() - _CLOSE_ORDER)
    values = np.array([_key(key, things[index]) for index in fitting])
    ranked = fitting[np.argsort(values, kind="stable")]
    added = np.zeros(len(things))
    if abs(rank) > len(ranked):
        added[fitting] = least  # "the third" of two
        return added
    if len(ranked) < 2:
        return added
    chosen = rank - 1 if rank > 0 else len(ranked) + rank
    added[fitting] = least
    added[ranked[min(max(chosen, 0), len(ranked) - 1)]] = most
    return added


def _key(key: str, thing: Thing) -> float:
    """Return what things are sorted by, the first the least."""
    x, y = thing.centre
    speed = float(np.hypot(*thing.velocity))
    keys = {
        "left": x,
        "right": -x,
        "top": y,
        "bottom": -y,
        "middle": float(np.hypot(x - 0.5, y - 0.5)),
        "front": -thing.box[3],
        "back": thing.box[3],
        "small": thing.area,
        "large": -thing.area,
        "slow": speed,
        "fast": -speed,
        "enters": thing.first_seen,
        "leaves": thing.last_seen,
    }
    return keys[key]


def _relative_size(request: Request, things: Sequence[Thing]) -> Float[np.ndarray, "n"]:
    """Compare sizes with the mean (of logs) of all things: "small" alone has no measure."""
    logs = np.log([max(thing.area, 1e-6) for thing in things])
    sign = 1 if request.size == "large" else -1
    least, most = LIMITS["size"]
    return np.clip(0.5 * sign * (logs - logs.mean()), least, most)


def _limited(kind: str, value: float) -> float:
    least, most = LIMITS[kind]
    return float(np.clip(value, least, most))
