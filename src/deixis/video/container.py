"""Frames of video files and streams, decoded with PyAV: upright, with true timestamps, one at a time."""

import logging
import os
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from deixis.errors import SourceError
from deixis.video.frames import ASSUMED_FRAME_RATE, AudioTrack, Frame, Source, index_name
from deixis.video.scan import Scan, scan_video
from deixis.video.span import Moment, Span

logger = logging.getLogger(__name__)

_MAX_THREADS = 8  # each decoding thread holds a frame
_UNSEEKABLE = ("gif", "apng")  # their frames build on all earlier ones


@dataclass(frozen=True)
class _Orientation:
    """How stored pixels must be turned to stand upright: phones store what the sensor saw, and this."""

    is_transposed: bool = False
    flips_rows: bool = False
    flips_columns: bool = False


@dataclass(frozen=True)
class _Picture:
    """A decoded frame of PyAV and how it must be turned."""

    frame: Any
    orientation: _Orientation

    def upright_rgb(self) -> UInt8[np.ndarray, "H W 3"]:
        """Convert to RGB and turn."""
        image = self.frame.to_ndarray(format="rgb24")
        turn = self.orientation
        if turn.is_transposed:
            image = image.transpose(1, 0, 2)
        rows = slice(None, None, -1 if turn.flips_rows else 1)
        columns = slice(None, None, -1 if turn.flips_columns else 1)
        return np.ascontiguousarray(image[rows, columns])


def open_video(path: Path, span: Span) -> Source:
    """Open a video file.

    A file that was cut off is an error, unless ``span`` ends before the cut. Damage inside the file is not:
    frames that cannot be decoded are left out, and a warning with their number is logged at the end.

    Raises:
        SourceError: the file is empty, not a video, cut off, without a picture or without frames; the span
            starts after its end.
    """
    if path.stat().st_size == 0:
        raise SourceError(f"{path} is empty; copy it again")
    with _open(str(path)) as video:
        has_audio = bool(video.streams.audio)
        scan = scan_video(video, _video_stream(video, path), path, span)
    picture = next((picture for _, picture in _wanted_pictures(path, scan)), None)
    if picture is None:
        raise SourceError(f"no frame of {path} can be decoded; it is damaged, copy it again")
    size = picture.upright_rgb().shape[:2]
    return Source(
        name=path.stem,
        size=size,
        frame_rate=scan.frame_rate / span.stride,
        num_frames=len(range(scan.first, scan.last, span.stride)),
        reader=lambda: _read_frames(path, scan, span.stride, size),
        audio=AudioTrack(path, scan.time(scan.first), scan.time(scan.last)) if has_audio else None,
    )


def open_stream(url: str, span: Span, name: str, container_format: str | None = None) -> Source:
    """Open a network stream or a capture device, to be read once; ``span`` counts from the first frame.

    Raises:
        SourceError: it cannot be opened or has no picture.
    """
    video = _open(url, container_format)
    stream = _video_stream(video, url)
    rate = float(stream.average_rate or stream.guessed_rate or 0) or None

    def read() -> Iterator[Frame]:
        with video:
            origin = None
            for index, picture in enumerate(_pictures(video, stream)):
                time = picture.frame.time
                timestamp = index / (rate or ASSUMED_FRAME_RATE) if time is None else time
                origin = timestamp if origin is None else origin
                time = timestamp - origin
                if span.end is not None and not is_before(index, time, span.end):
                    return
                is_early = span.start is not None and is_before(index, time, span.start)
                if not is_early and index % span.stride == 0:
                    yield Frame(index, time, index_name(index), picture.upright_rgb())

    return Source(name, None, None if rate is None else rate / span.stride, None, once(read, url))


def once(read: Callable[[], Iterator[Frame]], what: str) -> Callable[[], Iterator[Frame]]:
    """Guard a reader of something that cannot be rewound: a second reading raises a :class:`SourceError`."""
    unread = [read]

    def guarded() -> Iterator[Frame]:
        if not unread:
            raise SourceError(f"{what} can be read only once; open it again, or keep its frames in a list")
        return unread.pop()()

    return guarded


def is_before(index: int, time: float, moment: Moment) -> bool:
    """Say whether the frame of this index and time comes before ``moment``."""
    return index < moment.value if moment.is_frame else time < moment.value - 1e-6


def _open(url: str, container_format: str | None = None) -> Any:
    import av

    try:
        return av.open(url, format=container_format)
    except (av.FFmpegError, OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).strip().lower()
        raise SourceError(
            f"{url} cannot be read as a video ({reason}); it is damaged, cut off or of another kind"
        ) from error


