"""What the writers of layouts share: files that appear whole, images, videos, tables, masks of a record."""

import csv
import io
import json
import os
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from deixis.data.records import VideoRecord
from deixis.errors import SinkError

FRAME_RATE = 8
"""Frames a second of written videos: a clip of 16 lasts two seconds."""

SMALL_LOSS, NO_SEEN_LOSS = "12", "4"
"""Rate factors of H.264."""


def place(path: Path, write: Callable[[Path], object]) -> None:
    """Call ``write`` with a name beside ``path`` and move the result to ``path``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    try:
        write(temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def refuse_existing(path: Path) -> None:
    """Raise a ``SinkError`` where ``path`` exists."""
    if path.exists():
        raise SinkError(f"{path} is there already; choose another folder or remove it")


def write_json(path: Path, content: Any) -> None:
    """Write ``content`` as JSON."""
    write_text(path, json.dumps(content))


def write_text(path: Path, text: str, encoding: str = "utf-8") -> None:
    """Write ``text``."""
    place(path, lambda temporary: temporary.write_text(text, encoding=encoding))


def read_rows(path: Path) -> list[list[str]]:
    """Return the rows of a comma-separated file; none where it is not there."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [row for row in csv.reader(file) if row]


def write_rows(path: Path, rows: list[list[str]]) -> None:
    """Write a comma-separated file."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    write_text(path, text.getvalue())


def write_image(path: Path, image: Image.Image) -> None:
    """Write a picture as its suffix says: ``.jpg``, hardly any loss, or ``.png``."""
    options: dict[str, Any] = {"quality": 95, "subsampling": 0} if path.suffix == ".jpg" else {}
    kind = "JPEG" if path.suffix == ".jpg" else "PNG"
    place(path, lambda temporary: image.save(temporary, kind, **options))


def palette_image(masks: np.ndarray, object_ids: Sequence[int]) -> Image.Image:
    """Return an indexed image whose values are object ids, in the colours of DAVIS and YouTube-VOS."""
    labels = np.zeros(masks.shape[1:], np.uint8)
    for object_id, mask in zip(object_ids, masks, strict=True):
        labels[mask] = object_id
    image = Image.fromarray(labels)
    image.putpalette([channel for index in range(256) for channel in _palette_colour(index)])
    return image


def _palette_colour(index: int) -> tuple[int, int, int]:
    """Spread the bits of ``index`` over three channels, highest first (the palette of PASCAL VOC)."""
    colour = [0, 0, 0]
    for shift in range(7, -1, -1):
        for channel in range(3):
            colour[channel] |= (index >> channel & 1) << shift
        index >>= 3
    return colour[0], colour[1], colour[2]


def write_video(path: Path, frames: np.ndarray, rate_factor: str) -> None:
    """Encode ``frames [t, H, W, 3]`` as H.264; a smaller ``rate_factor`` loses less."""
    import av

    height, width = frames.shape[1:3]

    def write(temporary: Path) -> None:
        with av.open(str(temporary), "w", format="mp4") as container:
            stream = container.add_stream("libx264", rate=Fraction(FRAME_RATE))
            stream.width, stream.height = width, height
            # Halved colour planes need even sides.
            stream.pix_fmt = "yuv444p" if height % 2 or width % 2 else "yuv420p"
            stream.options = {"crf": rate_factor, "preset": "veryfast", "threads": "1"}
            for frame in frames:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
            container.mux(stream.encode())

    place(path, write)


def read_masks(record: VideoRecord, indices: Iterable[int]) -> np.ndarray:
    """Return the masks ``[n, t, H, W]`` of all objects at ``indices``.

    Raises:
        ValueError: the truth of the record is held back.
    """
    if record.masks is None:
        raise ValueError(
            f"the truth of video {record.name} is held back; only records with masks can be written"
        )
    return record.masks.read(list(indices), record.object_ids)


def box_of(mask: np.ndarray) -> list[int]:
    """Return x, y, width, height of a mask with a pixel."""
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    return [int(value) for value in (columns[0], rows[0], np.ptp(columns) + 1, np.ptp(rows) + 1)]
