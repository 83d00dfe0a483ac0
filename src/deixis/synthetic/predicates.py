"""Three-valued truths about the objects of a clip: true, false, or borderline (None).

A predicate is true of an object only with a clear margin over the whole clip, and false only with one. What
lies between is None, and an expression for which any object is borderline is never used. Motion is judged
twice, in the frame and relative to the background: a motion word is true only where both agree, and false
only where both agree, so that a moving camera never decides.

Distances are pixels of the reference frame (shorter side 128), speeds the same to a frame of a 16-frame clip.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .observation import Observation
from .order import rank_truth
from .vocabulary import FIGURES, NOUNS

Truth = bool | None
Truths = tuple[Truth, ...]
"""One for each object of the scene, in the order of the scene."""

DIRECTIONS: dict[str, float] = {
    "right": 0.0,
    "down right": 45.0,
    "down": 90.0,
    "down left": 135.0,
    "left": 180.0,
    "up left": 225.0,
    "up": 270.0,
    "up right": 315.0,
}
"""Angles in degrees, clockwise as seen from the direction to the right."""

_RESTS, _MOVES = 3.0, 10.0
_SPEED_RESTS, _SPEED_MOVES = 0.25, 0.6


@dataclass(frozen=True)
class Predicate:
    """Something that may be said of an object.

    Attributes:
        kind: of attribute: "appearance", "location", "motion", "relation" or "order".
        name: which predicate: "colour", "direction", "left of", ...
        value: its argument: "red", "up left", ...
        anchor: index of the object that a relation is to.
        domain: indices of the objects that an order is over.
    """

    kind: str
    name: str
    value: str = ""
    anchor: int | None = None
    domain: tuple[int, ...] = ()


def truths(observation: Observation, predicate: Predicate) -> Truths:
    """Judge every object of the scene."""
    if predicate.kind == "order":
        return rank_truth(
            observation, predicate.name, predicate.value, predicate.domain, _speeds(observation)
        )
    return tuple(_judge(observation, predicate, index) for index in range(observation.num_objects))


def conjunction(columns: list[Truths], count: int) -> Truths:
    """Join predicates by "and": one false makes it false, else one borderline makes it borderline."""
    result: list[Truth] = []
    for index in range(count):
        values = [column[index] for column in columns]
        result.append(False if False in values else None if None in values else True)
    return tuple(result)


def is_hidden(observation: Observation, index: int) -> bool:
    """Whether an object is seen in too few frames to be spoken of."""
    seen = observation.seen[index]
    return bool(seen.sum() < min(max(3, 0.2 * seen.size), seen.size))


def _judge(observation: Observation, predicate: Predicate, index: int) -> Truth:
    if not observation.areas[index].any():
        return False
    if predicate.kind == "appearance":
        truth = _appearance(observation, predicate, index)
        return None if truth and is_hidden(observation, index) else truth
    if is_hidden(observation, index):
        return None
    if predicate.kind == "location":
        return _location(observation, predicate.value, index)
    if predicate.kind == "relation":
        return _relation(observation, predicate, index)
    if predicate.name == "direction":
        return _direction(observation, index, DIRECTIONS[predicate.value])
    return _MOTIONS[predicate.name](observation, index)


def _three(is_true: bool, is_false: bool) -> Truth:
    return True if is_true else False if is_false else None


def _appearance(observation: Observation, predicate: Predicate, index: int) -> Truth:
    spec = observation.scene.objects[index]
    if predicate.name == "noun":
        noun = NOUNS[predicate.value]
        return _three(spec.shape in noun.shapes, spec.shape not in noun.doubtful)
    if predicate.name == "size" and predicate.value != "medium":
        # "Big" and "small" are also said in comparison, so the middle size is neither nor.
        return None if spec.size == "medium" else spec.size == predicate.value
    if predicate.name == "texture" and spec.size == "small" and spec.shape in FIGURES:
        return None  # nobody can make out the dots of a snake three pixels thick
    return getattr(spec, predicate.name) == predicate.value


def _location(observation: Observation, value: str, index: int) -> Truth:
    places = observation.places[index][observation.seen[index]]
    x, y = places.T
    sides = {"left": x, "right": 1 - x, "top": y, "bottom": 1 - y}
    if value == "middle":
        away = np.abs(places - 0.5)
        return _three(bool((away < (0.11, 0.14)).all()), bool((away > (0.2, 0.24)).any(axis=1).all()))
    parts = [sides[word] for word in value.split()]
    return _three(
        all(part.max() < 0.45 and part.mean() < 0.37 for part in parts),
        any(part.min() > 0.52 for part in parts),
    )


def _relation(observation: Observation, predicate: Predicate, index: int) -> Truth:
    anchor = predicate.anchor
    assert anchor is not None
    if index == anchor:
        return False
    if is_hidden(observation, anchor):
        return None
    both = observation.seen[index] & observation.seen[anchor]
    if predicate.name in ("behind", "in front of"):
        return _depth(observation, index, anchor, predicate.name == "behind")
    if both.sum() < max(1, 0.6 * observation.seen[index].sum()):
        return None
    height, width = observation.scene.settings.size
    gaps = (observation.places[index] - observation.places[anchor])[both] * (width, height)
    gaps = gaps / observation.scene.settings.unit
    if predicate.name in ("right of", "below"):
        gaps = -gaps
    level = predicate.name in ("left of", "right of")
    along, across = (gaps[:, 0], gaps[:, 1]) if level else (gaps[:, 1], gaps[:, 0])
    clear = along.max() < -10 and -along.mean() > max(16, 0.6 * np.abs(across).mean())
    return _three(bool(clear), bool(along.min() > -3))


def _depth(observation: Observation, index: int, anchor: int, behind: bool) -> Truth:
    """Behind and in front need an overlap that can be seen."""
    objects, overlap = observation.scene.objects, observation.overlaps[index, anchor]
    is_behind = objects[index].depth < objects[anchor].depth
    if not overlap.any() or is_behind != behind:
        return False
    frames = ((overlap > 0.12) & observation.seen[index] & observation.seen[anchor]).sum()
    return True if frames >= max(3, 0.2 * overlap.size) else None


def _tracks(observation: Observation, index: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the way in the frame and in the world, from the first frame with the object to the last."""
    seen = np.flatnonzero(observation.seen[index])
    span = slice(seen[0], seen[-1] + 1)
    return observation.frame_tracks[index, span], observation.world_tracks[index, span]


