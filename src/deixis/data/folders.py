"""Find and list the folders of a data set: which of the usual names is there, which images lie in it."""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from deixis.errors import DatasetError, MissingSplitError, UnknownNameError

from .check import Finding

RESOLUTIONS = ("480p", "1080p", "Full-Resolution")
"""Folders between the kind of image and the video, in the order in which they are preferred."""


def find_child(base: Path, kind: str, video: str) -> Path:
    """Return the folder of a video's images or masks (``kind``), under ``480p`` and the like where that is.

    Where there is none, return the place without a resolution.
    """
    for resolution in RESOLUTIONS:
        deeper = base / kind / resolution / video
        if deeper.is_dir():
            return deeper
    return base / kind / video


def find_folder(root: Path, names: Iterable[str]) -> Path | None:
    """Return the first of ``names`` that is a folder of ``root``."""
    return next((root / name for name in names if (root / name).is_dir()), None)


def find_split(root: Path, name: str, split: str, folders: Mapping[str, Sequence[str]]) -> Path:
    """Return the folder of a split of the data set ``name``, by one of its names, that holds ``JPEGImages``.

    Raises:
        UnknownNameError: there is no such split.
        MissingSplitError: it is not there.
    """
    if split not in folders:
        raise UnknownNameError(f"split of {name}", split, tuple(folders))
    base = find_folder(root, folders[split])
    if base is None or not (base / "JPEGImages").is_dir():
        raise MissingSplitError(
            f"{root} has no {folders[split][0]}/JPEGImages; give the folder that holds it"
        )
    return base


def list_stems(folder: Path, suffixes: Sequence[str]) -> tuple[str, ...]:
    """Return the sorted stems of the files of ``folder`` with one of ``suffixes``; none without the folder.

    Raises:
        DatasetError: the folder cannot be listed.
    """
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except OSError as error:
        raise DatasetError(f"cannot list {folder}: {error}") from error
    parts = (os.path.splitext(name) for name in names if not name.startswith("."))
    return tuple(sorted({stem for stem, suffix in parts if suffix.lower() in suffixes}))


def unlisted_folders(parent: Path, names: Collection[str]) -> Iterator[Finding]:
    """Yield one finding where ``parent`` has folders of videos that the metadata does not know."""
    try:
        found = sorted(entry.name for entry in os.scandir(parent) if entry.is_dir())
    except FileNotFoundError:
        return
    extra = [name for name in found if name not in names and name not in RESOLUTIONS]
    if extra:
        some = ", ".join(extra[:10]) + (", ..." if len(extra) > 10 else "")
        yield Finding("", f"{len(extra)} folders of {parent} are in no metadata: {some}")
