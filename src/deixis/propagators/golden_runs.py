"""Runs of goldens of propagation: objects followed through prepared frames.

Axes: k objects, t frames, h w pixels of a frame.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from deixis.propagators.base import ObjectMasks

ChosenMasks = ObjectMasks | None


class Walk(Protocol):
    """A propagator with its state, for one direction."""

    def step(
        self, place: int, image: Tensor, given: ChosenMasks, *, is_last: bool
    ) -> tuple[Tensor, tuple[int, ...]]:
        """Return what is found in the frame at ``place`` (its own form), and the ids of the objects."""
        ...


@dataclass(frozen=True)
class FollowedRun:
    """What was found in each frame, in the order of time.

    Attributes:
        found: of each frame, as the walk gives it.
        ids: of each frame, of the objects known in it.
        size: of the frames.
    """

    found: tuple[Tensor, ...]
    ids: tuple[tuple[int, ...], ...]
    size: tuple[int, int]


def follow_run(
    inputs: Mapping[str, Any], stored: Mapping[str, np.ndarray], start: Callable[[], Walk]
) -> FollowedRun:
    """Follow the objects of a run of a golden from where they are given, forward or both ways.

    Args:
        inputs: ``frames``, ``labels``, ``given``, ``direction`` of the run.
        stored: label maps by name.
        start: makes a walk; one for each direction.
    """
    frames = torch.from_numpy(inputs["frames"])
    labels = torch.from_numpy(stored[inputs["labels"]])
    given = {
        int(frame): ObjectMasks(tuple(ids), torch.stack([labels[int(frame)] == number for number in ids]))
        for frame, ids in inputs["given"].items()
    }
    first, last = min(given), len(frames) - 1
    found: dict[int, tuple[Tensor, tuple[int, ...]]] = {}
    ways = [range(first, last + 1)]
    if inputs["direction"] == "both":
        ways.insert(0, range(first, -1, -1))
    for way in ways:
        walk = start()
        for place in way:
            found[place] = walk.step(place, frames[place], given.get(place), is_last=place == way[-1])
    order = sorted(found)
    size = (int(frames.shape[-2]), int(frames.shape[-1]))
    return FollowedRun(
        tuple(found[place][0] for place in order), tuple(found[place][1] for place in order), size
    )
