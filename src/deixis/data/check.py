"""Look a data set over: files that are missing or unreadable, sizes that differ, referents without masks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from deixis.data.records import VideoRecord
from deixis.errors import DatasetError


@dataclass(frozen=True)
class Finding:
    """Something wrong with a video of a data set."""

    video: str
    message: str

    def __str__(self) -> str:
        return f"{self.video}: {self.message}"


def check_record(record: VideoRecord, *, is_thorough: bool = False) -> Iterator[Finding]:
    """Yield what is wrong with a video.

    Args:
        record: the video.
        is_thorough: read every frame and mask and look for the referents in them, rather than the files'
            names and the first annotated frame.
    """
    if not record.frame_names:
        yield Finding(record.name, "has no frames")
        return
    if not record.expressions:
        yield Finding(record.name, "has no expressions")
    yield from _duplicates(record)
    missing = [*_missing(record, record.frames, range(len(record.frame_names)))]
    annotated = (
        record.annotated_frames if record.annotated_frames is not None else range(len(record.frame_names))
    )
    if record.masks is not None:
        missing += _missing(record, record.masks, annotated)
    for name in missing[:10]:
        yield Finding(record.name, f"there is no {name}")
    if len(missing) > 10:
        yield Finding(record.name, f"and {len(missing) - 10} more files are missing")
    if not missing:
        yield from _pixels(record, annotated if is_thorough else annotated[:1])


def _missing(record: VideoRecord, reader: object, indices: Sequence[int]) -> Iterator[str]:
    """Yield the files that a reader of files lacks; readers of other things lack none."""
    path_of = getattr(reader, "path", None)
    if path_of is None:
        return
    if not callable(path_of):
        if not path_of.is_file():
            yield str(path_of)
        return
    for index in indices:
        try:
            path = path_of(index)
        except DatasetError:
            yield f"image of frame {record.frame_names[index]}"
            continue
        if not path.is_file():
            yield str(path)


def _pixels(record: VideoRecord, indices: Sequence[int]) -> Iterator[Finding]:
    """Read frame by frame; report what cannot be read, sizes that differ, referents never seen."""
    referents = sorted(
        {object_id for expression in record.expressions for object_id in expression.object_ids}
    )
    seen = np.zeros(len(referents), bool)
    for index in indices:
        try:
            height, width = record.frames.read([index]).shape[1:3]
            if record.masks is None:
                continue
            masks = record.masks.read([index], referents)
        except DatasetError as error:
            yield Finding(record.name, str(error))
            return
        if masks.shape[2:] != (height, width):
            name = record.frame_names[index]
            yield Finding(
                record.name,
                f"frame {name} is {height}x{width} but its masks are {masks.shape[2]}x{masks.shape[3]}",
            )
        seen |= masks.any(axis=(1, 2, 3))
    if record.masks is not None and len(indices) == len(record.annotated_frames or record.frame_names):
        for object_id in np.array(referents)[~seen]:
            yield Finding(record.name, f"object {object_id} has an expression but no pixel in any frame")


def _duplicates(record: VideoRecord) -> Iterator[Finding]:
    ids = [expression.id for expression in record.expressions]
    for repeated in sorted({name for name in ids if ids.count(name) > 1}):
        yield Finding(record.name, f"the expression id {repeated} occurs more than once")
    for expression in record.expressions:
        if not expression.text.strip():
            yield Finding(record.name, f"expression {expression.id} is empty")
        unknown = set(expression.object_ids) - set(record.object_ids)
        if unknown:
            yield Finding(
                record.name, f"expression {expression.id} speaks of unknown objects {sorted(unknown)}"
            )
