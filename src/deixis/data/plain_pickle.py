"""Pickle files of plain values, read without the machinery that can run code.

The authors of RefCOCO distribute a list of dictionaries as a pickle. Unpickling a file runs whatever the file
says; this reader knows the instructions that make lists, dictionaries, tuples, texts, bytes, numbers, truth
values and None, and refuses a file with any other.
"""

import codecs
import pickle
import pickletools
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from deixis.errors import DatasetError

_NAMES = {opcode.code.encode("latin-1")[0]: opcode.name for opcode in pickletools.opcodes}
_MARK = object()


def read_plain_pickle(path: Path) -> Any:
    """Return the value in a pickle file of any protocol; texts of Python 2 are taken as Latin-1.

    Raises:
        DatasetError: the file is missing, broken, or holds anything but plain values.
    """
    try:
        return _Machine(path.read_bytes()).run()
    except FileNotFoundError as error:
        raise DatasetError(
            f"there is no {path}; check the root folder and the archives unpacked there"
        ) from error
    except _RefusedError as error:
        raise DatasetError(
            f"{path} is refused: {error}, which could run code and which lists, texts and numbers "
            "do not need; take the file from the archive of its authors"
        ) from error
    except (OSError, ValueError, LookupError, TypeError, AttributeError, struct.error) as error:
        raise DatasetError(f"cannot read {path} as a pickle: {error!r}; unpack it again") from error


class _RefusedError(Exception):
    """An instruction that makes more than plain values."""


