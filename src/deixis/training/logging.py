"""What a run tells: a line of JSON an interval, tensorboard where it is installed, a bar for the eye."""

import importlib.util
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LOG_NAME = "log.jsonl"


class Meter:
    """Sums of named values since the last log line; plain numbers, so that a checkpoint can hold them."""

    def __init__(self, sums: Mapping[str, float] | None = None, steps: int = 0) -> None:
        """Start from ``sums`` over ``steps``."""
        self.sums = dict(sums or {})
        self.steps = steps

    def add(self, values: Mapping[str, float]) -> None:
        """Add one step's values."""
        for name, value in values.items():
            self.sums[name] = self.sums.get(name, 0.0) + value
        self.steps += 1

    def means(self) -> dict[str, float]:
        """Return the means over the steps, and start anew."""
        means = {name: total / self.steps for name, total in self.sums.items()}
        self.sums, self.steps = {}, 0
        return means


class RunLog:
    """``log.jsonl`` in the run's folder, tensorboard events beside it, and a progress bar.

    Going on from step n drops the lines after n, so that the log reads as that of an unbroken run.
    """

    def __init__(
        self, folder: Path, step: int = 0, *, is_main: bool = True, show_progress: bool = True
    ) -> None:
        """Open the log of the run in ``folder`` at ``step``; all but the main process log nothing."""
        self._file = self._board = self._bar = None
        if not is_main:
            return
        path = folder / LOG_NAME
        keep_lines_until(path, step)
        self._file = path.open("a", encoding="utf-8")
        if importlib.util.find_spec("tensorboard") is not None:
            from torch.utils.tensorboard import SummaryWriter

            self._board = SummaryWriter(str(folder / "tensorboard"), purge_step=step)
        if show_progress:
            from tqdm import tqdm

            self._bar = tqdm(total=100.0, bar_format="{l_bar}{bar}| {elapsed} {postfix}")

    def write(self, line: Mapping[str, Any]) -> None:
        """Write one line; it has at least ``step``. It is on disk when this returns."""
        if self._file is None:
            return
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()
        if self._board is not None:
            for name, value in _numbers(line):
                self._board.add_scalar(name, value, line["step"])

    def show(self, progress: float, text: str) -> None:
        """Move the bar to ``progress`` in [0, 1]."""
        if self._bar is not None:
            self._bar.set_postfix_str(text, refresh=False)
            self._bar.n = round(100 * progress, 1)
            self._bar.refresh()

    def __enter__(self) -> "RunLog":
        return self

    def __exit__(self, *error: object) -> None:
        for part in (self._file, self._board, self._bar):
            if part is not None:
                part.close()


class RenderBar:
    """A bar for the clips that are rendered before a run can start."""

    def __init__(self, show_progress: bool) -> None:
        """Draw nothing when ``show_progress`` is off."""
        self._show_progress = show_progress
        self._bar = None

    def report(self, ready: int, total: int) -> None:
        """Move the bar to ``ready`` of ``total`` clips."""
        if not self._show_progress:
            return
        if self._bar is None:
            from tqdm import tqdm

            self._bar = tqdm(total=total, unit="clip", desc="rendering", initial=ready)
        self._bar.update(ready - self._bar.n)
        if ready == total:
            self._bar.close()


def keep_lines_until(path: Path, step: int) -> None:
    """Drop the lines of ``path`` that tell of later steps than ``step``, and one that was cut short."""
    if not path.is_file():
        return
    kept = []
    for text in path.read_text(encoding="utf-8").splitlines():
        try:
            line = json.loads(text)
        except json.JSONDecodeError:
            continue
        if line["step"] <= step:
            kept.append(text + "\n")
    temporary = path.with_name(path.name + ".partial")
    temporary.write_text("".join(kept), encoding="utf-8")
    os.replace(temporary, path)


def format_seconds(seconds: float) -> str:
    """Write a duration as "1:02:03"."""
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def _numbers(line: Mapping[str, Any], prefix: str = "") -> list[tuple[str, float]]:
    found = []
    for name, value in line.items():
        if isinstance(value, Mapping):
            found.extend(_numbers(value, f"{prefix}{name}/"))
        elif isinstance(value, int | float):
            found.append((prefix + name, float(value)))
    return found