def _video_stream(video: Any, what: object) -> Any:
    from av.stream import Disposition

    # The cover of a music file counts as a video stream.
    streams = [stream for stream in video.streams.video if not stream.disposition & Disposition.attached_pic]
    if not streams:
        kind = "only sound" if video.streams.audio else "no pictures (it may be cut off)"
        raise SourceError(f"{what} holds {kind}; give a whole file with a video stream")
    stream = streams[0]
    if stream.codec_context is None:
        raise SourceError(f"{what} has a codec that is not known here; convert it to H.264 first")
    stream.thread_type = "AUTO"
    stream.codec_context.thread_count = min(_MAX_THREADS, os.cpu_count() or 1)
    return stream


def _read_frames(path: Path, scan: Scan, stride: int, size: tuple[int, int]) -> Iterator[Frame]:
    expected, count = range(scan.first, scan.last, stride), 0
    for index, picture in _wanted_pictures(path, scan):
        if index not in expected:
            continue
        image = picture.upright_rgb()
        if image.shape[:2] != size:
            raise SourceError(
                f"frame {index} of {path} is {image.shape[1]}x{image.shape[0]}, the first is"
                f" {size[1]}x{size[0]}; convert the video to one size first"
            )
        count += 1
        yield Frame(index, scan.time(index), index_name(index), image)
    if count < len(expected):
        logger.warning(
            "%s: %d of %d frames are damaged and left out", path, len(expected) - count, len(expected)
        )


def _wanted_pictures(path: Path, scan: Scan) -> Iterator[tuple[int, _Picture]]:
    """Yield index and decoded picture of the frames from ``scan.first`` to ``scan.last``."""
    sought = _pictures_from_key_frame(path, scan) if scan.first and scan.is_timed else None
    for index, picture in sought or _numbered_pictures(path, scan):
        if index >= scan.last:
            return
        if index >= scan.first:
            yield index, picture


def _pictures_from_key_frame(path: Path, scan: Scan) -> Iterator[tuple[int, _Picture]] | None:
    """Return the pictures from the key frame before the wanted ones; None if seeking does not lead there."""
    numbered = _numbered_pictures(path, scan, from_key_frame=True)
    head = next(numbered, None)
    # Some containers seek to a key frame that comes too late.
    return None if head is None or head[0] > scan.first else chain([head], numbered)


def _numbered_pictures(
    path: Path, scan: Scan, from_key_frame: bool = False
) -> Iterator[tuple[int, _Picture]]:
    """Yield every decoded picture with its index in the file."""
    import av

    with _open(str(path)) as video:
        stream = _video_stream(video, path)
        if from_key_frame:
            if video.format.name in _UNSEEKABLE:
                return
            try:
                video.seek(scan.timestamps[scan.first], stream=stream)
            except av.FFmpegError:
                return
        index = -1
        for picture in _pictures(video, stream):
            pts = picture.frame.pts
            found = None if pts is None else bisect_left(scan.timestamps, pts)
            index = index + 1 if found is None or not scan.is_timed else max(found, index + 1)
            yield index, picture


def _pictures(video: Any, stream: Any) -> Iterator[_Picture]:
    """Yield decoded pictures in the order of showing; packets that cannot be decoded are passed over."""
    import av

    packets = video.demux(stream)
    orientation = None
    while True:
        try:
            packet = next(packets, None)
        except (av.FFmpegError, OSError):
            packet = None
        if packet is None:
            return
        try:
            frames = packet.decode()
        except av.FFmpegError:
            continue
        for frame in frames:
            # Once a stream: PyAV's side data and frame hold each other, so asking every frame would keep all
            # of them in memory until the garbage collector comes.
            orientation = orientation or _read_orientation(frame)
            yield _Picture(frame, orientation)


def _read_orientation(frame: Any) -> _Orientation:
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return _Orientation()
    # Row vectors: (x, y) is shown at (a x + c y, b x + d y), but for an offset (ISO 14496-12, section 6.2.2).
    a, b, _, c, d = (int(value) for value in np.frombuffer(matrix, dtype="<i4")[:5])
    if abs(b) + abs(c) > abs(a) + abs(d):
        return _Orientation(is_transposed=True, flips_rows=b < 0, flips_columns=c < 0)
    return _Orientation(flips_rows=d < 0, flips_columns=a < 0)
