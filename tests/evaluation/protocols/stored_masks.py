"""Truth and predictions in memory or behind a relabelling, for tests of protocols."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from deixis.evaluation.protocols.sources import LabelFiles


@dataclass(frozen=True)
class ArrayLabels:
    """Label maps of a truth in memory."""

    maps: np.ndarray
    frames: tuple[str, ...]

    def read(self, frame: str) -> np.ndarray:
        return self.maps[self.frames.index(frame)]


@dataclass(frozen=True)
class ChosenLabels:
    """A prediction that shows labels of stored maps: ``tables[key]`` says what each label becomes."""

    labels: LabelFiles | ArrayLabels
    tables: Mapping[str, np.ndarray]
    names: Mapping[str, str] = field(default_factory=dict)

    def has(self, key: str = "") -> bool:
        return key in self.tables

    def read(self, frame: str, key: str = "") -> np.ndarray | None:
        if key not in self.tables:
            return None
        return self.tables[key][self.labels.read(self.names.get(frame, frame))]


@dataclass(frozen=True)
class RenamedLabels:
    """A truth whose frames have other names than its files, and rows that may be void."""

    labels: LabelFiles
    names: Mapping[str, str] = field(default_factory=dict)
    void_rows: tuple[int, int] = (0, 0)

    def read(self, frame: str) -> np.ndarray:
        labels = self.labels.read(self.names.get(frame, frame)).copy()
        labels[slice(*self.void_rows)] = 255
        return labels


def relabelling(table: Mapping[str, int] | Mapping[int, int]) -> np.ndarray:
    """Return the table that gives labels other ids, and 0 to all that are not named."""
    ids = np.zeros(256, np.uint8)
    for old, new in table.items():
        ids[int(old)] = new
    return ids


def selection(labels) -> np.ndarray:
    """Return the table that makes some labels foreground."""
    return relabelling({label: 255 for label in labels})


PLAIN = np.arange(256, dtype=np.uint8)
"""The table that leaves every label as it is."""
