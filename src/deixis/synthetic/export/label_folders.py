"""Frames and label maps of a record in folders of images, as DAVIS and YouTube-VOS keep them.

A few frames are held at a time, so that clips may be long.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Bool
from PIL import Image

from deixis.data.records import VideoRecord

from .files import palette_image, read_masks, write_image

_AT_ONCE = 16


def write_frames(record: VideoRecord, folder: Path, image: str, names: Sequence[str] = ()) -> None:
    """Write all frames as ``folder/NAME.jpg`` or png; without ``names``, under the record's own."""
    for indices in _chunks(record):
        for index, frame in zip(indices, record.frames.read(indices), strict=True):
            stem = (names or record.frame_names)[index]
            write_image(folder / f"{stem}.{image}", Image.fromarray(frame))


def write_label_maps(
    record: VideoRecord,
    folder: Path,
    names: Sequence[str] = (),
    paint: Callable[[np.ndarray, Sequence[int]], Image.Image] = palette_image,
) -> Bool[np.ndarray, "n t"]:
    """Write the masks of all frames as ``folder/NAME.png`` and return where each object is visible.

    ``paint`` makes the image of a frame from its masks ``[n, H, W]`` and the ids of the objects.
    """
    visible = []
    for indices in _chunks(record):
        masks = read_masks(record, indices)  # n t H W
        visible.append(masks.any(axis=(2, 3)))
        for place, index in enumerate(indices):
            stem = (names or record.frame_names)[index]
            write_image(folder / f"{stem}.png", paint(masks[:, place], record.object_ids))
    return np.concatenate(visible, axis=1)


def visibility(record: VideoRecord) -> Bool[np.ndarray, "n t"]:
    """Return where each object is visible."""
    parts = [read_masks(record, indices).any(axis=(2, 3)) for indices in _chunks(record)]
    return np.concatenate(parts, axis=1)


def run_lengths(record: VideoRecord) -> list[list[dict | None]]:
    """Return the masks of each object as run lengths, one a frame, None where it is not visible."""
    from deixis.ops.run_lengths import encode_rle

    tracks: list[list[dict | None]] = [[] for _ in record.object_ids]
    for indices in _chunks(record):
        for track, masks in zip(tracks, read_masks(record, indices), strict=True):
            codes = zip(encode_rle(masks), masks.any(axis=(1, 2)), strict=True)
            track += [code if is_seen else None for code, is_seen in codes]
    return tracks


def category_of(record: VideoRecord, object_id: int) -> str:
    """Return what the record calls an object, "object" where it does not say."""
    found = [info.category for info in record.objects if info.id == object_id]
    return (found[0] if found else "") or "object"


def _chunks(record: VideoRecord) -> Iterator[range]:
    count = len(record.frame_names)
    for start in range(0, count, _AT_ONCE):
        yield range(start, min(start + _AT_ONCE, count))
