"""The record of an evaluation: what was scored, how, with what, and every figure and row that came of it."""

import datetime
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deixis.configuration import from_plain, to_plain
from deixis.errors import DeixisError
from deixis.evaluation.ledger import write_text
from deixis.evaluation.reports.content import without_nan
from deixis.inference.record import versions
from deixis.metrics.tables import ExpressionRow, Figures, aggregate, by_kind, by_video


@dataclass(frozen=True, kw_only=True)
class ResultRecord:
    """Everything that is needed to trust and to repeat a result.

    Attributes:
        model: its name.
        weights_sha256: of its parameters and buffers (``inference.record.weights_hash``), or "" without
            weights.
        dataset: its name.
        split: of the data set.
        protocol: name and parameters of the way of scoring.
        figures: over all rows.
        figures_by_kind: of each kind of expression.
        figures_by_video: of each video.
        rows: one an expression.
        versions: of Deixis, Python and the packages that numbers depend on.
        device: that the model ran on.
        date: UTC, ISO 8601.
        seconds: that the evaluation took, without videos finished by earlier runs.
    """

    model: str
    weights_sha256: str
    dataset: str
    split: str
    protocol: Mapping[str, Any]
    figures: Figures
    figures_by_kind: Mapping[str, Figures]
    figures_by_video: Mapping[str, Figures]
    rows: tuple[ExpressionRow, ...]
    versions: Mapping[str, str]
    device: str
    date: str
    seconds: float


def make_record(
    rows: Sequence[ExpressionRow],
    *,
    model: str,
    weights_sha256: str,
    dataset: str,
    split: str,
    protocol: Mapping[str, Any],
    device: str,
    seconds: float,
) -> ResultRecord:
    """Compute the figures of ``rows`` and put them on record with this machine's versions and the time."""
    return ResultRecord(
        model=model,
        weights_sha256=weights_sha256,
        dataset=dataset,
        split=split,
        protocol=dict(protocol),
        figures=aggregate(rows),
        figures_by_kind=by_kind(rows),
        figures_by_video=by_video(rows),
        rows=tuple(rows),
        versions=versions(),
        device=device,
        date=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        seconds=round(seconds, 3),
    )


def save_record(record: ResultRecord, path: Path) -> None:
    """Write a record as JSON, atomically; a figure that no expression has is ``null``.

    Raises:
        SinkError: the folder cannot be written.
    """
    write_text(path, json.dumps(without_nan(to_plain(record)), indent=1, allow_nan=False) + "\n")


def load_record(path: Path) -> ResultRecord:
    """Read a record back.

    Raises:
        DeixisError: the file is missing or is no record.
    """
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        plain["figures"] = _figures(plain["figures"])
        for name in ("figures_by_kind", "figures_by_video"):
            plain[name] = {key: _figures(value) for key, value in plain[name].items()}
        return from_plain(ResultRecord, plain)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DeixisError(f"{path} is no record of an evaluation: {error}") from error


def _figures(plain: Mapping[str, Any]) -> Figures:
    """Rebuild figures; what is null was no number."""
    nan = math.nan
    values = {key: nan if value is None else value for key, value in plain.items()}
    values["precision"] = tuple(nan if value is None else value for value in plain["precision"])
    return from_plain(Figures, values)
