"""Frames of a camera, by its number."""

import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from deixis.errors import SourceError
from deixis.video.container import is_before, once, open_stream
from deixis.video.frames import Frame, Source, index_name
from deixis.video.span import Span


def open_camera(number: int, span: Span) -> Source:
    """Open camera ``number`` (0: the first one), through OpenCV where it is installed, else through PyAV.

    The source is read once and has no end; ``Frame.time`` counts from the first frame.

    Raises:
        SourceError: there is no such camera, it cannot be opened, or this system needs OpenCV for cameras.
    """
    device = Path(f"/dev/video{number}")
    if number < 0 or (sys.platform == "linux" and not device.exists()):
        raise SourceError(f"there is no camera {number} on this machine; plug it in or give another number")
    if find_spec("cv2") is not None:
        return _open_with_opencv(number, span)
    if sys.platform == "linux":
        return open_stream(str(device), span, f"camera-{number}", container_format="v4l2")
    if sys.platform == "darwin":
        return open_stream(str(number), span, f"camera-{number}", container_format="avfoundation")
    raise SourceError("cameras need OpenCV on this system; run: pip install 'deixis[fast]'")


def _open_with_opencv(number: int, span: Span) -> Source:
    import cv2

    camera = cv2.VideoCapture(number)
    if not camera.isOpened():
        raise SourceError(f"camera {number} cannot be opened; close other programs that use it")
    rate = camera.get(cv2.CAP_PROP_FPS) or None
    return Source(
        name=f"camera-{number}",
        size=(int(camera.get(cv2.CAP_PROP_FRAME_HEIGHT)), int(camera.get(cv2.CAP_PROP_FRAME_WIDTH))),
        frame_rate=None if rate is None else rate / span.stride,
        num_frames=None,
        reader=once(lambda: _read_camera(camera, span), f"camera {number}"),
    )


def _read_camera(camera: Any, span: Span) -> Iterator[Frame]:
    origin, index = None, 0
    try:
        while True:
            is_read, picture = camera.read()
            if not is_read:
                return
            now = time.monotonic()
            origin = now if origin is None else origin
            seconds = now - origin
            if span.end is not None and not is_before(index, seconds, span.end):
                return
            is_early = span.start is not None and is_before(index, seconds, span.start)
            if not is_early and index % span.stride == 0:
                yield Frame(index, seconds, index_name(index), picture[:, :, ::-1].copy())  # OpenCV gives BGR
            index += 1
    finally:
        camera.release()
