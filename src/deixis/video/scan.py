"""Read the packets of a video without decoding them: when each frame is shown, and whether the file is whole.

That gives exact indices and counts for variable frame rates too, and finds a file that was cut off before any
work is spent on it.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from deixis.errors import SourceError
from deixis.video.frames import ASSUMED_FRAME_RATE
from deixis.video.span import Moment, Span

_REORDERING = 32  # more frames than any codec stores ahead of their turn
_SHORTFALL = 0.5  # seconds that a container may promise beyond its last frame
_ENDLESS = ("mpegts", "mpeg", "h264", "hevc")  # streams that promise no length: any cut is a good one


@dataclass(frozen=True)
class Scan:
    """When the frames of a file are shown, and which of them are wanted.

    Attributes:
        timestamps: of every frame up to the end of what is wanted, in order, in units of ``time_base``.
        time_base: seconds.
        origin: seconds of what players show as 0.
        frame_rate: mean frames a second.
        is_timed: False where the file holds no timestamps and these are made up from the rate.
        first: index of the first frame wanted.
        last: index after the last frame wanted.
    """

    timestamps: array
    time_base: Fraction
    origin: Fraction
    frame_rate: float
    is_timed: bool
    first: int = 0
    last: int = 0

    def time(self, index: int) -> float:
        """Return the seconds at which frame ``index`` is shown; for the index after the last, the end."""
        if index < len(self.timestamps):
            return float(self.timestamps[index] * self.time_base - self.origin)
        return self.time(len(self.timestamps) - 1) + 1 / self.frame_rate

    def index_at(self, moment: Moment) -> int:
        """Return the index of the first frame at or after ``moment``."""
        if moment.is_frame:
            return min(int(moment.value), len(self.timestamps))
        # Times are written with six digits: one that was read off a result must find its frame again.
        ticks = (Fraction(moment.value) + self.origin - Fraction(1, 1_000_000)) / self.time_base
        return bisect_left(self.timestamps, ticks)  # type: ignore[type-var]


def scan_video(video: Any, stream: Any, path: Path, span: Span) -> Scan:
    """Read the packets of ``stream`` up to the end of ``span`` and find the frames that are wanted.

    Raises:
        SourceError: there are no frames, none in ``span``, or the file was cut off within it.
    """
    origin = Fraction(video.start_time or 0, 1_000_000)
    nominal = float(stream.average_rate or stream.guessed_rate or 0) or ASSUMED_FRAME_RATE
    tick = max(1, round(1 / (stream.time_base * Fraction(nominal))))
    timestamps, is_timed, is_whole, has_reached_end = array("q"), True, True, False
    for packet in _packets(video, stream):
        is_whole = packet is not None and not packet.is_corrupt
        if packet is None:
            break
        timestamp = packet.pts if packet.pts is not None else packet.dts
        if timestamp is None:
            is_timed, timestamp = False, tick * len(timestamps)
        timestamps.append(timestamp)
        if span.end is not None and _has_passed(span.end, packet, len(timestamps), origin):
            has_reached_end = True
            break
    is_cut = not has_reached_end and video.format.name not in _ENDLESS and not is_whole
    if is_cut and timestamps:
        timestamps.pop()
    if not timestamps:
        raise SourceError(
            f"{path} has a video stream without frames; it is damaged or cut off, copy it again"
        )
    timestamps = array("q", sorted(timestamps))
    scan = Scan(timestamps, stream.time_base, origin, nominal, is_timed)
    if not has_reached_end and (is_cut or _is_short(video, stream, scan, path)):
        _require_end_before_cut(scan, span, path)
    return _select(scan, span, path, has_reached_end)


def _packets(video: Any, stream: Any) -> Iterator[Any]:
    """Yield the packets of frames that are shown; None in place of the first that cannot be read."""
    import av

    # VP8 stores frames that are only referred to, never shown: bit 4 of the first byte (RFC 6386, section
    # 9.1).
    is_vp8 = stream.codec_context.name in ("vp8", "libvpx")
    try:
        for packet in video.demux(stream):
            if packet.size and not packet.is_discard and not (is_vp8 and not bytes(packet)[0] & 0x10):
                yield packet
    except (av.FFmpegError, OSError):
        yield None


def _has_passed(end: Moment, packet: Any, count: int, origin: Fraction) -> bool:
    """Say whether every frame before ``end`` has been read: packets come in decoding order."""
    if end.is_frame:
        return count >= end.value + _REORDERING
    return packet.dts is not None and float(packet.dts * packet.time_base - origin) >= end.value


def _is_short(video: Any, stream: Any, scan: Scan, path: Path) -> bool:
    """Say whether the container promises more than the file holds."""
    entries = getattr(stream, "index_entries", None)
    if entries and max(entry.pos + entry.size for entry in entries) > path.stat().st_size:
        return True
    if video.format.name == "avi":
        return len(scan.timestamps) < 0.98 * stream.frames - 1
    promised = stream.metadata.get("DURATION")
    if promised is None:
        return False
    hours, minutes, seconds = (float(part) for part in promised.split(":"))
    return scan.time(len(scan.timestamps)) < 3600 * hours + 60 * minutes + seconds - _SHORTFALL


def _require_end_before_cut(scan: Scan, span: Span, path: Path) -> None:
    count, seconds = len(scan.timestamps), scan.time(len(scan.timestamps))
    if span.end is None or span.end.value > (count if span.end.is_frame else seconds):
        raise SourceError(
            f"{path} is cut off: only {count} of its frames are there ({seconds:.2f} s);"
            f" copy it again, or give an end before the cut ('{count}f')"
        )


def _select(scan: Scan, span: Span, path: Path, has_more: bool) -> Scan:
    count = len(scan.timestamps)
    first = 0 if span.start is None else scan.index_at(span.start)
    last = count if span.end is None else scan.index_at(span.end)
    if first >= count and not has_more:
        raise SourceError(
            f"start ({span.start}) is after the end of {path} ({scan.time(count):.2f} s);"
            " give an earlier start"
        )
    if first >= last:
        raise SourceError(
            f"no frame of {path} lies between start ({span.start}) and end ({span.end}); widen them"
        )
    return replace(scan, first=first, last=last, frame_rate=_mean_rate(scan, last))


def _mean_rate(scan: Scan, count: int) -> float:
    """Return the mean rate of the first ``count`` frames: what a container states may be far off."""
    extent = scan.time(count - 1) - scan.time(0)
    measured = (count - 1) / extent if extent > 0 else scan.frame_rate
    # Measured between the ticks of a coarse clock a rate is a little off: the stated one is then exact.
    return scan.frame_rate if abs(measured - scan.frame_rate) * extent < 2 else measured