def _steps(observation: Observation, index: int) -> list[np.ndarray]:
    return [np.diff(track, axis=0) / observation.scene.settings.pace for track in _tracks(observation, index)]


def _reach(track: np.ndarray) -> float:
    return float(np.hypot(*(track - track[0]).T).max())


def _is_still(observation: Observation, index: int) -> Truth:
    reaches = [_reach(track) for track in _tracks(observation, index)]
    return _three(max(reaches) < _RESTS, min(reaches) > _MOVES)


def _is_moving(observation: Observation, index: int) -> Truth:
    still = _is_still(observation, index)
    return None if still is None else not still


def _direction(observation: Observation, index: int, degrees: float) -> Truth:
    still = _is_still(observation, index)
    if still is not False:
        return False if still else None
    wanted = np.radians(degrees)
    agrees, differs = [], []
    for steps in _steps(observation, index):
        moving = steps[np.hypot(*steps.T) > _SPEED_RESTS]
        away = np.abs((np.arctan2(moving[:, 1], moving[:, 0]) - wanted + np.pi) % (2 * np.pi) - np.pi)
        agrees.append(bool((np.degrees(away) < 22).all()))
        differs.append(bool((np.degrees(away) > 52).all()))
    return _three(all(agrees), all(differs))


def mean_speeds(observation: Observation, index: int) -> tuple[float, float]:
    """Return the mean speed of the steps in which the object moves, in the frame and in the world."""
    means = []
    for steps in _steps(observation, index):
        speeds = np.hypot(*steps.T)
        means.append(float(speeds[speeds > _SPEED_RESTS].mean()) if (speeds > _SPEED_RESTS).any() else 0.0)
    return means[0], means[1]


