"""A folder of outputs with the record of the run that made them: what is done is not done again.

``run.json`` holds the settings, the hash of the weights, versions and device, and a summary by expression. It
is written when a run begins, and again when it is complete. Outputs stand under their names only when they
are complete, so after a kill the same command does what is missing.
"""

import json
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deixis.errors import SinkError
from deixis.video.frames import Source
from deixis.video.outputs import open_output, output_path
from deixis.video.partial import Partial, reported_errors
from deixis.video.results import FrameResult

RECORD = "run.json"
DEFAULT_OUTPUTS = ("overlay", "masks", "json")
"""What is written when nothing else is asked for."""

_NOT_COMPARED = ("device", "versions")


@dataclass(frozen=True)
class Plan:
    """What a run has to write.

    Attributes:
        folder: where.
        description: of the run: settings that decide its results, device and versions.
        done: outputs that are there already.
        missing: outputs to write.
        record: of the run that made what is there; empty where there is none.
    """

    folder: Path
    description: Mapping[str, Any]
    done: tuple[str, ...]
    missing: tuple[str, ...]
    record: Mapping[str, Any]


def plan_outputs(
    folder: Path, outputs: Sequence[str], description: Mapping[str, Any], *, overwrite: bool = False
) -> Plan:
    """Compare what is asked for with what is in ``folder``. Nothing is written.

    Raises:
        UnknownNameError: there is no such output.
        SinkError: the folder holds outputs of something else, and ``overwrite`` is False.
    """
    paths = {name: output_path(name, folder) for name in dict.fromkeys(outputs)}
    if not paths:
        raise SinkError("there is no output to write; name one, such as overlay")
    record = read_record(folder)
    if overwrite:
        return Plan(folder, description, (), tuple(paths), record)
    present = tuple(name for name, path in paths.items() if path.exists())
    if record:
        different = _differences(_settings(record["run"]), _settings(description))
        if different:
            raise SinkError(
                f"{folder} holds the results of another run (different: {', '.join(different)}); "
                "choose another folder, or overwrite it (on the command line: --overwrite)"
            )
    elif present:
        raise SinkError(
            f"{paths[present[0]]} exists already and was made by something else; "
            "choose another folder, or overwrite it (on the command line: --overwrite)"
        )
    missing = tuple(name for name in paths if name not in present)
    return Plan(folder, description, present, missing, record)


def write_outputs(
    plan: Plan,
    results: Iterable[FrameResult],
    expressions: Sequence[str],
    source: Source | None,
    object_ids: Sequence[int] | None = None,
) -> dict[str, Any]:
    """Write the missing outputs of ``plan`` and return the record of the run.

    ``object_ids`` stand in palette PNGs in place of 1, 2, ...

    Raises:
        SinkError: the folder cannot be written, or the disk is full; what this call wrote is then removed.
    """
    record: dict[str, Any] = {
        "run": _plain(plan.description),
        "is_complete": False,
        "outputs": list(plan.done),
    }
    if plan.record and _differences(_settings(plan.record["run"]), _settings(plan.description)):
        for name in plan.record["outputs"]:
            with reported_errors(plan.folder):
                _remove(output_path(name, plan.folder))
    is_new = not plan.folder.exists()
    _write_record(plan.folder, record)
    begin = time.perf_counter()
    tally = _Tally(expressions)
    try:
        with ExitStack() as stack:
            # A sink may replace whatever is there: the plan has looked already.
            opened = [
                stack.enter_context(
                    open_output(name, plan.folder, expressions, source, object_ids=object_ids, overwrite=True)
                )
                for name in plan.missing
            ]
            for result in results:
                for sink in opened:
                    sink.write(result)
                tally.add(result)
    except BaseException:
        _forget(plan, is_new)
        raise
    record |= tally.summary(time.perf_counter() - begin)
    record |= {"is_complete": True, "outputs": [*plan.done, *plan.missing]}
    _write_record(plan.folder, record)
    return record


def read_record(folder: Path) -> dict[str, Any]:
    """Return the record in ``folder``, empty where there is none.

    Raises:
        SinkError: it cannot be read.
    """
    path = folder / RECORD
    if not path.exists():
        return {}
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        return {"run": record["run"], "outputs": record["outputs"], **record}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SinkError(f"{path} is not the record of a run; choose another folder, or remove it") from error


class _Tally:
    """Counts for the summary."""

    def __init__(self, expressions: Sequence[str]) -> None:
        self._expressions = expressions
        self._num_frames = 0
        self._present = np.zeros(len(expressions), dtype=np.int64)
        self._scores = np.zeros(len(expressions))

    def add(self, result: FrameResult) -> None:
        self._num_frames += 1
        self._present += np.array(result.visible, dtype=np.int64)
        self._scores += result.scores

    def summary(self, seconds: float) -> dict[str, Any]:
        rows = zip(self._expressions, self._present.tolist(), self._scores.tolist(), strict=True)
        return {
            "num_frames": self._num_frames,
            "seconds": round(seconds, 3),
            "objects": [
                {"expression": text, "num_present": present, "mean_score": round(total / self._num_frames, 4)}
                for text, present, total in rows
            ],
        }


def _settings(description: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in _plain(description).items() if key not in _NOT_COMPARED}


def _differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    return [key for key in sorted({*old, *new}) if old.get(key) != new.get(key)]


def _plain(description: Mapping[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps(dict(description)))


def _write_record(folder: Path, record: Mapping[str, Any]) -> None:
    path = folder / RECORD
    partial = Partial(path, is_folder=False, overwrite=True)
    with reported_errors(path):
        partial.path.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    partial.commit()


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _forget(plan: Plan, is_new: bool) -> None:
    """Remove the record of a run that wrote nothing, and the folder that it made."""
    if any(output_path(name, plan.folder).exists() for name in (*plan.done, *plan.missing)):
        return
    with suppress(OSError):
        (plan.folder / RECORD).unlink(missing_ok=True)
        if is_new:
            plan.folder.rmdir()
