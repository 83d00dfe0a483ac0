"""Which part of a source to read: from where, to where, every how many frames."""

import math
import re
from dataclasses import dataclass

from deixis.errors import SourceError

_CLOCK = re.compile(r"(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d*)?|\.\d+)s?")
_FRAME = re.compile(r"(\d+)f")


@dataclass(frozen=True)
class Moment:
    """A point of a video: ``value`` seconds, or the frame of index ``value``."""

    value: float
    is_frame: bool = False

    def __str__(self) -> str:
        return f"frame {self.value:.0f}" if self.is_frame else f"{self.value:g} s"


@dataclass(frozen=True)
class Span:
    """The frames from ``start`` (included) to ``end`` (excluded), every ``stride``-th of them."""

    start: Moment | None = None
    end: Moment | None = None
    stride: int = 1

    def frame_range(self, frame_rate: float | None, name: str) -> tuple[int, int | None]:
        """Return the first index and the one after the last (None: open) for frames at a constant rate.

        Raises:
            SourceError: a moment is given in seconds and there is no frame rate to turn it into an index.
        """
        first = 0 if self.start is None else self._index(self.start, frame_rate, name)
        return first, None if self.end is None else self._index(self.end, frame_rate, name)

    def _index(self, moment: Moment, frame_rate: float | None, name: str) -> int:
        if moment.is_frame:
            return int(moment.value)
        if frame_rate is None:
            raise SourceError(
                f"{name} has no clock, so {moment} says nothing; give a frame ('120f') or the frame rate"
            )
        # A frame at 0.1 s and 10 frames/s computes to 1.0000000000000002: rounding must not lose it.
        return math.ceil(moment.value * frame_rate - 1e-6)


def parse_span(start: float | str | None, end: float | str | None, stride: int) -> Span:
    """Check and read what a user says about the part to be read.

    A moment is a number of seconds, ``"12.5"``, ``"1:05"``, ``"1:02:03.5"``, or a frame index ``"120f"``.

    Raises:
        SourceError: a moment that is none of these, a start that is not before the end, a stride below 1.
    """
    if not isinstance(stride, int) or isinstance(stride, bool) or stride < 1:
        raise SourceError(f"stride is {stride!r}; give a whole number of at least 1 (1: every frame)")
    span = Span(_parse_moment("start", start), _parse_moment("end", end), stride)
    if (
        span.start
        and span.end
        and span.start.is_frame == span.end.is_frame
        and span.start.value >= span.end.value
    ):
        raise SourceError(f"start ({span.start}) is not before end ({span.end}); give an end after the start")
    return span


def _parse_moment(which: str, given: float | str | None) -> Moment | None:
    if given is None:
        return None
    if isinstance(given, str):
        text = given.strip()
        if match := _FRAME.fullmatch(text):
            return Moment(float(match[1]), is_frame=True)
        if match := _CLOCK.fullmatch(text):
            hours, minutes, seconds = (float(part or 0) for part in match.groups())
            return Moment(3600 * hours + 60 * minutes + seconds)
    elif (
        not isinstance(given, bool) and isinstance(given, int | float) and math.isfinite(given) and given >= 0
    ):
        return Moment(float(given))
    raise SourceError(
        f"{which} is {given!r}; give seconds (12.5), a time ('1:05', '1:02:03.5') or a frame ('120f')"
    )
