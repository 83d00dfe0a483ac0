"""Everything that is wrong with a prediction, one clear line a kind of problem."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from deixis.errors import DeixisError

_NUM_NAMED = 10
_NUM_LINES = 20


class PredictionError(DeixisError):
    """Predictions that cannot be scored as they are.

    Attributes:
        lines: what is wrong, a line a kind of problem; empty where the message itself says it.
    """

    def __init__(self, message: str, lines: Sequence[str] = ()) -> None:
        """Say what is wrong; ``lines`` are added to the message."""
        super().__init__(message + "; ".join(lines))
        self.lines = tuple(lines)


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, in one or more places.

    Attributes:
        kind: short name of the kind, by which problems are put together ("missing frames").
        place: the file, folder or video; "" where the kind names it.
        advice: what the kind means and what to do about it; the same for all problems of a kind.
    """

    kind: str
    place: str
    advice: str = ""


@dataclass
class Findings:
    """Problems, which keep predictions from being scored, and notes, which go on record with the score."""

    problems: list[Problem] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)

    def __iadd__(self, other: "Findings") -> "Findings":
        self.problems += other.problems
        self.notes += other.notes
        return self

    def add_missing(self, kind: str, place: str, *, is_zero_allowed: bool) -> None:
        """Add something that is not there: a note where it is scored as empty masks, else a problem."""
        if is_zero_allowed:
            self.notes.append(Problem(kind, place, "scored as empty masks"))
        else:
            self.problems.append(Problem(kind, place, "give --missing zero to score them as empty"))

    def problem_lines(self) -> list[str]:
        """Return one line a kind of problem."""
        return _lines(self.problems)

    def note_lines(self) -> list[str]:
        """Return one line a kind of note."""
        return _lines(self.notes)

    def raise_problems(self, where: object) -> None:
        """Raise where there are problems.

        Raises:
            PredictionError: with one line a kind of problem.
        """
        lines = self.problem_lines()
        if lines:
            raise PredictionError(f"{where} cannot be scored: ", lines)


def _lines(problems: Sequence[Problem]) -> list[str]:
    """Put the problems of a kind together; name the first ten places."""
    kinds: dict[tuple[str, str], list[str]] = {}
    for problem in dict.fromkeys(problems):
        kinds.setdefault((problem.kind, problem.advice), []).append(problem.place)
    lines = []
    for (kind, advice), places in kinds.items():
        named = ", ".join(places[:_NUM_NAMED])
        more = f" and {len(places) - _NUM_NAMED:,} more" if len(places) > _NUM_NAMED else ""
        count = f" ({len(places):,})" if len(places) > 1 else ""
        place = f"{count}: {named}{more}" if named else ""
        lines.append(f"{kind}{place}" + (f" - {advice}" if advice else ""))
    if len(lines) > _NUM_LINES:
        lines[_NUM_LINES:] = [f"and {len(lines) - _NUM_LINES} more problems"]
    return lines
