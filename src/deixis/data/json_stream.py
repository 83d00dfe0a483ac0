"""Large JSON files element by element: what is in memory is one element and a piece of the file.

COCO's annotations are half a gigabyte of text and many times that as Python values. Here each element of an
array comes with its place in the file, so that a reader can keep places and parse an element when it is asked
for (:func:`read_element`).
"""

import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

from deixis.errors import DatasetError

_PIECE = 1 << 20
_BEHIND = tuple(" \t\r\n,:]}")
_DECODER = json.JSONDecoder()


class Element(NamedTuple):
    """An element of an array, and where its text is.

    Attributes:
        key: the array's name in the object at the top; empty where the array itself is at the top.
        value: the element.
        offset: of its first byte in the file.
        length: in bytes.
    """

    key: str
    value: Any
    offset: int
    length: int


def iterate_elements(path: Path, keys: Collection[str] = ("",)) -> Iterator[Element]:
    """Yield the elements of the arrays called ``keys``, in the order of the file.

    Other values are passed over. ``""`` stands for an array at the top of the file.

    Raises:
        DatasetError: the file is missing, ends early or is not JSON.
    """
    try:
        with path.open("rb") as file:
            yield from _Scanner(file).elements(keys)
    except FileNotFoundError as error:
        raise DatasetError(
            f"there is no {path}; check the root folder and the archives unpacked there"
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise DatasetError(f"cannot read {path} as JSON: {error}; unpack it again") from error


def read_element(path: Path, offset: int, length: int) -> Any:
    """Parse the element that :func:`iterate_elements` found at ``offset``.

    Raises:
        DatasetError: the file is gone or has changed since.
    """
    try:
        with path.open("rb") as file:
            file.seek(offset)
            return json.loads(file.read(length))
    except (OSError, ValueError) as error:
        raise DatasetError(f"cannot read {path} again: {error}; did it change while it was read?") from error


class _Scanner:
    """A window on the file's text, moved forward as values are taken from it.

    Bytes are decoded as Latin-1, so that characters count as bytes; JSON has characters beyond ASCII in
    strings only, and the few elements with such are parsed again from their bytes.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._text = ""
        self._start = self._place = 0
        if file.read(3) != b"\xef\xbb\xbf":
            file.seek(0)
        else:
            self._start = 3

    def elements(self, keys: Collection[str]) -> Iterator[Element]:
        opening = self._peek()
        if opening == "[":
            yield from self._array("", "" in keys)
        elif opening == "{":
            for key in self._object():
                if self._peek() == "[":
                    yield from self._array(key, key in keys)
                else:
                    self._value()
        else:
            raise ValueError(f"it starts with {opening!r}, neither an object nor an array")
        if self._peek(may_end=True):
            raise ValueError(f"there is more text behind its end, at byte {self._start + self._place}")

    def _object(self) -> Iterator[str]:
        """Yield the keys; the caller takes the value before asking for the next."""
        self._place += 1
        if self._peek() == "}":
            self._place += 1
            return
        while True:
            key, _, _ = self._value()
            if not isinstance(key, str):
                raise ValueError(f"a key is {key!r}")
            self._take(":")
            yield key
            if self._take(",}") == "}":
                return

    def _array(self, key: str, is_wanted: bool) -> Iterator[Element]:
        self._place += 1
        if self._peek() == "]":
            self._place += 1
            return
        while True:
            value, offset, length = self._value()
            if is_wanted:
                yield Element(key, value, offset, length)
            if self._take(",]") == "]":
                return

    def _value(self) -> tuple[Any, int, int]:
        self._peek()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._place)
                # What is read of a number may be a part of it: 3 of 3.4e16.
                if self._text[end : end + 1] in _BEHIND or not self._read():
                    break
            except ValueError as error:
                if not self._read():
                    raise ValueError(f"{error} in the value at byte {self._start + self._place}") from error
        text, offset = self._text[self._place : end], self._start + self._place
        self._place = end
        if not text.isascii():
            value = json.loads(text.encode("latin-1"))
        return value, offset, len(text)

    def _peek(self, *, may_end: bool = False) -> str:
        """Move to the next character that is no space and return it."""
        while True:
            while self._place < len(self._text):
                if not self._text[self._place].isspace():
                    return self._text[self._place]
                self._place += 1
            if not self._read():
                if may_end:
                    return ""
                raise ValueError("it ends in the middle")

    def _take(self, expected: str) -> str:
        found = self._peek()
        if found not in expected:
            wanted = " or ".join(expected)
            raise ValueError(f"{found!r} instead of {wanted} at byte {self._start + self._place}")
        self._place += 1
        return found

    def _read(self) -> bool:
        """Drop what is behind and read on, as much again as is left; False at the end of the file."""
        rest = self._text[self._place :]
        piece = self._file.read(max(_PIECE, len(rest)))
        self._text = rest + piece.decode("latin-1")
        self._start += self._place
        self._place = 0
        return bool(piece)
