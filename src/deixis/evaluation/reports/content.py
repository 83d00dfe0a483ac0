"""What a report holds, whatever the protocol: figures, groups, rows, the record of what was scored."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deixis.configuration import from_plain, to_plain
from deixis.errors import DeixisError
from deixis.evaluation.ledger import write_text

FORMAT = 1
"""Number of the form of ``report.json``."""

Figures = Mapping[str, float]
"""Figures by the names that tables show, in the order of the official table; NaN where there is none."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """The score of one object, expression or sample.

    Attributes:
        video: name of the video.
        name: of the object, expression or sample in its video.
        text: the expression, "" for an object without.
        kinds: what the expression speaks of.
        group: part of the data set that it belongs to ("seen", "annotator 2"), "" where there are no parts.
        note: what to know about the row, such as which predicted object was matched to it.
        figures: J, F and what else the protocol measures, as fractions.
        frames: names of the scored frames.
        region: J of each scored frame.
        contour: F of each scored frame.
    """

    video: str
    name: str
    text: str = ""
    kinds: tuple[str, ...] = ()
    group: str = ""
    note: str = ""
    figures: Figures
    frames: tuple[str, ...] = ()
    region: tuple[float, ...] = ()
    contour: tuple[float, ...] = ()

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells the row from all others of its report."""
        return self.group, self.video, self.name

    @property
    def score(self) -> float:
        """The figure that rows are ranked by: the first that it has of J&F, IoU, J; else NaN."""
        names = (name for name in ("J&F", "IoU", "J") if name in self.figures)
        return self.figures.get(next(names, ""), math.nan)


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything that is needed to trust, to repeat and to compare a result.

    Attributes:
        benchmark: its name.
        split: of the data set, "" where there are none.
        protocol: ``name`` and parameters of the way of scoring.
        data: what was scored on: counts of videos, objects, expressions and frames; hash of the truth.
        predictions: what was scored: ``name``, ``sha256`` and number of files, or model and weights.
        figures: over all rows.
        groups: kind of group ("kind", "attribute", "video") -> group -> its figures.
        rows: one an object, expression or sample.
        notes: everything that a reader of the figures should know, one line each.
        versions: of Deixis, Python and the packages that numbers depend on.
        date: UTC, ISO 8601.
        seconds: that the evaluation took, without videos finished by earlier runs.
    """

    benchmark: str
    split: str
    protocol: Mapping[str, Any]
    data: Mapping[str, Any]
    predictions: Mapping[str, Any]
    figures: Figures
    groups: Mapping[str, Mapping[str, Figures]]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    date: str = ""
    seconds: float = 0.0

    @property
    def title(self) -> str:
        """Name of what was scored, and on what."""
        place = f"{self.benchmark}/{self.split}" if self.split else self.benchmark
        return f"{self.predictions.get('name', 'predictions')} on {place}"

    def worst(self, number: int) -> list[Row]:
        """Return the rows of the lowest J&F (or IoU), the lowest first."""
        scored = [(row.score, row.key, row) for row in self.rows if not math.isnan(row.score)]
        return [row for *_, row in sorted(scored, key=lambda entry: entry[:2])[:number]]


def save_report(report: Report, path: Path) -> None:
    """Write a report as JSON, atomically; a figure that does not exist is ``null``.

    Raises:
        SinkError: the folder cannot be written.
    """
    plain = {"format": FORMAT, **without_nan(to_plain(report))}
    write_text(path, json.dumps(plain, allow_nan=False) + "\n")


def load_report(path: Path) -> Report:
    """Read a report back.

    Raises:
        DeixisError: the file is missing, is no report, or is one of a later version of Deixis.
    """
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        number = plain.pop("format")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DeixisError(f"{path} is no report of an evaluation: {error!r}") from error
    if number != FORMAT:
        raise DeixisError(f"{path} has the form {number}; this version of Deixis reads {FORMAT}")
    try:
        plain["figures"] = _figures(plain["figures"])
        plain["groups"] = {
            kind: {name: _figures(figures) for name, figures in groups.items()}
            for kind, groups in plain["groups"].items()
        }
        plain["rows"] = tuple(
            from_plain(Row, {**row, "figures": _figures(row["figures"])}) for row in plain["rows"]
        )
        return from_plain(Report, plain)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DeixisError(f"{path} is no report of an evaluation: {error!r}") from error


def without_nan(value: Any) -> Any:
    """Replace NaN, which JSON lacks, by None."""
    if isinstance(value, Mapping):
        return {key: without_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_nan(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def _figures(plain: Mapping[str, Any]) -> dict[str, float]:
    """Rebuild figures; what is null was no number."""
    return {key: math.nan if value is None else value for key, value in plain.items()}
