"""Published parameter names to ours and back, from one table of patterns a model."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Renaming:
    """A one-to-one table of names.

    Attributes:
        pairs: published pattern, our pattern. ``*`` is one part of a dotted name, ``**`` at the end is all
            that follows; both sides have the same wildcards in the same order. The first pattern that matches
            wins.
        ignored: published patterns that hold no parameter (constant buffers); ``**`` may stand anywhere.
        copies: published pattern, published pattern under which the same tensors stand once more.
    """

    pairs: Sequence[tuple[str, str]]
    ignored: Sequence[str] = ()
    copies: Sequence[tuple[str, str]] = ()

    def to_ours(self, published: Mapping[str, T]) -> tuple[dict[str, T], list[str]]:
        """Rename ``published``; also return the names that no pattern knows."""
        dropped = [*self.ignored, *(copy for _, copy in self.copies)]
        kept = {name: value for name, value in published.items() if not _matches(name, dropped)}
        return _rename(kept, self.pairs)

    def to_published(self, ours: Mapping[str, T]) -> tuple[dict[str, T], list[str]]:
        """Rename ``ours``; also return the names that no pattern knows."""
        renamed, unknown = _rename(ours, [(mine, theirs) for theirs, mine in self.pairs])
        copied = [_rename(renamed, [pair])[0] for pair in self.copies]
        return {name: value for names in (renamed, *copied) for name, value in names.items()}, unknown


def _rename(tensors: Mapping[str, T], pairs: Iterable[tuple[str, str]]) -> tuple[dict[str, T], list[str]]:
    rules = [(_expression(source), target) for source, target in pairs]
    renamed, unknown = {}, []
    for name, value in tensors.items():
        for expression, target in rules:
            match = expression.fullmatch(name)
            if match:
                renamed[_fill(target, match.groups())] = value
                break
        else:
            unknown.append(name)
    return renamed, unknown


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(_expression(pattern).fullmatch(name) for pattern in patterns)


def _expression(pattern: str) -> re.Pattern[str]:
    parts = re.split(r"(\*\*|\*)", pattern)
    wild = {"**": "(.+)", "*": "([^.]+)"}
    return re.compile("".join(wild.get(part, re.escape(part)) for part in parts))


def _fill(pattern: str, values: Sequence[str]) -> str:
    remaining = iter(values)
    return re.sub(r"\*\*|\*", lambda _: next(remaining), pattern)
