"""Where frames come from: :func:`open_source` turns whatever a user has into frames, one at a time."""

import glob
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from deixis.errors import SourceError
from deixis.video.camera import open_camera
from deixis.video.container import once, open_stream, open_video
from deixis.video.frames import ASSUMED_FRAME_RATE, Frame, Source, index_name
from deixis.video.images import (
    is_image_file,
    natural_key,
    read_image,
    read_image_size,
    rgb_from_array,
    rgb_from_pil,
)
from deixis.video.span import Span, parse_span

_URL = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]+://")
_VIDEO_SUFFIXES = frozenset((".mp4", ".mov", ".avi", ".mkv", ".webm", ".gif", ".m4v", ".mpg", ".ts", ".wmv"))
_KNOWN = (
    "a video file, a folder of pictures, a pattern ('frames/*.jpg'), a picture, a list of paths, arrays or"
    " PIL images, an array [t, height, width, 3], an iterator of frames, a camera number or an address"
)


def open_source(
    source: Any,
    *,
    start: float | str | None = None,
    end: float | str | None = None,
    stride: int = 1,
    frame_rate: float | None = None,
) -> Source:
    """Open anything that holds frames.

    Nothing but the head and, of a video file, the packets of the wanted part is read before the iteration
    begins.

    Args:
        source: a path to a video or picture; a folder of pictures (in natural order, other files ignored); a
            glob pattern; a list of paths, arrays or PIL images; ``uint8 [t, H, W, 3]`` (also grey ``[t, H,
            W]``, RGBA, or channels first ``[t, 3, H, W]``) as numpy array or tensor; an iterator of arrays,
            images or paths (read once); a camera number (``0`` or ``"0"``); an address such as
            ``rtsp://...``; a named pipe, or ``"-"`` for a video that is piped in.
        start: the first frame, included: seconds (``12.5``), ``"1:05"``, ``"1:02:03.5"`` or a frame index
            ``"120f"``.
        end: the first frame that is left out; written like ``start``.
        stride: every how many frames to take one.
        frame_rate: of sources without a clock (folders, arrays, iterators), before ``stride``; it gives their
            frames a time and lets ``start`` and ``end`` be seconds. Files and cameras have their own, which
            is kept.

    Raises:
        SourceError: nothing can be read, with what to do about it in one line; see :class:`Source` and
            :func:`~deixis.video.container.open_video` for files that were cut off. Frames of differing sizes
            and pictures that cannot be decoded are named.
    """
    span = parse_span(start, end, stride)
    if frame_rate is not None and not 0 < frame_rate < float("inf"):
        raise SourceError(f"frame rate is {frame_rate!r}; give frames per second, more than 0")
    clock = _Clock(span, frame_rate)
    if isinstance(source, str | Path):
        return _open_path(str(source), clock)
    if isinstance(source, int) and not isinstance(source, bool):
        return open_camera(source, span)
    if isinstance(source, Source):
        return _open_iterator(source.name, (frame.image for frame in source), clock)
    if isinstance(source, Image.Image):
        return _open_list("image", [source], clock)
    if hasattr(source, "ndim") and hasattr(source, "shape") and hasattr(source, "dtype"):
        return _open_array(source, clock)
    if isinstance(source, list | tuple):
        return _open_list("frames", source, clock)
    if isinstance(source, Iterable) and not isinstance(source, bytes | dict):
        return _open_iterator("frames", source, clock)
    raise SourceError(f"a source cannot be a {type(source).__name__}; give {_KNOWN}")


def take_source(
    source: Any, *, start: float | str | None = None, end: float | str | None = None, stride: int = 1
) -> Source:
    """Return a source that is open, opened here unless it is already (arguments: :func:`open_source`).

    Raises:
        SourceError: as there.
        ValueError: a part of a source that is open already.
    """
    if not isinstance(source, Source):
        return open_source(source, start=start, end=end, stride=stride)
    if start is not None or end is not None or stride != 1:
        raise ValueError("give start, end and stride to open_source; this source is open already")
    return source


def read_frames(source: Any, **options: Any) -> UInt8[np.ndarray, "t H W 3"]:
    """Read all frames of a (short) source into one array; ``options`` as of :func:`open_source`."""
    return np.stack([frame.image for frame in open_source(source, **options)])


@dataclass(frozen=True)
class _Clock:
    """What part to read of frames that carry no time, and at what rate they are taken to be shown."""

    span: Span
    frame_rate: float | None

    def frame_range(self, name: str) -> tuple[int, int | None]:
        return self.span.frame_range(self.frame_rate, name)

    def indices(self, count: int, name: str) -> range:
        first, last = self.frame_range(name)
        if first >= count:
            raise SourceError(f"start ({self.span.start}) is after the end of {name} ({count} frames)")
        chosen = range(first, count if last is None else min(last, count), self.span.stride)
        if not chosen:
            raise SourceError(
                f"no frame of {name} lies between {self.span.start} and {self.span.end}; widen them"
            )
        return chosen

    @property
    def delivered_rate(self) -> float | None:
        return None if self.frame_rate is None else self.frame_rate / self.span.stride

    def frame(self, index: int, image: UInt8[np.ndarray, "H W 3"], name: str | None = None) -> Frame:
        return Frame(index, index / (self.frame_rate or ASSUMED_FRAME_RATE), name or index_name(index), image)


