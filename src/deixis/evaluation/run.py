"""One evaluation from beginning to end: rows kept as they come, then the record and the report."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from deixis.data.records import VideoRecord
from deixis.evaluation.benchmark import evaluate_video
from deixis.evaluation.ledger import Ledger, write_text
from deixis.evaluation.predictor import Predictor
from deixis.evaluation.record import ResultRecord, make_record, save_record
from deixis.evaluation.report import render_markdown, report_of_result
from deixis.evaluation.reports.write import write_report
from deixis.evaluation.spreading import finish_videos
from deixis.inference.record import versions
from deixis.metrics.tables import ExpressionRow

NAME = "per-expression-present"
"""The way of scoring: expressions that nothing answers have figures of their own and enter no other."""

ROWS_FILE, RECORD_FILE, REPORT_FILE = "rows.jsonl", "result.json", "report.md"


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What is evaluated on what.

    Attributes:
        model: its name.
        weights_sha256: of its weights, "" where there are none.
        dataset: name of the data set.
        split: of the data set.
        device: that the model runs on.
        settings: anything else that changes the predictions (data type, windows).
    """

    model: str
    weights_sha256: str
    dataset: str
    split: str
    device: str = "cpu"
    settings: tuple[tuple[str, Any], ...] = ()


def evaluate(
    records: Sequence[VideoRecord],
    predict: Predictor | Sequence[Predictor],
    subject: Subject,
    out: Path,
    *,
    permute_seed: int | None = None,
    overwrite: bool = False,
    on_video: Callable[[], object] | None = None,
) -> ResultRecord:
    """Score ``predict`` and write rows, record and report; videos of a broken run are not done again.

    Args:
        records: videos with masks.
        predict: gives the masks; or several that do, each for a process that takes it along.
        subject: goes on record; an old ``out`` must be of the same.
        out: folder of ``rows.jsonl``, ``result.json`` and the files of the report.
        permute_seed: of the language control, None for the score itself (see ``evaluate_video``).
        overwrite: throw away what ``out`` holds.
        on_video: called for each finished video.

    Raises:
        SinkError: ``out`` cannot be written or holds another evaluation.
        DatasetError: as ``evaluate_video``.
    """
    started = time.monotonic()
    protocol = _protocol(subject, permute_seed)
    identity = {
        "model": subject.model,
        "weights_sha256": subject.weights_sha256,
        "dataset": subject.dataset,
        "split": subject.split,
        "protocol": protocol,
        "deixis": versions()["deixis"],
    }
    ledger = Ledger(out / ROWS_FILE, identity, ExpressionRow, overwrite=overwrite)
    predictors = predict if isinstance(predict, Sequence) else [predict]
    works = [partial(evaluate_video, predict=one, permute_seed=permute_seed) for one in predictors]
    rows = finish_videos(records, works, ledger, on_video)
    result = make_record(
        rows,
        model=subject.model,
        weights_sha256=subject.weights_sha256,
        dataset=subject.dataset,
        split=subject.split,
        protocol=protocol,
        device=subject.device,
        seconds=time.monotonic() - started,
    )
    save_record(result, out / RECORD_FILE)
    write_report(report_of_result(result), out)
    write_text(out / REPORT_FILE, render_markdown(result))
    return result


def _protocol(subject: Subject, permute_seed: int | None) -> dict[str, Any]:
    """Return name and parameters of the way of scoring."""
    return {
        "name": NAME if permute_seed is None else f"{NAME}, expressions permuted",
        "frames": "all annotated",
        "tolerance": 0.008,
        **({} if permute_seed is None else {"permute_seed": permute_seed}),
        **dict(subject.settings),
    }
