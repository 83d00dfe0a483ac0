"""The fixed benchmark ``synthetic``: seeds and combinations of colour and shape by split."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, overload

from deixis.data.records import VideoRecord

from .scene import Pair, SceneSettings
from .world import scene_record

Split = Literal["train", "val", "test"]

HELD_OUT_PAIRS: tuple[Pair, ...] = (
    ("red", "star"),
    ("orange", "fish"),
    ("yellow", "car"),
    ("green", "heart"),
    ("blue", "circle"),
    ("purple", "triangle"),
    ("pink", "square"),
    ("brown", "bird"),
    ("white", "snake"),
    ("black", "ring"),
    ("green", "person"),
    ("blue", "cross"),
)
"""Combinations that only ``test`` has: no object of ``train`` and ``val`` is one, no expression names one.

Each shape is once in the list, and each colour at least once; all occur in ``train`` in other combinations.
"""

HELD_OUT_SHARE = 0.35
"""Share of the freshly drawn objects of ``test`` that are of a held-out combination."""

NUM_CLIPS: dict[Split, int] = {"train": 10_000_000, "val": 200, "test": 200}
"""``train`` has more clips than anyone can draw; a sequence has to have an end."""

_FIRST_SEEDS: dict[Split, int] = {"val": 1_000_000, "test": 2_000_000, "train": 10_000_000}


def split_settings(split: Split) -> SceneSettings:
    """Return the settings of ``split``: 16 frames of 128x192, two to four objects."""
    if split == "test":
        return SceneSettings(extra_pairs=HELD_OUT_PAIRS, extra_share=HELD_OUT_SHARE)
    return SceneSettings(forbidden_pairs=HELD_OUT_PAIRS)


@dataclass(frozen=True)
class SceneRecords(Sequence[VideoRecord]):
    """Records of consecutive seeds, each made when asked for.

    Attributes:
        split: the name that goes into the records' names.
        settings: of all scenes.
        first_seed: seed of record 0.
        num_clips: length of the sequence.
    """

    split: str
    settings: SceneSettings
    first_seed: int
    num_clips: int

    def __len__(self) -> int:
        return self.num_clips

    @overload
    def __getitem__(self, index: int) -> VideoRecord: ...
    @overload
    def __getitem__(self, index: slice) -> "SceneRecords": ...
    def __getitem__(self, index: int | slice) -> "VideoRecord | SceneRecords":
        if isinstance(index, slice):
            start, stop, step = index.indices(self.num_clips)
            if step != 1:
                raise ValueError(f"records are cut in steps of 1, got a step of {step}")
            return replace(self, first_seed=self.first_seed + start, num_clips=max(stop - start, 0))
        place = index + self.num_clips if index < 0 else index
        if not 0 <= place < self.num_clips:
            raise IndexError(f"there are {self.num_clips} clips, there is no clip {index}")
        return scene_record(self.first_seed + place, self.settings, self.split)


def records(split: Split, num_clips: int | None = None) -> SceneRecords:
    """Return the clips of ``split`` of the benchmark, or the first ``num_clips`` of them.

    Raises:
        ValueError: an unknown split, or more clips than it has.
    """
    if split not in NUM_CLIPS:
        raise ValueError(f"split {split!r} is none of train, val, test")
    count = NUM_CLIPS[split] if num_clips is None else num_clips
    if not 0 <= count <= NUM_CLIPS[split]:
        raise ValueError(f"{split} has {NUM_CLIPS[split]:,} clips, {count:,} were asked for")
    return SceneRecords(split, split_settings(split), _FIRST_SEEDS[split], count)
