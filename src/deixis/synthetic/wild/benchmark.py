"""The fixed benchmark ``synthetic-wild``: seeds by split."""

from dataclasses import replace
from typing import Literal

from deixis.data.records import VideoRecord
from deixis.synthetic.sequence import SeedRecords

from .scene import WildSettings
from .world import wild_record

Split = Literal["train", "val", "test"]

NUM_CLIPS: dict[Split, int] = {"train": 10_000_000, "val": 100, "test": 100}
"""``train`` has more clips than anyone can draw; a sequence has to have an end."""

LENGTHS: dict[Split, int] = {"train": 6, "val": 24, "test": 24}
"""Frames a clip. Those of ``train`` are short: more scenes teach more than more frames of each."""

_FIRST_SEEDS: dict[Split, int] = {"val": 1_000_000, "test": 2_000_000, "train": 10_000_000}


class WildRecords(SeedRecords[WildSettings]):
    """Records of consecutive seeds of this world."""

    def make(self, seed: int) -> VideoRecord:
        """Return the record of ``seed``."""
        return wild_record(seed, self.settings, self.split)


def wild_records(split: Split, num_clips: int | None = None, *, length: int | None = None) -> WildRecords:
    """Return the first ``num_clips`` clips of ``split`` (default: all), of ``length`` frames or the usual.

    Raises:
        ValueError: an unknown split, or more clips than it has.
    """
    if split not in NUM_CLIPS:
        raise ValueError(f"split {split!r} is none of train, val, test")
    count = NUM_CLIPS[split] if num_clips is None else num_clips
    if not 0 <= count <= NUM_CLIPS[split]:
        raise ValueError(f"{split} has {NUM_CLIPS[split]:,} clips, {count:,} were asked for")
    settings = replace(WildSettings(), length=LENGTHS[split] if length is None else length)
    return WildRecords(split, settings, _FIRST_SEEDS[split], count)
