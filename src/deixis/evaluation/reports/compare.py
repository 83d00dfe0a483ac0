"""Two results side by side: paired differences of what both have scored, with a bootstrap interval.

Rows of one video stand and fall together, so the bootstrap draws videos, not rows: an interval over rows
would be too narrow.

Legend: n pairs of rows, v videos, d draws.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from deixis.errors import DeixisError
from deixis.evaluation.reports.content import Figures, Report, Row, load_report
from deixis.evaluation.reports.write import JSON_FILE

NUM_DRAWS = 2000
_DRAWS_AT_ONCE = 250


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A figure of two results over the rows that both have.

    Attributes:
        first: mean over the rows of the first result.
        second: mean over the rows of the second result.
        difference: second - first.
        low: lower end of the 95% interval of the difference, NaN for a single video.
        high: upper end.
        num_rows: pairs of rows that have the figure.
        num_better: rows in which the second is higher.
        num_worse: rows in which the second is lower.
    """

    first: float
    second: float
    difference: float
    low: float
    high: float
    num_rows: int
    num_better: int
    num_worse: int


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A row that both results have.

    Attributes:
        key: group, video and name.
        text: the expression, "" for an object.
        first: score (J&F or IoU) in the first result.
        second: score in the second.
    """

    key: tuple[str, str, str]
    text: str
    first: float
    second: float

    @property
    def difference(self) -> float:
        """Second - first."""
        return self.second - self.first


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two results over what both have scored.

    Attributes:
        names: titles of the two.
        protocol: of both.
        totals: figures of the two reports as they stand there.
        figures: name -> difference over the paired rows.
        kinds: kind of expression -> difference of the rows' score.
        pairs: all paired rows, in the order of the first.
        notes: what to know: rows that only one has, data that differ.
        seed: of the bootstrap.
        num_draws: of the bootstrap.
    """

    names: tuple[str, str]
    protocol: Mapping[str, object]
    totals: tuple[Figures, Figures]
    figures: Mapping[str, Difference]
    kinds: Mapping[str, Difference]
    pairs: tuple[Pair, ...]
    notes: tuple[str, ...]
    seed: int
    num_draws: int

    def extremes(self, number: int) -> tuple[list[Pair], list[Pair]]:
        """Return the pairs that fell and those that rose most, the largest change first."""
        ranked = sorted(
            (pair for pair in self.pairs if pair.difference), key=lambda pair: (pair.difference, pair.key)
        )
        fallen = [pair for pair in ranked[:number] if pair.difference < 0]
        risen = [pair for pair in ranked[::-1][:number] if pair.difference > 0]
        return fallen, risen


def load_result(folder: Path) -> Report:
    """Read the report of a result folder (or the file itself).

    Raises:
        DeixisError: there is none.
    """
    path = folder / JSON_FILE if folder.is_dir() else folder
    if not path.is_file():
        raise DeixisError(f"{folder} holds no {JSON_FILE}; give the --out folder of an evaluation")
    return load_report(path)


def compare(first: Report, second: Report, *, seed: int = 0, num_draws: int = NUM_DRAWS) -> Comparison:
    """Pair the rows of two results and compare every figure that rows have.

    Args:
        first: the base.
        second: what is compared with it; a positive difference speaks for it.
        seed: of the bootstrap's draws.
        num_draws: how often the videos are drawn.

    Raises:
        DeixisError: the results are of different benchmarks or protocols, or share no row.
    """
    _check_kin(first, second)
    others = {row.key: row for row in second.rows}
    pairs = [(row, others[row.key]) for row in first.rows if row.key in others]
    if not pairs:
        raise DeixisError("the results share no row; they are of other data")
    names = dict.fromkeys(name for row, _ in pairs for name in row.figures)
    figures = {
        name: [
            (row.video, row.figures.get(name, math.nan), other.figures.get(name, math.nan))
            for row, other in pairs
        ]
        for name in names
    }
    kinds = {
        kind: [(row.video, row.score, other.score) for row, other in pairs if kind in row.kinds]
        for kind in sorted({kind for row, _ in pairs for kind in row.kinds})
    }
    return Comparison(
        names=(first.title, second.title),
        protocol=first.protocol,
        totals=(first.figures, second.figures),
        figures={name: _difference(scores, seed, num_draws) for name, scores in figures.items()},
        kinds={kind: _difference(scores, seed, num_draws) for kind, scores in kinds.items()},
        pairs=tuple(
            Pair(key=row.key, text=row.text, first=row.score, second=other.score) for row, other in pairs
        ),
        notes=tuple(_notes(first, second, pairs)),
        seed=seed,
        num_draws=num_draws,
    )


