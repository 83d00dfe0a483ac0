"""The files of a prediction: a folder or a zip behind one interface. Nothing is unpacked.

Both kinds hold paths only, so they can be sent to the processes that score; files are read when asked for.
"""

import os
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path, PurePosixPath
from typing import Protocol

from deixis.errors import DatasetError

_JUNK = frozenset({"__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini", ".ipynb_checkpoints"})


class Files(Protocol):
    """Files by name; a name is a relative path with ``/`` between its parts."""

    @property
    def place(self) -> Path:
        """The folder or archive."""
        ...

    @property
    def names(self) -> Sequence[str]:
        """All files, sorted, without what systems leave in every folder (``.DS_Store``, ``__MACOSX``)."""
        ...

    def read(self, name: str) -> bytes:
        """Return the content of a file."""
        ...


@dataclass(frozen=True)
class FolderFiles:
    """The files under a folder."""

    place: Path

    @cached_property
    def names(self) -> Sequence[str]:
        """All files, sorted."""
        found: list[str] = []
        for folder, _, files in os.walk(self.place, followlinks=True):
            inside = Path(folder).relative_to(self.place).as_posix()
            found += files if inside == "." else [f"{inside}/{file}" for file in files]
        return _without_junk(found)

    def __getstate__(self) -> dict[str, Path]:
        # The list of names may be long, and other processes are told which files they need.
        return {"place": self.place}

    def read(self, name: str) -> bytes:
        """Return the content of a file.

        Raises:
            DatasetError: it cannot be read.
        """
        try:
            return (self.place / name).read_bytes()
        except OSError as error:
            raise DatasetError(f"cannot read {self.place / name}: {error.strerror}") from error


@dataclass(frozen=True)
class ZipFiles:
    """The files in a zip archive, read from it one by one."""

    place: Path

    @cached_property
    def names(self) -> Sequence[str]:
        """All files, sorted."""
        return _without_junk(info.filename for info in self._archive.infolist() if not info.is_dir())

    def read(self, name: str) -> bytes:
        """Return the content of a file.

        Raises:
            DatasetError: it is damaged or encrypted.
        """
        try:
            return self._archive.read(name)
        except (OSError, RuntimeError, NotImplementedError, zipfile.BadZipFile, KeyError) as error:
            raise DatasetError(f"cannot read {name} in {self.place}: {error}; pack it again") from error

    def __getstate__(self) -> dict[str, Path]:
        # An open archive cannot go to another process: there it is opened anew.
        return {"place": self.place}

    @property
    def _archive(self) -> zipfile.ZipFile:
        try:
            state = self.place.stat()
            return _open_archive(self.place, state.st_mtime_ns, state.st_size)
        except (OSError, zipfile.BadZipFile) as error:
            raise DatasetError(f"cannot read {self.place} as a zip: {error}; pack it again") from error


def open_files(path: Path) -> FolderFiles | ZipFiles:
    """Open a folder or a zip.

    Raises:
        DatasetError: there is neither, it is empty, a name in the zip leads out of it, or it only wraps
            another zip.
    """
    if path.is_dir():
        files: FolderFiles | ZipFiles = FolderFiles(path)
    elif path.is_file() and zipfile.is_zipfile(path):
        files = ZipFiles(path)
        _refuse_escapes(files)
    elif path.is_file():
        raise DatasetError(f"{path} is neither a folder nor a zip; give the folder of masks, or zip it")
    else:
        raise DatasetError(f"there is no {path}; give the folder or the zip that holds the predictions")
    if not files.names:
        raise DatasetError(f"{path} holds no files; nothing can be scored")
    archives = [name for name in files.names if name.lower().endswith((".zip", ".tar", ".tar.gz", ".tgz"))]
    if archives and len(archives) == len(files.names):
        raise DatasetError(
            f"{path} holds no masks but {'an archive' if len(archives) == 1 else 'archives'}, {archives[0]}; "
            "unpack it and give what is inside"
        )
    return files


@lru_cache(maxsize=2)
def _open_archive(path: Path, mtime_ns: int, size: int) -> zipfile.ZipFile:
    """Open a zip once a process, however many videos of it are scored there; anew when it has changed."""
    return zipfile.ZipFile(path)


def _refuse_escapes(files: ZipFiles) -> None:
    """Raise where a name in the archive is absolute or climbs out of it."""
    for name in (info.filename for info in files._archive.infolist()):
        parts = PurePosixPath(name.replace("\\", "/")).parts
        if ".." in parts or name.startswith(("/", "\\")) or name[1:2] == ":":
            raise DatasetError(
                f"{files.place} holds the path {name!r}, which leads out of the archive; "
                "pack it again with relative paths"
            )


def _without_junk(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(name for name in names if not _JUNK.intersection(name.split("/"))))
