"""The table of data sets: which module reads them, what they look like on disk, where they come from."""

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deixis.data.records import VideoRecord
from deixis.errors import DatasetError, UnknownNameError


@dataclass(frozen=True, kw_only=True)
class DatasetEntry:
    """What is known of a data set before it is read.

    Attributes:
        module: has ``records(root, split)`` and, in its docstring, the layouts that it reads.
        splits: their names with us, whatever the folders are called.
        evaluated: the split that results are reported on.
        source: where to get it.
        licence: on what terms.
        counts: split -> published numbers of videos and expressions.
    """

    module: str
    splits: tuple[str, ...]
    evaluated: str
    source: str
    licence: str
    counts: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def layout(self) -> str:
        """The layouts on disk, as the docstring of the module tells them."""
        return (importlib.import_module(self.module).__doc__ or "").strip()


DATASETS: Mapping[str, DatasetEntry] = {
    "ref-youtube-vos": DatasetEntry(
        module="deixis.data.ref_youtube_vos",
        splits=("train", "val", "test"),
        evaluated="val",
        source="links in the issues of github.com/skynbe/Refer-Youtube-VOS (its server is closed)",
        licence="annotations CC BY 4.0; videos from YouTube, for research",
        counts={"train": (3471, 12913), "val": (202, 834), "test": (305, 1262)},
    ),
    "ref-davis17": DatasetEntry(
        module="deixis.data.ref_davis17",
        splits=("train", "val"),
        evaluated="val",
        source="davischallenge.org (DAVIS-2017 trainval, 480p), davis_text_annotations.zip of Khoreva et al.",
        licence="data CC BY-NC 4.0; expressions for research",
        counts={"train": (60, 576), "val": (30, 244)},
    ),
    "a2d-sentences": DatasetEntry(
        module="deixis.data.a2d_sentences",
        splits=("train", "test"),
        evaluated="test",
        source="web.eecs.umich.edu/~jjcorso/r/a2d, kgavrilyuk.github.io/publication/actor_action",
        licence="A2D for research; no licence stated for the sentences",
        counts={"train": (3017, 5359), "test": (737, 1295)},
    ),
}
"""Name -> entry. To add one: a module of this folder with ``records``, and a line here."""


def find_dataset(name: str, others: Sequence[str] = ()) -> DatasetEntry:
    """Return the entry of a data set; ``others`` are names that the caller takes besides.

    Raises:
        UnknownNameError: there is none of that name; the closest are offered.
    """
    if name not in DATASETS:
        raise UnknownNameError("data set", name, (*DATASETS, *others))
    return DATASETS[name]


def load_records(name: str, root: str | Path, split: str | None = None) -> list[VideoRecord]:
    """Return the records of a split (by default the one that results are reported on).

    Raises:
        UnknownNameError: there is no such data set or split.
        DatasetError: files are missing or malformed, or the split has no videos.
    """
    entry = find_dataset(name)
    split = entry.evaluated if split is None else split
    if not Path(root).is_dir():
        raise DatasetError(f"there is no folder {root}; give the root folder of {name}")
    found = importlib.import_module(entry.module).records(root, split)
    if not found:
        raise DatasetError(f"{name} in {root} has no videos in the split {split!r}")
    return found
