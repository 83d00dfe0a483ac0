"""Text files of expressions in the form of Khoreva et al., one for each annotator."""

from collections.abc import Sequence
from pathlib import Path

from deixis.data.davis_texts import FOLDER, TextFile

from .files import write_text


class TextLines:
    """Lines of several text files, gathered and then written behind those that are there already."""

    def __init__(self, files: Sequence[TextFile]) -> None:
        """Gather lines for ``files``."""
        self.files = files
        self.lines: list[list[str]] = [[] for _ in files]

    def add(self, what: str, texts: Sequence[str]) -> None:
        """Add one expression for ``what`` (a video, or a video and an id) to each file, in turn."""
        for number, lines in enumerate(self.lines):
            lines.append(f'{what} "{texts[number % len(texts)]}"')

    def write(self, root: Path) -> None:
        """Write the files to their folder in ``root``."""
        for file, lines in zip(self.files, self.lines, strict=True):
            path = root / FOLDER / file.name
            before = path.read_text(encoding=file.encoding) if path.is_file() else ""
            write_text(path, before + "\n".join(lines) + "\n", encoding=file.encoding)
