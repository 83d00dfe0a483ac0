"""Records of consecutive seeds, each made when asked for."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Generic, Self, TypeVar, overload

from deixis.data.records import VideoRecord

Settings = TypeVar("Settings")


@dataclass(frozen=True)
class SeedRecords(Sequence[VideoRecord], Generic[Settings]):
    """Records of consecutive seeds.

    Attributes:
        split: the name that goes into the records' names.
        settings: of all scenes.
        first_seed: seed of record 0.
        num_clips: length of the sequence.
    """

    split: str
    settings: Settings
    first_seed: int
    num_clips: int

    @abstractmethod
    def make(self, seed: int) -> VideoRecord:
        """Return the record of ``seed``."""

    def __len__(self) -> int:
        return self.num_clips

    @overload
    def __getitem__(self, index: int) -> VideoRecord: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> VideoRecord | Self:
        if isinstance(index, slice):
            start, stop, step = index.indices(self.num_clips)
            if step != 1:
                raise ValueError(f"records are cut in steps of 1, got a step of {step}")
            return replace(self, first_seed=self.first_seed + start, num_clips=max(stop - start, 0))
        place = index + self.num_clips if index < 0 else index
        if not 0 <= place < self.num_clips:
            raise IndexError(f"there are {self.num_clips} clips, there is no clip {index}")
        return self.make(self.first_seed + place)
