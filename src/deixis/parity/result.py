"""What a comparison with a golden found."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class ArrayParity:
    """One array against ours.

    Attributes:
        name: in the golden.
        stage: what it is.
        error: ``max|ours - golden| / max|golden|``; for booleans and integers the share of elements that
            differ.
        tolerance: the largest error that passes.
        problem: why there is no error to give (the array is missing or of another shape), else None.
    """

    name: str
    stage: str
    error: float | None
    tolerance: float
    problem: str | None = None

    @property
    def is_equal(self) -> bool:
        """The error is within the tolerance."""
        return self.problem is None and self.error is not None and self.error <= self.tolerance


@dataclass(frozen=True)
class ParityReport:
    """Every array of one golden, in the order of the forward pass."""

    golden: str
    model: str
    kind: str
    arrays: tuple[ArrayParity, ...]

    @property
    def is_equal(self) -> bool:
        """Every array is within its tolerance."""
        return all(array.is_equal for array in self.arrays)

    @property
    def worst(self) -> float:
        """The largest error of the floating and exact arrays that could be compared."""
        return max((array.error for array in self.arrays if array.error is not None), default=0.0)

    def to_plain(self) -> dict[str, Any]:
        """Return what ``json.dump`` takes."""
        arrays = [{**asdict(array), "is_equal": array.is_equal} for array in self.arrays]
        return {
            "golden": self.golden,
            "model": self.model,
            "kind": self.kind,
            "is_equal": self.is_equal,
            "worst": self.worst,
            "arrays": arrays,
        }

    def lines(self) -> list[str]:
        """Return a table for people: a headline, then a line an array."""
        lines = [f"{self.golden} ({self.model}, {self.kind}): {'equal' if self.is_equal else 'DIFFERENT'}"]
        width = max((len(array.name) for array in self.arrays), default=0)
        for array in self.arrays:
            figure = array.problem if array.error is None else f"{array.error:.2e}"
            mark = " " if array.is_equal else "!"
            lines.append(f"{mark} {array.name:{width}}  {figure:>9}  (<= {array.tolerance:g})  {array.stage}")
        return lines
