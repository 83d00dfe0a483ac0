"""The expressions of Khoreva et al. for DAVIS: one text file for each annotator and task.

A line is ``VIDEO ID "EXPRESSION"``. The files of the second annotator are Latin-1, all others UTF-8; the
order of lines differs between files, and three videos are misspelt.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deixis.errors import DatasetError

from .records import Expression

FOLDER = "davis_text_annotations"

_MISSPELT = {"clasic-car": "classic-car", "dog-scale": "dogs-scale", "motor-bike": "motorbike"}
_LINE = re.compile(r"(\S+)\s+(?:(\d+)\s+)?(.*\S)")


@dataclass(frozen=True)
class TextFile:
    """One file of expressions, the encoding that it really has, and what its annotator saw."""

    name: str
    encoding: str
    kind: str


DAVIS17_FILES = (
    TextFile("Davis17_annot1.txt", "utf-8", "first-frame"),
    TextFile("Davis17_annot1_full_video.txt", "utf-8", "full-video"),
    TextFile("Davis17_annot2.txt", "latin-1", "first-frame"),
    TextFile("Davis17_annot2_full_video.txt", "latin-1", "full-video"),
)
"""The four annotations in their published order: the number of each is the annotator of its expressions."""

DAVIS16_FILES = (
    TextFile("Davis16_annot1.txt", "utf-8", "first-frame"),
    TextFile("Davis16_annot2.txt", "latin-1", "first-frame"),
)

Texts = dict[tuple[int, int], str]
"""Object id and number of the file -> text."""


def find_texts(root: Path, base: Path) -> Path:
    """Return the folder of the text files, beside the DAVIS folder ``base`` or in it."""
    places = (root / FOLDER, base / FOLDER, base.parent / FOLDER)
    return next((place for place in places if place.is_dir()), places[0])


def read_texts(folder: Path, files: Sequence[TextFile], default_id: int | None = None) -> dict[str, Texts]:
    """Return the expressions of every video.

    Args:
        folder: of the text files.
        files: to read.
        default_id: object of a line that names none; None: such a line is malformed.

    Raises:
        DatasetError: a file is missing or malformed, or has two expressions for an object.
    """
    texts: dict[str, Texts] = {}
    for annotator, file in enumerate(files):
        path = folder / file.name
        try:
            lines = path.read_text(encoding=file.encoding).splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise DatasetError(f"cannot read {path}: {error}; unpack davis_text_annotations.zip") from error
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            match = _LINE.fullmatch(line.strip())
            if match is None or (match[2] is None and default_id is None):
                raise DatasetError(f'line {number} of {path} is not VIDEO ID "EXPRESSION": {line!r}')
            identity = int(match[2]) if match[2] is not None else int(default_id or 0)
            of_video = texts.setdefault(_MISSPELT.get(match[1], match[1]), {})
            if (identity, annotator) in of_video:
                raise DatasetError(
                    f"line {number} of {path} is a second expression for object {identity} of {match[1]}"
                )
            of_video[identity, annotator] = _unquoted(match[3])
    return texts


def number_expressions(texts: Texts, files: Sequence[TextFile]) -> tuple[Expression, ...]:
    """Order the expressions of a video by object, then annotator, and number them."""
    return tuple(
        Expression(
            id=str(number),
            text=texts[key],
            object_ids=(key[0],),
            kinds=(files[key[1]].kind,),
            annotator=key[1],
        )
        for number, key in enumerate(sorted(texts))
    )


def _unquoted(text: str) -> str:
    is_quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "\"'"
    return text[1:-1] if is_quoted else text
