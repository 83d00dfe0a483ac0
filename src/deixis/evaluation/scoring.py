"""Score the files of a prediction: videos spread over processes, all problems collected."""

import multiprocessing
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from deixis.errors import DatasetError
from deixis.evaluation.checks.pixels import Rule
from deixis.evaluation.checks.problems import Findings, Problem
from deixis.evaluation.files import Files
from deixis.evaluation.predicted import CheckedPrediction, Placement, digest
from deixis.evaluation.protocols.base import ObjectRow, Options, VideoProtocol, VideoTruth


@dataclass(frozen=True, kw_only=True)
class StoredRow:
    """An :class:`ObjectRow` as it is kept on disk."""

    video: str
    name: str
    frames: tuple[str, ...]
    region: tuple[float, ...]
    contour: tuple[float, ...]
    text: str
    kinds: tuple[str, ...]
    group: str
    extra: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class StoredVideo:
    """What is kept of a scored video.

    Attributes:
        sha256: of the files that it was computed from.
        rows: its scores.
        notes: what was odd about its files.
    """

    sha256: str
    rows: tuple[StoredRow, ...]
    notes: tuple[Problem, ...]


@dataclass(frozen=True, kw_only=True)
class Task:
    """One video to score.

    Attributes:
        truth: about the video.
        placement: where its masks lie.
        rule: what their pixels may hold.
        done: what an earlier run found, taken over if the files are still the same.
    """

    truth: VideoTruth
    placement: Placement
    rule: Rule
    done: StoredVideo | None = None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a video.

    Attributes:
        video: its name.
        sha256: of its files.
        rows: its scores; none where there were problems.
        findings: what was wrong or odd.
        is_new: the rows were computed, not taken over.
    """

    video: str
    sha256: str
    rows: list[ObjectRow]
    findings: Findings = field(default_factory=Findings)
    is_new: bool = True


def score_tasks(
    tasks: Sequence[Task],
    files: Files,
    protocol: VideoProtocol,
    options: Options,
    *,
    top: str = "",
    num_workers: int = 1,
    on_outcome: Callable[[Outcome], None] | None = None,
) -> list[Outcome]:
    """Score videos, in this process or in several.

    Args:
        tasks: one a video.
        files: the prediction.
        protocol: how to score.
        options: of the protocol.
        top: folder inside ``files`` that holds the videos; hashes do not depend on it.
        num_workers: processes.
        on_outcome: called in this process as each video is done, in no fixed order.

    Returns:
        One outcome a task, in their order.
    """
    # The longest first: then no process is left with a long video while the others have nothing to do.
    order = sorted(range(len(tasks)), key=lambda index: -len(tasks[index].placement.names))
    score = partial(score_task, files=files, protocol=protocol, options=options, top=top)
    outcomes: dict[int, Outcome] = {}
    for place, outcome in _run(score, [tasks[index] for index in order], num_workers):
        if on_outcome is not None:
            on_outcome(outcome)
        outcomes[order[place]] = outcome
    return [outcomes[index] for index in range(len(tasks))]


def score_task(
    task: Task, *, files: Files, protocol: VideoProtocol, options: Options, top: str = ""
) -> Outcome:
    """Score one video, or take its rows over where its files have not changed."""
    sha256 = digest(files, task.placement.names, top)
    if task.done is not None and task.done.sha256 == sha256:
        return Outcome(
            video=task.truth.name,
            sha256=sha256,
            rows=[_revive(row) for row in task.done.rows],
            findings=Findings(notes=list(task.done.notes)),
            is_new=False,
        )
    prediction = CheckedPrediction(
        files, task.placement, truth_size(task.truth), task.rule, options.missing == "zero"
    )
    try:
        rows = protocol.score_video(task.truth, prediction, options)
    except DatasetError as error:
        prediction.findings.problems.append(Problem(str(error), ""))
        rows = []
    if not task.rule.is_binary:
        _note_unpredicted(rows, prediction, protocol)
    return Outcome(
        video=task.truth.name,
        sha256=sha256,
        rows=[] if prediction.findings.problems else rows,
        findings=prediction.findings,
    )


def _note_unpredicted(
    rows: Sequence[ObjectRow], prediction: CheckedPrediction, protocol: VideoProtocol
) -> None:
    """Note the objects that no label map has: they are scored as the protocol demands, and it is said."""
    for row in rows:
        key = row.group.split()[-1] if protocol.unit == "annotator" else ""
        predicted = int(row.extra.get("proposal", int(row.name)))
        if predicted not in prediction.seen.get(key, ()):
            place = " ".join(part for part in (row.group if key else "", row.video, row.name) if part)
            advice = protocol.zero or "their masks count as empty"
            prediction.findings.notes.append(Problem("objects that are never predicted", place, advice))


def truth_size(truth: VideoTruth) -> tuple[int, int]:
    """Return height and width of a video's annotation."""
    frame = truth.frames[0]
    if truth.labels is not None:
        height, width = truth.labels.read(frame).shape
    else:
        assert truth.masks is not None
        height, width = truth.masks.read(frame, truth.object_ids[:1]).shape[1:]
    return height, width


def store(outcome: Outcome) -> StoredVideo:
    """Turn the outcome of a video into what JSON can keep; floats come back to the last bit."""
    return StoredVideo(
        sha256=outcome.sha256,
        rows=tuple(_stored_row(row) for row in outcome.rows),
        notes=tuple(outcome.findings.notes),
    )


def _stored_row(row: ObjectRow) -> StoredRow:
    return StoredRow(
        video=row.video,
        name=row.name,
        frames=row.frames,
        region=tuple(row.region.tolist()),
        contour=tuple(row.contour.tolist()),
        text=row.text,
        kinds=row.kinds,
        group=row.group,
        extra={key: float(value) for key, value in row.extra.items()},
    )


def _revive(row: StoredRow) -> ObjectRow:
    return ObjectRow(
        video=row.video,
        name=row.name,
        frames=row.frames,
        region=np.array(row.region, float),
        contour=np.array(row.contour, float),
        text=row.text,
        kinds=row.kinds,
        group=row.group,
        extra=dict(row.extra),
    )


def _run(
    score: Callable[[Task], Outcome], tasks: Sequence[Task], num_workers: int
) -> Iterator[tuple[int, Outcome]]:
    """Yield the place of each task and its outcome, as they come."""
    if num_workers <= 1 or len(tasks) <= 1:
        yield from enumerate(map(score, tasks))
        return
    # A forked process may inherit locks that other threads hold; a spawned one starts clean.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(num_workers, len(tasks)), mp_context=context) as executor:
        futures = {executor.submit(score, task): place for place, task in enumerate(tasks)}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        finally:
            # Else an interrupted run would first score all that is still waiting.
            executor.shutdown(wait=False, cancel_futures=True)