def bootstrap_interval(
    differences: Float[np.ndarray, "n"], videos: Sequence[str], *, seed: int, num_draws: int = NUM_DRAWS
) -> tuple[float, float]:
    """Return the 95% interval of the mean difference (percentiles), drawing whole videos with replacement.

    Args:
        differences: one a row.
        videos: of the rows; the draw depends on the rows' order and on nothing else but ``seed``.
        seed: of the draws.
        num_draws: how often as many videos as there are get drawn.

    Returns:
        Lower and upper end; NaN where there are fewer than two videos.
    """
    names = list(dict.fromkeys(videos))
    if len(names) < 2:
        return math.nan, math.nan
    places = {name: place for place, name in enumerate(names)}
    place_of_row = np.array([places[video] for video in videos])
    sums = np.bincount(place_of_row, weights=differences, minlength=len(names))  # v
    counts = np.bincount(place_of_row, minlength=len(names))  # v
    generator = np.random.default_rng(seed)
    means = []
    for start in range(0, num_draws, _DRAWS_AT_ONCE):
        shape = (min(_DRAWS_AT_ONCE, num_draws - start), len(names))
        drawn: Int[np.ndarray, "d v"] = generator.integers(len(names), size=shape)
        means.append(sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1))
    low, high = np.quantile(np.concatenate(means), (0.025, 0.975))
    return float(low), float(high)


def _difference(scores: Sequence[tuple[str, float, float]], seed: int, num_draws: int) -> Difference:
    """Compare (video, first, second) of rows, without those that either result has no number for."""
    known = [entry for entry in scores if not (math.isnan(entry[1]) or math.isnan(entry[2]))]
    first = np.array([entry[1] for entry in known])
    second = np.array([entry[2] for entry in known])
    change = second - first
    videos = [entry[0] for entry in known]
    low, high = bootstrap_interval(change, videos, seed=seed, num_draws=num_draws)
    mean_first, mean_second, mean_change = (
        float(values.mean()) if len(known) else math.nan for values in (first, second, change)
    )
    return Difference(
        first=mean_first,
        second=mean_second,
        difference=mean_change,
        low=low,
        high=high,
        num_rows=len(known),
        num_better=int((change > 0).sum()),
        num_worse=int((change < 0).sum()),
    )


def _check_kin(first: Report, second: Report) -> None:
    """Raise where two results cannot be compared."""
    places = [f"{report.benchmark} {report.split}".strip() for report in (first, second)]
    if places[0] != places[1]:
        raise DeixisError(f"the results are of different benchmarks, {places[0]} and {places[1]}")
    protocols = [report.protocol.get("name") for report in (first, second)]
    if protocols[0] != protocols[1]:
        raise DeixisError(
            f"the results are of different protocols, {protocols[0]} and {protocols[1]}: "
            "their figures cannot be compared; evaluate one of them again"
        )


def _notes(first: Report, second: Report, pairs: Sequence[tuple[Row, Row]]) -> list[str]:
    notes = []
    for name, report in (("first", first), ("second", second)):
        alone = len(report.rows) - len(pairs)
        if alone:
            notes.append(f"{alone:,} of {len(report.rows):,} rows are in the {name} result only: left out")
    differing = sorted(
        key
        for key in {*first.protocol, *second.protocol}
        if first.protocol.get(key) != second.protocol.get(key)
    )
    if differing:
        notes.append(f"the protocols differ in {', '.join(differing)}")
    hashes = {report.data.get("sha256") for report in (first, second)}
    if len(hashes) > 1:
        notes.append("the truth that the two were scored on is not the same")
    return notes
