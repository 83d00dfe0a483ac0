"""How a video of any length becomes the windows of frames that a model looks at together."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from deixis.errors import UnknownNameError
from deixis.models.inputs import InputSpec

F = TypeVar("F")


@dataclass(frozen=True, kw_only=True)
class WindowRule:
    """Where windows start and end, and whether they choose the referent together.

    Attributes:
        length: frames of a window; None: the whole video is one window.
        overlap: frames that neighbouring windows share.
        is_linked: trajectories are followed from window to window and the referent is chosen once, over all
            of them; the last window keeps its full length by overlapping more. If False, each window chooses
            on its own, a later window overwrites an earlier one, and a window starts at every multiple of
            ``length - overlap``, the last as
            short as it comes: MTTR's published demo.
    """

    length: int | None = None
    overlap: int = 0
    is_linked: bool = True

    def __post_init__(self) -> None:
        if self.length is None:
            if self.overlap:
                raise ValueError(f"one window over the whole video has no overlap, got {self.overlap}")
        elif not 0 <= self.overlap < self.length:
            raise ValueError(f"need 0 <= overlap < window length, got {self.overlap} and {self.length}")
        elif self.is_linked and self.overlap == 0:
            raise ValueError("linked windows need an overlap of at least 1 frame to be linked by")


WINDOW_RULES = ("linked", "clips", "demo", "whole")
"""Names of :func:`find_rule`."""

DEMO = WindowRule(length=24, overlap=6, is_linked=False)
"""MTTR's Colab demo (MTTR, section 7 of the specification): 24 frames every 18."""


def find_rule(windows: "str | WindowRule | None", inputs: InputSpec) -> WindowRule:
    """Return the rule that ``windows`` names for a model that wants ``inputs``.

    "linked" (or None) takes the model's own window length and overlap; a model without a window length sees
    the whole video at once. "clips" cuts it into windows of that length side by side, each of which chooses
    on its own: the evaluation of ReferFormer on Ref-DAVIS17. "whole" is the evaluation on Ref-YouTube-VOS,
    "demo" the published demo of MTTR.

    Raises:
        UnknownNameError: there is no such rule.
    """
    if isinstance(windows, WindowRule):
        return windows
    if windows is not None and windows not in WINDOW_RULES:
        raise UnknownNameError("window rule", windows, WINDOW_RULES)
    if windows == "demo":
        return DEMO
    if windows == "whole" or inputs.window_length is None:
        return WindowRule()
    if windows == "clips":
        return WindowRule(length=inputs.window_length, is_linked=False)
    if inputs.window_length == 1:
        # Single frames share nothing to be linked by.
        return WindowRule(length=1, is_linked=False)
    return WindowRule(length=inputs.window_length, overlap=max(inputs.window_overlap, 1))


@dataclass(frozen=True)
class Window(Generic[F]):
    """Consecutive frames: positions ``start`` to ``stop - 1`` of what is segmented.

    Attributes:
        start: position of the first frame.
        frames: the frames.
        is_last: no window follows.
    """

    start: int
    frames: tuple[F, ...]
    is_last: bool = False

    @property
    def stop(self) -> int:
        """Position after the last frame."""
        return self.start + len(self.frames)


class WindowCutter(Generic[F]):
    """Cuts windows from frames that arrive one at a time, holding the frames of one window only."""

    def __init__(self, rule: WindowRule) -> None:
        self.rule = rule
        self.position = 0
        self._frames: deque[F] = deque(maxlen=rule.length)
        self._next_start = 0
        self._covered = 0

    def push(self, frame: F) -> Window[F] | None:
        """Take the next frame; return the window that it completes."""
        self._frames.append(frame)
        self.position += 1
        length = self.rule.length
        if length is None or self.position < self._next_start + length:
            return None
        return self._cut(self._next_start)

    def finish(self) -> list[Window[F]]:
        """Return the windows that were waiting for more frames."""
        length = self.rule.length
        if length is None or self.rule.is_linked:
            if self._covered == self.position:
                return []
            start = 0 if length is None else max(0, self.position - length)
            return [self._cut(start)]
        windows = []
        while self._next_start < self.position:
            windows.append(self._cut(self._next_start))
        return windows

    def state(self) -> tuple[int, int, int, tuple[F, ...]]:
        """Return the place in the video as three numbers, and the frames that are held."""
        return self.position, self._next_start, self._covered, tuple(self._frames)

    def load_state(self, position: int, next_start: int, covered: int, frames: Iterable[F]) -> None:
        """Go on from what :meth:`state` returned."""
        self.position, self._next_start, self._covered = position, next_start, covered
        self._frames = deque(frames, maxlen=self.rule.length)

    def _cut(self, start: int) -> Window[F]:
        oldest = self.position - len(self._frames)
        self._next_start = self.position if self.rule.length is None else start + self._step
        self._covered = self.position
        return Window(start, tuple(self._frames)[start - oldest :])

    @property
    def _step(self) -> int:
        return (self.rule.length or 0) - self.rule.overlap


def cut_windows(frames: Iterable[F], rule: WindowRule) -> Iterator[Window[F]]:
    """Cut ``frames`` into windows, lazily; the last one is marked.

    At most one window and one frame more are held.
    """
    cutter: WindowCutter[F] = WindowCutter(rule)
    waiting: Window[F] | None = None
    for frame in frames:
        if waiting is not None:
            # The rules cut another window whenever there is another frame.
            yield waiting
        waiting = cutter.push(frame)
    windows = cutter.finish()
    if waiting is not None:
        windows.insert(0, waiting)
    for index, window in enumerate(windows):
        yield Window(window.start, window.frames, is_last=index == len(windows) - 1)


def handover(previous_stop: int, start: int, *, is_linked: bool, is_causal: bool = False) -> int:
    """Return the first position that a window takes over from the one before it.

    Linked windows share their common frames half and half, so that each frame is seen with context on both
    sides; a causal session has shown all frames of the earlier window already; unlinked windows overwrite.
    """
    if not is_linked:
        return start
    return previous_stop if is_causal else (start + previous_stop + 1) // 2