def _speeds(observation: Observation) -> tuple[tuple[float, float] | None, ...]:
    """Return the speeds of all objects, (0, 0) for those that rest, None where it cannot be said."""
    result: list[tuple[float, float] | None] = []
    for index in range(observation.num_objects):
        still = None if is_hidden(observation, index) else _is_still(observation, index)
        result.append(None if still is None else (0.0, 0.0) if still else mean_speeds(observation, index))
    return tuple(result)


def _is_fast(observation: Observation, index: int) -> Truth:
    still = _is_still(observation, index)
    if still is not False:
        return False if still else None
    speeds = mean_speeds(observation, index)
    return _three(min(speeds) > 2.9, max(speeds) < 2.2)


def _is_slow(observation: Observation, index: int) -> Truth:
    still = _is_still(observation, index)
    if still is not False:
        return False if still else None
    speeds = mean_speeds(observation, index)
    return _three(max(speeds) < 1.3, min(speeds) > 1.75)


def _starts(observation: Observation, index: int) -> Truth:
    return _changes(observation, index, list(_tracks(observation, index)))


def _stops(observation: Observation, index: int) -> Truth:
    return _changes(observation, index, [track[::-1] for track in _tracks(observation, index)])


def _changes(observation: Observation, index: int, tracks: list[np.ndarray]) -> Truth:
    """Whether ``tracks`` rest at first and move at last."""
    still = _is_still(observation, index)
    if still is not False:
        return False if still else None
    seen, pace = observation.seen[index], observation.scene.settings.pace
    quarter = max(3, int(0.25 * seen.size))
    if len(tracks[0]) < 2 * quarter:
        return None
    rests, starts = [], []
    for track in tracks:
        speeds = np.hypot(*np.diff(track, axis=0).T) / pace
        rests.append(_reach(track[:quarter]) < 1.5 and speeds[-quarter + 1 :].min() > _SPEED_MOVES)
        starts.append(speeds[: quarter - 1].min() > _SPEED_MOVES)
    whole = bool(seen[[0, -1]].all())
    return _three(all(rests) and whole, all(starts))


def _turns(observation: Observation, index: int) -> Truth:
    still = _is_still(observation, index)
    if still is not False:
        return False if still else None
    turned, straight = [], []
    for steps in _steps(observation, index):
        moving = steps[np.hypot(*steps.T) > _SPEED_RESTS]
        third = max(1, len(moving) // 3)
        before, after = moving[:third].sum(axis=0), moving[-third:].sum(axis=0)
        lengths = np.hypot(*before), np.hypot(*after)
        bend = np.degrees(np.arccos(np.clip(before @ after / max(lengths[0] * lengths[1], 1e-6), -1, 1)))
        turned.append(bend > 60 and min(lengths) > 5)
        angles = np.arctan2(moving[:, 1], moving[:, 0]) - np.arctan2(*moving.sum(axis=0)[::-1])
        straight.append(bool((np.abs((angles + np.pi) % (2 * np.pi) - np.pi) < np.radians(22)).all()))
    return _three(all(turned), all(straight))


def _enters(observation: Observation, index: int) -> Truth:
    return _crosses(observation.inside[index], observation.seen[index])


def _leaves(observation: Observation, index: int) -> Truth:
    return _crosses(observation.inside[index][::-1], observation.seen[index][::-1])


def _crosses(inside: np.ndarray, seen: np.ndarray) -> Truth:
    """Whether an object is outside at first and well inside later; coming in, it must not go out between."""
    first = int(seen.argmax())
    comes = inside[0] == 0 and first > 0 and inside[:first].max() < 0.35 and inside[seen].max() > 0.8
    return _three(bool(comes), bool(inside[0] > 0.7 and seen[0]))


_MOTIONS: dict[str, Callable[[Observation, int], Truth]] = {
    "still": _is_still,
    "moving": _is_moving,
    "fast": _is_fast,
    "slow": _is_slow,
    "starts": _starts,
    "stops": _stops,
    "turns": _turns,
    "enters": _enters,
    "leaves": _leaves,
}
