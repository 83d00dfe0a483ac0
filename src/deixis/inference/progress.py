"""Progress as a function that is told how far the work is, and as a bar on the terminal."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

Progress = Callable[[str, int], None]
"""Told the stage ("look": the model sees the video; "masks": masks are made; "propagate" and "propagate
backward": they are followed) and the frames done in it."""


@contextmanager
def progress_reporter(progress: bool | Progress, num_frames: int | None) -> Generator[Progress]:
    """Yield the function to report to: the caller's own, a bar on standard error, or an idle one."""
    if callable(progress):
        yield progress
    elif not progress:
        yield lambda stage, done: None
    else:
        with _Bars(num_frames) as bars:
            yield bars.report


class _Bars:
    """One bar a stage, the second below the first."""

    def __init__(self, num_frames: int | None) -> None:
        self._num_frames = num_frames
        self._stage = ""
        self._bar: Any = None

    def __enter__(self) -> "_Bars":
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def report(self, stage: str, done: int) -> None:
        if stage != self._stage:
            from tqdm.auto import tqdm

            if self._bar is not None:
                self._bar.close()
            self._stage = stage
            self._bar = tqdm(total=self._num_frames, unit="frames", desc=stage, disable=None)
        self._bar.update(done - self._bar.n)
