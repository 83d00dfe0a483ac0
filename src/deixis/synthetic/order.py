"""Ranks among some objects: by place, size, speed, or the time of entering and leaving.

Two objects are ordered only where the difference is clear; a rank that hangs on an unclear pair is
borderline.
"""

import numpy as np

from .observation import Observation

ORDERS: dict[str, tuple[str, ...]] = {
    "left": ("first", "second", "last"),
    "top": ("first", "second", "last"),
    "size": ("first", "last"),
    "speed": ("last",),
    "entering": ("first", "last"),
    "leaving": ("first", "last"),
}
"""What objects are ordered by, and the ranks that have words. "left" counts from left to right, "top" down,
"size" and "speed" upwards."""

Speeds = tuple[tuple[float, float] | None, ...]


def rank_truth(
    observation: Observation, by: str, rank: str, domain: tuple[int, ...], speeds: Speeds
) -> tuple[bool | None, ...]:
    """Judge of every object whether it has ``rank`` among ``domain``; objects outside of it have none."""
    place = {"first": 0, "second": 1, "last": len(domain) - 1}[rank]
    result: list[bool | None] = []
    for index in range(observation.num_objects):
        if index not in domain:
            result.append(False)
            continue
        signs = [compare(observation, by, other, index, speeds) for other in domain if other != index]
        low, unclear = signs.count(1), signs.count(0)
        if not low <= place <= low + unclear:
            result.append(False)
        else:
            result.append(None if unclear else True)
    return tuple(result)


def compare(observation: Observation, by: str, first: int, second: int, speeds: Speeds) -> int:
    """Return 1 where ``first`` clearly comes before ``second``, -1 for the contrary, 0 where unclear."""
    if by in ("left", "top"):
        return _compare_places(observation, 0 if by == "left" else 1, first, second)
    if by == "size":
        sides, areas = np.median(observation.extents, axis=1)[[first, second]].T
        return _sign(sides[1] > 1.2 * sides[0] and areas[1] > 1.35 * areas[0],
                     sides[0] > 1.2 * sides[1] and areas[0] > 1.35 * areas[1])  # fmt: skip
    if by == "speed":
        one, two = speeds[first], speeds[second]
        if one is None or two is None:
            return 0
        pairs = list(zip(one, two, strict=True))
        return _sign(all(b > 1.4 * a + 0.3 for a, b in pairs), all(a > 1.4 * b + 0.3 for a, b in pairs))
    seen = observation.seen if by == "entering" else observation.seen[:, ::-1]
    times = seen[[first, second]].argmax(axis=1)
    gap = max(2, 0.1 * seen.shape[1])
    if by == "leaving":
        times = -times
    return _sign(times[1] - times[0] >= gap, times[0] - times[1] >= gap)


def _sign(before: bool | np.bool_, after: bool | np.bool_) -> int:
    return 1 if before else -1 if after else 0


def _compare_places(observation: Observation, axis: int, first: int, second: int) -> int:
    """Order by place: the same in all frames where both are seen, by six pixels."""
    both = observation.seen[first] & observation.seen[second]
    if both.sum() < max(1, 0.5 * both.size):
        return 0
    extent = observation.scene.settings.size[1 - axis] / observation.scene.settings.unit
    gaps = (observation.places[second, :, axis] - observation.places[first, :, axis])[both] * extent
    return _sign(gaps.min() > 6, gaps.max() < -6)
