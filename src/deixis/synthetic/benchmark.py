"""The fixed benchmark ``synthetic``: seeds and combinations of colour and shape by split."""

from typing import Literal

from deixis.data.records import VideoRecord

from .scene import Pair, SceneSettings
from .sequence import SeedRecords
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


class SceneRecords(SeedRecords[SceneSettings]):
    """Records of consecutive seeds of this world."""

    def make(self, seed: int) -> VideoRecord:
        """Return the record of ``seed``."""
        return scene_record(seed, self.settings, self.split)


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
