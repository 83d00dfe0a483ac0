"""The rendered worlds by the name under which they are trained on and evaluated."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from deixis.errors import UnknownNameError

from .benchmark import NUM_CLIPS, records
from .sequence import SeedRecords
from .wild.benchmark import NUM_CLIPS as NUM_WILD_CLIPS
from .wild.benchmark import wild_records


@dataclass(frozen=True)
class World:
    """A world.

    Attributes:
        records: makes the records of a split.
        num_clips: clips of each split.
    """

    records: Callable[..., SeedRecords[Any]]
    num_clips: Mapping[str, int]


WORLDS: Mapping[str, World] = MappingProxyType(
    {
        "synthetic": World(records, {**NUM_CLIPS}),
        "synthetic-wild": World(wild_records, {**NUM_WILD_CLIPS}),
    }
)
"""All worlds by name."""


def rendered_records(name: str, split: str, num_clips: int | None = None) -> SeedRecords[Any]:
    """Return the first ``num_clips`` clips (default, and at most: all) of ``split`` of the world ``name``.

    Raises:
        UnknownNameError: there is no such world, or it has no such split.
    """
    if name not in WORLDS:
        raise UnknownNameError("rendered world", name, WORLDS)
    world = WORLDS[name]
    if split not in world.num_clips:
        raise UnknownNameError(f"split of {name}", split, world.num_clips)
    count = world.num_clips[split]
    return world.records(split, count if num_clips is None else min(num_clips, count))
