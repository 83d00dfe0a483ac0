"""Rows of finished videos in a file of JSON lines, so that a killed evaluation goes on where it stopped.

The first line says what is being evaluated; each other line holds one video. A line that was cut off by the
kill is dropped, and its video is done again.
"""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

from deixis.configuration import from_plain, to_plain
from deixis.errors import SinkError

Row = TypeVar("Row")


class Ledger(Generic[Row]):
    """The file of finished videos.

    Attributes:
        path: of the file.
        done: video -> rows.
    """

    def __init__(
        self, path: Path, identity: Mapping[str, Any], row_type: type[Row], *, overwrite: bool = False
    ) -> None:
        """Open or begin the file.

        Args:
            path: of the file.
            identity: what is evaluated; an old file must say the same.
            row_type: the data class of the rows.
            overwrite: throw an old file away.

        Raises:
            SinkError: the file belongs to another evaluation, or the folder cannot be written.
        """
        self.path = path
        self.done: dict[str, list[Row]] = {}
        self._row_type = row_type
        plain = json.loads(json.dumps(to_plain(identity)))
        lines = [] if overwrite else _whole_lines(path)
        if lines:
            self._take(lines, plain)
        # Written anew, without a line that was cut off.
        content = [{"evaluation": plain}, *(_line(video, rows) for video, rows in self.done.items())]
        write_text(path, "".join(json.dumps(line) + "\n" for line in content))

    def add(self, video: str, rows: Sequence[Row]) -> None:
        """Write the rows of a finished video through to the disk."""
        self.done[video] = list(rows)
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(_line(video, rows)) + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise SinkError(
                f"cannot write {self.path}: {error.strerror}; give another --out folder"
            ) from error

    def _take(self, lines: Sequence[str], identity: Mapping[str, Any]) -> None:
        """Take over the videos of an old file of the same evaluation."""
        try:
            first, *others = (json.loads(line) for line in lines)
            old = first["evaluation"]
            if old == identity:
                for line in others:
                    self.done[line["video"]] = [from_plain(self._row_type, row) for row in line["rows"]]
                return
        except (ValueError, KeyError, TypeError) as error:
            raise SinkError(
                f"{self.path} is not a file of finished videos; give --overwrite or another --out"
            ) from error
        keys = sorted(key for key in {*old, *identity} if old.get(key) != identity.get(key))
        raise SinkError(
            f"{self.path} holds another evaluation (it differs in {', '.join(keys)}); "
            "give --overwrite or another --out"
        )


def write_text(path: Path, text: str) -> None:
    """Write a file atomically, making its folder.

    Raises:
        SinkError: the folder cannot be written.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            partial.write_text(text, encoding="utf-8")
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise SinkError(f"cannot write {path}: {error.strerror}; give another --out folder") from error


def _line(video: str, rows: Sequence[Any]) -> dict[str, Any]:
    return {"video": video, "rows": to_plain(list(rows))}


def _whole_lines(path: Path) -> list[str]:
    """Return the lines of the file that end as lines do."""
    if not path.is_file():
        return []
    text = path.read_text(encoding="utf-8")
    return [line for line in text[: text.rfind("\n") + 1].split("\n") if line]
