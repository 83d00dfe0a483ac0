"""Outputs that appear only when they are complete: written under a ``.partial`` name, renamed at the end."""

import shutil
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path

from deixis.errors import SinkError


class Partial:
    """A file or folder in the making, at ``PATH.partial`` until :meth:`commit`.

    A process that is killed leaves at most the partial one, which the next run removes.

    Attributes:
        target: the final path.
        path: where to write in the meantime.
    """

    def __init__(self, target: Path, *, is_folder: bool, overwrite: bool) -> None:
        """Make room for the output.

        Raises:
            SinkError: the target exists and ``overwrite`` is False; its folder cannot be made or written.
        """
        self.target = target
        self.path = target.with_name(target.name + ".partial")
        self._is_folder = is_folder
        if target.exists() and not overwrite:
            raise SinkError(f"{target} exists already; remove it, or ask to overwrite it")
        with reported_errors(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            _remove(self.path)
            if is_folder:
                self.path.mkdir()
            else:
                self.path.touch()

    def commit(self) -> None:
        """Give the output its final name; what had that name before is gone only then."""
        with reported_errors(self.target):
            if self._is_folder and self.target.exists():
                # A folder cannot be replaced in one step: for a moment the old one stands under a third name.
                old = self.target.with_name(self.target.name + ".old.partial")
                _remove(old)
                self.target.rename(old)
                self.path.rename(self.target)
                _remove(old)
            else:
                if self.target.is_dir():
                    raise SinkError(f"{self.target} is a folder; give another name")
                self.path.replace(self.target)

    def discard(self) -> None:
        """Remove what was written."""
        with reported_errors(self.target):
            _remove(self.path)


def existing_outputs(paths: Iterable[str | Path]) -> list[Path]:
    """Return those of ``paths`` that exist: what stands under its final name is complete."""
    return [Path(path) for path in paths if Path(path).exists()]


@contextmanager
def reported_errors(target: Path) -> Generator[None]:
    """Turn failures of the file system into a :class:`SinkError` of one line."""
    try:
        yield
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        message = f"{target} cannot be written ({reason}); free space or choose another folder"
        raise SinkError(message) from error


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