def _open_path(text: str, clock: _Clock) -> Source:
    path = Path(text)
    if text == "-":
        if sys.stdin.isatty():
            raise SourceError("nothing is piped in: ffmpeg -i ... -f yuv4mpegpipe - | deixis segment - ...")
        return open_stream("pipe:0", clock.span, "stdin")
    if path.is_fifo():
        return open_stream(text, clock.span, path.name)
    if _URL.match(text):
        return open_stream(text, clock.span, "stream")
    if path.is_dir():
        return _open_folder(path, clock)
    if path.is_char_device():
        return open_stream(text, clock.span, path.name, container_format="v4l2")
    if path.exists():
        if is_image_file(path):
            return _open_list(path.stem, [path], clock)
        return open_video(path, clock.span)
    if text.isdecimal():
        return open_camera(int(text), clock.span)
    if any(mark in text for mark in "*?["):
        matches = sorted((Path(match) for match in glob.glob(text, recursive=True)), key=natural_key)
        paths = [match for match in matches if match.is_file() and is_image_file(match)]
        if not paths:
            raise SourceError(f"no picture matches {text!r}; check the pattern")
        return _open_list(path.parent.name or "frames", paths, clock)
    raise SourceError(f"there is no file or folder {text!r}; check the path")


def _open_folder(folder: Path, clock: _Clock) -> Source:
    inside = sorted(folder.iterdir(), key=natural_key)
    paths = [path for path in inside if is_image_file(path) and path.is_file()]
    if not paths:
        videos = [path.name for path in inside if path.suffix.lower() in _VIDEO_SUFFIXES]
        hint = (
            f"give one of its videos, such as {videos[0]}"
            if videos
            else "give a folder of .jpg or .png frames"
        )
        raise SourceError(f"the folder {folder} holds no pictures; {hint}")
    return _open_list(folder.resolve().name, paths, clock)


def _open_list(name: str, items: Sequence[Any], clock: _Clock) -> Source:
    if not items:
        raise SourceError(f"{name} is an empty list; give at least one frame")
    indices = clock.indices(len(items), name)
    names = [
        Path(item).stem if isinstance(item, str | Path) else index_name(i) for i, item in enumerate(items)
    ]
    if len(set(names)) < len(names):  # of several folders: sinks name files after frames
        names = [index_name(index) for index in range(len(items))]
    first = items[indices[0]]
    if all(isinstance(items[index], str | Path) for index in indices):
        size = read_image_size(Path(first))
        for index in indices[1:]:  # heads only: better to find it now than after half the work
            _require_size(read_image_size(Path(items[index])), size, str(items[index]))
    else:
        size = _image(first, f"frame {indices[0]} of {name}").shape[:2]

    def read() -> Iterator[Frame]:
        for index in indices:
            what = str(items[index]) if isinstance(items[index], str | Path) else f"frame {index} of {name}"
            image = _image(items[index], what)
            _require_size(image.shape[:2], size, what)
            yield clock.frame(index, image, names[index])

    return Source(name, size, clock.delivered_rate, len(indices), read)


def _open_array(array: Any, clock: _Clock) -> Source:
    if array.ndim == 2 or (array.ndim == 3 and array.shape[-1] in (3, 4)):
        array = array[None]
    if array.ndim not in (3, 4) or 0 in array.shape:
        raise SourceError(f"the array has the shape {tuple(array.shape)}; give [frames, height, width, 3]")
    is_channels_first = False
    if array.ndim == 4:
        is_channels_first = array.shape[1] in (1, 3, 4)
        if is_channels_first and array.shape[3] in (1, 3, 4):
            raise SourceError(
                f"the array has the shape {tuple(array.shape)}: channels may be its second or its last axis;"
                " give a list of pictures instead"
            )
    indices = clock.indices(array.shape[0], "the array")

    def picture(index: int) -> UInt8[np.ndarray, "H W 3"]:
        return rgb_from_array(array[index], f"frame {index} of the array", is_channels_first)

    def read() -> Iterator[Frame]:
        return (clock.frame(index, picture(index)) for index in indices)

    size = picture(indices[0]).shape[:2]
    return Source("array", size, clock.delivered_rate, len(indices), read)


def _open_iterator(name: str, items: Iterable[Any], clock: _Clock) -> Source:
    first, last = clock.frame_range(name)

    def read() -> Iterator[Frame]:
        size = None
        for index, item in islice(enumerate(items), first, last, clock.span.stride):
            what = f"frame {index} of {name}"
            image = _image(item, what)
            size = size or image.shape[:2]
            _require_size(image.shape[:2], size, what)
            yield clock.frame(index, image)
        if size is None:
            raise SourceError(
                f"the iterator gave no frame from {first} on; give at least one, or an earlier start"
            )

    return Source(name, None, clock.delivered_rate, None, once(read, "an iterator of frames"))


def _image(item: Any, what: str) -> UInt8[np.ndarray, "H W 3"]:
    if isinstance(item, str | Path):
        return read_image(Path(item))
    if isinstance(item, Image.Image):
        return rgb_from_pil(item, what)
    if hasattr(item, "shape") and hasattr(item, "dtype"):
        is_channels_first = (
            len(item.shape) == 3 and item.shape[0] in (1, 3, 4) and item.shape[2] not in (1, 3, 4)
        )
        return rgb_from_array(item, what, is_channels_first)
    raise SourceError(
        f"{what} is a {type(item).__name__}; give a path, a PIL image or an array [height, width, 3]"
    )


def _require_size(size: tuple[int, ...], expected: tuple[int, ...], what: str) -> None:
    if size != expected:
        raise SourceError(
            f"{what} is {size[1]}x{size[0]} but the first frame is {expected[1]}x{expected[0]};"
            " resize the frames to one size"
        )