class _Machine:
    """The stack machine of pickle, cut down to plain values."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._place = 0
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def run(self) -> Any:
        """Carry out the instructions and return what is left on the stack."""
        data, steps, stop = self._data, _STEPS, pickle.STOP[0]
        while True:
            if self._place >= len(data):
                raise ValueError("it ends early")
            code = data[self._place]
            self._place += 1
            if code == stop:
                (value,) = self._stack
                return value
            step = steps.get(code)
            if step is None:
                name = _NAMES.get(code, f"{code:#04x}")
                raise _RefusedError(f"byte {self._place - 1} is the instruction {name}")
            step(self)

    def take(self, count: int) -> bytes:
        """Return the next ``count`` bytes."""
        end = self._place + count
        if count < 0 or end > len(self._data):
            raise ValueError("it ends early")
        found = self._data[self._place : end]
        self._place = end
        return found

    def number(self, form: str) -> Any:
        """Return the next number, of a ``struct`` format."""
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def line(self) -> bytes:
        """Return what is left of the line."""
        end = self._data.index(b"\n", self._place)
        found = self._data[self._place : end]
        self._place = end + 1
        return found

    def push(self, value: Any) -> None:
        """Put a value on the stack."""
        self._stack.append(value)

    def since_mark(self) -> list[Any]:
        """Take the values above the last mark, and the mark, from the stack."""
        place = len(self._stack) - 1
        while self._stack[place] is not _MARK:
            place -= 1
            if place < 0:
                raise ValueError("a mark is missing")
        found = self._stack[place + 1 :]
        del self._stack[place:]
        return found

    def last(self, count: int) -> list[Any]:
        """Take ``count`` values from the stack."""
        found = self._stack[-count:]
        if len(found) < count or any(value is _MARK for value in found):
            raise ValueError("values are missing")
        del self._stack[-count:]
        return found

    def remember(self, number: int) -> None:
        """Note the value on top of the stack under ``number``."""
        self._memo[number] = self._stack[-1]

    def recall(self, number: int) -> None:
        """Put the value noted under ``number`` on the stack."""
        self._stack.append(self._memo[number])

    def append(self, values: list[Any]) -> None:
        """Append to the list on top of the stack."""
        if type(self._stack[-1]) is not list:
            raise ValueError("values are appended to what is no list")
        self._stack[-1].extend(values)

    def set_items(self, values: list[Any]) -> None:
        """Set keys of the dictionary on top of the stack; keys and values alternate."""
        if type(self._stack[-1]) is not dict:
            raise ValueError("keys are set of what is no dictionary")
        self._stack[-1].update(zip(values[::2], values[1::2], strict=True))

    def int_line(self) -> int | bool:
        """Read a number in text; 00 and 01 are truth values."""
        text = self.line()
        return text == b"01" if text in (b"00", b"01") else int(text)

    def long(self, form: str) -> int:
        """Read a number of any size in bytes."""
        return int.from_bytes(self.take(self.number(form)), "little", signed=True)

    def quoted(self) -> str:
        """Read a text of Python 2 in quotes, with escapes."""
        text = self.line().strip()
        if len(text) < 2 or text[:1] != text[-1:] or text[:1] not in (b"'", b'"'):
            raise ValueError("a text is not in quotes")
        text = text[1:-1]
        return (codecs.escape_decode(text)[0] if b"\\" in text else text).decode("latin-1")

    def text(self, form: str, encoding: str = "utf-8") -> str:
        """Read a text with its length before it."""
        return self.take(self.number(form)).decode(
            encoding, "surrogatepass" if encoding == "utf-8" else "strict"
        )


def _steps() -> Mapping[int, Callable[[_Machine], object]]:
    steps: dict[bytes, Callable[[_Machine], object]] = {
        pickle.PROTO: lambda m: m.take(1),
        pickle.FRAME: lambda m: m.take(8),
        pickle.MARK: lambda m: m.push(_MARK),
        pickle.POP: lambda m: m.last(1),
        pickle.POP_MARK: lambda m: m.since_mark(),
        pickle.NONE: lambda m: m.push(None),
        pickle.NEWTRUE: lambda m: m.push(True),
        pickle.NEWFALSE: lambda m: m.push(False),
        pickle.INT: lambda m: m.push(m.int_line()),
        pickle.BININT: lambda m: m.push(m.number("<i")),
        pickle.BININT1: lambda m: m.push(m.number("<B")),
        pickle.BININT2: lambda m: m.push(m.number("<H")),
        pickle.LONG: lambda m: m.push(int(m.line().rstrip(b"L"))),
        pickle.LONG1: lambda m: m.push(m.long("<B")),
        pickle.LONG4: lambda m: m.push(m.long("<i")),
        pickle.FLOAT: lambda m: m.push(float(m.line())),
        pickle.BINFLOAT: lambda m: m.push(m.number(">d")),
        pickle.STRING: lambda m: m.push(m.quoted()),
        pickle.BINSTRING: lambda m: m.push(m.text("<i", "latin-1")),
        pickle.SHORT_BINSTRING: lambda m: m.push(m.text("<B", "latin-1")),
        pickle.UNICODE: lambda m: m.push(m.line().decode("raw-unicode-escape")),
        pickle.BINUNICODE: lambda m: m.push(m.text("<I")),
        pickle.SHORT_BINUNICODE: lambda m: m.push(m.text("<B")),
        pickle.BINUNICODE8: lambda m: m.push(m.text("<Q")),
        pickle.BINBYTES: lambda m: m.push(m.take(m.number("<I"))),
        pickle.SHORT_BINBYTES: lambda m: m.push(m.take(m.number("<B"))),
        pickle.BINBYTES8: lambda m: m.push(m.take(m.number("<Q"))),
        pickle.EMPTY_LIST: lambda m: m.push([]),
        pickle.EMPTY_DICT: lambda m: m.push({}),
        pickle.EMPTY_TUPLE: lambda m: m.push(()),
        pickle.LIST: lambda m: m.push(m.since_mark()),
        pickle.TUPLE: lambda m: m.push(tuple(m.since_mark())),
        pickle.TUPLE1: lambda m: m.push(tuple(m.last(1))),
        pickle.TUPLE2: lambda m: m.push(tuple(m.last(2))),
        pickle.TUPLE3: lambda m: m.push(tuple(m.last(3))),
        pickle.DICT: lambda m: m.push(_pairs(m.since_mark())),
        pickle.APPEND: lambda m: m.append(m.last(1)),
        pickle.APPENDS: lambda m: m.append(m.since_mark()),
        pickle.SETITEM: lambda m: m.set_items(m.last(2)),
        pickle.SETITEMS: lambda m: m.set_items(m.since_mark()),
        pickle.PUT: lambda m: m.remember(int(m.line())),
        pickle.BINPUT: lambda m: m.remember(m.number("<B")),
        pickle.LONG_BINPUT: lambda m: m.remember(m.number("<I")),
        pickle.MEMOIZE: lambda m: m.remember(len(m._memo)),
        pickle.GET: lambda m: m.recall(int(m.line())),
        pickle.BINGET: lambda m: m.recall(m.number("<B")),
        pickle.LONG_BINGET: lambda m: m.recall(m.number("<I")),
    }
    return {code[0]: step for code, step in steps.items()}


def _pairs(values: list[Any]) -> dict[Any, Any]:
    return dict(zip(values[::2], values[1::2], strict=True))


_STEPS = _steps()
