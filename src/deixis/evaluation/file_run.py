"""Score a folder or zip of masks from beginning to end: look it over, score it, leave the report."""

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from deixis.configuration import to_plain
from deixis.evaluation.checks.problems import Findings
from deixis.evaluation.ledger import Ledger
from deixis.evaluation.planning import Plan, make_plan, probe
from deixis.evaluation.predicted import CheckedPrediction
from deixis.evaluation.protocols.base import ObjectRow, Options, VideoProtocol, VideoTruth
from deixis.evaluation.reports.build import build_report
from deixis.evaluation.reports.content import Report
from deixis.evaluation.reports.page import Clip
from deixis.evaluation.reports.write import write_report
from deixis.evaluation.scoring import Outcome, StoredVideo, score_tasks, store, truth_size
from deixis.evaluation.subjects import Subject
from deixis.evaluation.worst_clips import NUM_CLIPS, choose_rows, show_rows
from deixis.inference.record import versions

VIDEOS_FILE = "videos.jsonl"


def evaluate_files(
    path: Path,
    subject: Subject,
    protocol: VideoProtocol,
    out: Path,
    *,
    options: Options | None = None,
    num_workers: int = 1,
    overwrite: bool = False,
    about: Mapping[str, Any] | None = None,
    on_video: Callable[[], None] | None = None,
) -> Report:
    """Score the masks in a folder or zip and write the report; videos of a broken run are not done again.

    Args:
        path: folder or zip of masks.
        subject: what they are scored on.
        protocol: how.
        out: folder of the report and of ``videos.jsonl``, which holds what is scored already.
        options: of the protocol.
        num_workers: processes.
        overwrite: throw away what ``out`` holds.
        about: what the report should say of the predictions besides their hash, as the name of a model.
        on_video: called as each video is done.

    Raises:
        PredictionError: something is wrong with the masks: everything is named, nothing is scored.
        DatasetError: something is wrong with the truth or with the archive.
        SinkError: ``out`` cannot be written or holds another evaluation.
    """
    started = time.monotonic()
    options = options or Options()
    plan = make_plan(path, subject.truths, protocol, options)
    plan.findings.raise_problems(path)
    probe(plan).raise_problems(path)
    truth_hash = index_hash(subject.truths)
    identity = {
        "benchmark": subject.benchmark,
        "split": subject.split,
        "protocol": protocol.name,
        "options": to_plain(options),
        "truth": truth_hash,
        "deixis": versions()["deixis"],
    }
    ledger = Ledger(out / VIDEOS_FILE, identity, StoredVideo, overwrite=overwrite)
    outcomes = _score(plan, protocol, options, ledger, num_workers, on_video)
    findings = Findings(notes=list(plan.findings.notes))
    for outcome in outcomes:
        findings += outcome.findings
    findings.raise_problems(path)
    score = protocol.aggregate([row for outcome in outcomes for row in outcome.rows], options)
    report = build_report(
        score,
        benchmark=subject.benchmark,
        split=subject.split,
        data={**describe_truths(subject.truths, score.rows), "sha256": truth_hash},
        predictions={**_describe_predictions(plan, outcomes), **(about or {})},
        notes=findings.note_lines(),
        seconds=time.monotonic() - started,
    )
    write_report(report, out, _worst_clips(report, score.rows, plan, subject, protocol, options))
    return report


def check_files(
    path: Path, truths: Sequence[VideoTruth], protocol: VideoProtocol, options: Options | None = None
) -> Findings:
    """Look over the names and all images of a prediction without scoring it.

    Raises:
        DatasetError: ``path`` is neither a folder nor a zip, or no video is found in it.
    """
    options = options or Options()
    plan = make_plan(path, truths, protocol, options)
    findings = plan.findings
    for task in plan.tasks:
        prediction = CheckedPrediction(
            plan.files, task.placement, truth_size(task.truth), task.rule, options.missing == "zero"
        )
        known = frozenset(task.placement.names)
        for key in task.placement.folders:
            for frame in task.truth.frames:
                if task.placement.name(frame, key) in known:
                    prediction.read(frame, key)
        findings += prediction.findings
    return findings


def index_hash(truths: Sequence[VideoTruth]) -> str:
    """Return a SHA-256 of what is scored: videos, frames, objects, expressions; not of their masks."""
    index = [
        [
            truth.name,
            list(truth.frames),
            sorted(truth.object_ids),
            [[e.id, e.text, sorted(e.object_ids)] for e in truth.expressions],
        ]
        for truth in sorted(truths, key=lambda truth: truth.name)
    ]
    return hashlib.sha256(json.dumps(index).encode()).hexdigest()


def describe_truths(truths: Sequence[VideoTruth], rows: Sequence[ObjectRow]) -> dict[str, int]:
    """Count what was scored; counts that are zero are left out."""
    counts = {
        "videos": len(truths),
        "objects": sum(len(truth.object_ids) for truth in truths),
        "expressions": sum(len(truth.expressions) for truth in truths),
        "frames": len({(row.video, frame) for row in rows for frame in row.frames}),
        "rows": len(rows),
    }
    return {name: count for name, count in counts.items() if count}


def _score(
    plan: Plan,
    protocol: VideoProtocol,
    options: Options,
    ledger: Ledger[StoredVideo],
    num_workers: int,
    on_video: Callable[[], None] | None,
) -> list[Outcome]:
    """Score the videos of a plan; those that are sound are kept in the ledger as they come."""
    tasks = [
        replace(task, done=next(iter(ledger.done.get(task.truth.name, ())), None)) for task in plan.tasks
    ]

    def keep(outcome: Outcome) -> None:
        if outcome.is_new and not outcome.findings.problems:
            ledger.add(outcome.video, [store(outcome)])
        if on_video is not None:
            on_video()

    return score_tasks(
        tasks, plan.files, protocol, options, top=plan.top, num_workers=num_workers, on_outcome=keep
    )


def _describe_predictions(plan: Plan, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    total = hashlib.sha256()
    for outcome in sorted(outcomes, key=lambda outcome: outcome.video):
        total.update(f"{outcome.video} {outcome.sha256}\n".encode())
    return {
        "name": plan.files.place.resolve().name,
        "sha256": total.hexdigest(),
        "files": sum(len(task.placement.names) for task in plan.tasks),
    }


def _worst_clips(
    report: Report,
    rows: Sequence[ObjectRow],
    plan: Plan,
    subject: Subject,
    protocol: VideoProtocol,
    options: Options,
) -> list[Clip]:
    tasks = {task.truth.name: task for task in plan.tasks}

    def predict(truth: VideoTruth) -> CheckedPrediction:
        task = tasks[truth.name]
        return CheckedPrediction(
            plan.files, task.placement, truth_size(truth), task.rule, options.missing == "zero"
        )

    scored: Mapping[tuple[str, str, str], ObjectRow] = {(row.group, row.video, row.name): row for row in rows}
    truths = {truth.name: truth for truth in subject.truths}
    return show_rows(choose_rows(report, NUM_CLIPS), scored, truths, predict, protocol, subject.read_frame)
