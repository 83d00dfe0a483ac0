"""Look a data set over: counts, missing or unreadable files, sizes that differ, objects without masks.

A module of a data set may know more: ``findings(record)`` yields what is wrong with one video,
``split_findings(root, split, records)`` what is wrong with a whole split, both as :class:`Finding`. Both are
optional, and neither reads pixels that it does not need.
"""

import importlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deixis.errors import DatasetError

from .catalog import Counts, DatasetEntry
from .readers import VideoFile
from .records import VideoRecord

_LISTED = 10
_VARIABLE = re.compile(r"""'.*'|".*"|\S*[\d/\\]\S*""")
"""What differs between findings of a kind: quotations, numbers, paths."""
_FRAMES_AT_ONCE = 16


@dataclass(frozen=True)
class Finding:
    """Something wrong with a data set.

    Attributes:
        video: the video or image that it is about; empty: the whole split.
        message: what is wrong.
        is_known: the data set itself is published like that, or it may be meant: nothing to put right.
    """

    video: str
    message: str
    is_known: bool = False

    def __str__(self) -> str:
        text = f"{self.video}: {self.message}" if self.video else self.message
        return f"{text} (known)" if self.is_known else text


def check_split(
    entry: DatasetEntry,
    root: str | Path,
    split: str,
    records: Sequence[VideoRecord],
    *,
    is_thorough: bool = False,
    compare_counts: bool = True,
    watch: Callable[[Sequence[VideoRecord]], Iterable[VideoRecord]] = iter,
) -> Iterator[Finding]:
    """Yield what is wrong with a split of a data set.

    Args:
        entry: of the data set.
        root: its folder.
        split: name of the split.
        records: of the split.
        is_thorough: read every frame and every mask; see :func:`check_record`.
        compare_counts: compare with the published numbers; pass False for a part or an export.
        watch: wraps the records while they are gone through, as a progress bar does.
    """
    module = importlib.import_module(entry.module)
    of_record = getattr(module, "findings", None)
    of_split = getattr(module, "split_findings", None)
    if compare_counts:
        yield from count_findings(records, entry.counts.get(split, ()), entry.unit)

    def of_each() -> Iterator[Finding]:
        names: set[str] = set()
        for record in watch(records):
            if record.name in names:
                yield Finding(record.name, "occurs more than once")
            names.add(record.name)
            yield from check_record(record, is_thorough=is_thorough, needs_expressions=entry.has_expressions)
            if of_record is not None:
                yield from of_record(record)

    # Hundred thousand images without their archive would be as many lines.
    yield from _shortened(of_each()) if entry.unit == "images" else of_each()
    if of_split is not None:
        yield from of_split(Path(root), split, records)


def count(records: Sequence[VideoRecord], fields: Iterable[str]) -> dict[str, int]:
    """Count ``fields`` of :class:`Counts` over ``records``; others are not looked at."""
    ways: dict[str, Callable[[VideoRecord], int]] = {
        "videos": lambda record: 1,
        "expressions": lambda record: len(record.expressions),
        "objects": lambda record: len(record.object_ids),
        "frames": lambda record: len(record.frame_names),
    }
    totals = dict.fromkeys(fields, 0)
    if list(totals) == ["videos"]:
        return {"videos": len(records)}
    # In one go: records may be made when they are asked for.
    for record in records:
        for field in totals:
            totals[field] += ways[field](record)
    return totals


def _shortened(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Pass on the first few findings of a kind, and tell at the end how many more there are."""
    counts: Counter[tuple[bool, str]] = Counter()
    for finding in findings:
        kind = finding.is_known, _VARIABLE.sub("...", finding.message)
        counts[kind] += 1
        if counts[kind] <= _LISTED:
            yield finding
    for (is_known, message), number in counts.items():
        if number > _LISTED:
            yield Finding("", f"and {number - _LISTED:,} more of: {message}", is_known)


def count_findings(
    records: Sequence[VideoRecord], published: Sequence[Counts], unit: str = "videos"
) -> Iterator[Finding]:
    """Compare the numbers of a split with those published: with the release that they come closest to."""
    if not published:
        return
    found = count(records, dict.fromkeys(field for release in published for field in release.numbers()))

    def distance(release: Counts) -> int:
        return sum(abs(found[field] - number) for field, number in release.numbers().items())

    closest = min(published, key=distance)
    for field, number in closest.numbers().items():
        if found[field] != number:
            is_unsure = field in closest.unsure
            name = unit if field == "videos" else field
            source = "commonly reported" if is_unsure else "published"
            release = f" for {closest.release}" if closest.release else ""
            yield Finding("", f"{found[field]:,} {name}, {source}{release}: {number:,}", is_known=is_unsure)


def check_record(
    record: VideoRecord, *, is_thorough: bool = False, needs_expressions: bool = True
) -> Iterator[Finding]:
    """Yield what is wrong with a video.

    Args:
        record: the video.
        is_thorough: read every frame and mask and look for the objects in them, rather than the files' names,
            the first annotated frame, and the frames in which the data set says that objects are given.
        needs_expressions: False where videos come without sentences.
    """
    if not record.frame_names:
        yield Finding(record.name, "has no frames")
        return
    if needs_expressions and not record.expressions:
        yield Finding(record.name, "has no expressions")
    try:
        yield from _expressions(record)
    except DatasetError as error:  # the ids of objects may be read from disk
        yield Finding(record.name, str(error))
        return
    every = range(len(record.frame_names))
    annotated = every if record.annotated_frames is None else record.annotated_frames
    missing = [*_missing(record, record.frames, every)]
    if len(missing) == len(record.frame_names) > 1:
        yield Finding(record.name, f"none of its {len(missing)} images is there ({_place(record.frames)})")
        return
    if record.masks is not None:
        missing += _missing(record, record.masks, annotated)
    for name in missing[:_LISTED]:
        yield Finding(record.name, f"there is no {name}")
    if len(missing) > _LISTED:
        yield Finding(record.name, f"and {len(missing) - _LISTED} more files are missing")
    if missing:
        return
    yield from _all_pixels(record, annotated) if is_thorough else _few_pixels(record, annotated)


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


def _place(reader: object) -> str:
    return str(getattr(reader, "folder", "no folder"))


def _few_pixels(record: VideoRecord, annotated: Sequence[int]) -> Iterator[Finding]:
    """Read the first annotated frame, and the masks that are given to methods that follow objects."""
    try:
        first = annotated[0] if record.masks is not None and len(annotated) else 0
        read_size = getattr(record.frames, "read_size", None)
        size = read_size() if read_size is not None else record.frames.read([first]).shape[1:3]
        yield from _frame_size(record, size)
        if record.masks is None or not len(annotated):
            return
        yield from _mask_size(record, first, size, record.masks.read([first], record.object_ids[:1]))
        for index in sorted({info.first_frame for info in record.objects if info.first_frame is not None}):
            given = [info.id for info in record.objects if info.first_frame == index]
            shown = record.masks.read([index], given).any(axis=(1, 2, 3))
            for identity in np.array(given)[~shown]:
                name = record.frame_names[index]
                yield Finding(
                    record.name, f"object {identity} has no pixel in frame {name}, where it is said to begin"
                )
    except DatasetError as error:
        yield Finding(record.name, str(error))


def _all_pixels(record: VideoRecord, annotated: Sequence[int]) -> Iterator[Finding]:
    """Read every frame and mask; report what cannot be read, sizes that differ, objects never seen."""
    ids, wanted = list(record.object_ids), set(annotated)
    seen = np.zeros(len(ids), bool)
    unlisted: dict[int, str] = {}
    stored_ids = getattr(record.masks, "ids", None)
    first, is_readable = None, True
    for index, size in _sizes(record):
        if isinstance(size, Finding):
            is_readable = False
            yield size
            continue
        if first is None:
            first = size
            yield from _frame_size(record, size)
        elif size != first:
            name = record.frame_names[index]
            yield Finding(record.name, f"frame {name} is {_by(size)}, the first one {_by(first)}")
        if record.masks is None or index not in wanted:
            continue
        try:
            masks = record.masks.read([index], ids)
            stored = () if stored_ids is None else stored_ids(index)
        except DatasetError as error:
            is_readable = False
            yield Finding(record.name, str(error))
            continue
        yield from _mask_size(record, index, size, masks)
        seen |= masks.any(axis=(1, 2, 3))
        for identity in set(stored) - set(ids):
            unlisted.setdefault(identity, record.frame_names[index])
    if record.masks is not None and is_readable:
        for identity in np.array(ids)[~seen]:
            yield Finding(record.name, f"object {identity} has no pixel in any annotated frame")
    for identity, name in sorted(unlisted.items()):
        yield Finding(record.name, f"object {identity} of frame {name} is in no metadata", is_known=True)


def _sizes(record: VideoRecord) -> Iterator[tuple[int, tuple[int, ...] | Finding]]:
    """Decode every frame and yield its index with its size, or with what keeps it from being read."""
    is_video = isinstance(record.frames, VideoFile)
    if is_video:
        try:
            yield from ((0, finding) for finding in _length(record))
        except DatasetError as error:
            yield 0, Finding(record.name, str(error))
            return
    # A video is decoded from key frames on: frame by frame that would be done again for each.
    step = _FRAMES_AT_ONCE if is_video else 1
    for start in range(0, len(record.frame_names), step):
        indices = [*range(start, min(start + step, len(record.frame_names)))]
        try:
            size = record.frames.read(indices).shape[1:3]
        except DatasetError as error:
            yield start, Finding(record.name, str(error))
            if is_video:
                return
            continue
        yield from ((index, size) for index in indices)


def _frame_size(record: VideoRecord, size: tuple[int, ...]) -> Iterator[Finding]:
    if record.size is not None and size != record.size:
        yield Finding(record.name, f"frames are {_by(size)} but the metadata says {_by(record.size)}")


def _mask_size(
    record: VideoRecord, index: int, size: tuple[int, ...], masks: np.ndarray
) -> Iterator[Finding]:
    if masks.shape[2:] != size:
        name, found = record.frame_names[index], _by(masks.shape[2:])
        yield Finding(record.name, f"frame {name} is {_by(size)} but its masks are {found}")


def _length(record: VideoRecord) -> Iterator[Finding]:
    """Compare the frames of a video file with those of the metadata; decoders may differ by one."""
    assert isinstance(record.frames, VideoFile)
    length = len(record.frames)
    if abs(length - len(record.frame_names)) > 1:
        yield Finding(
            record.name, f"the video has {length} frames, the metadata says {len(record.frame_names)}"
        )


def _by(size: Sequence[int]) -> str:
    return f"{size[0]}x{size[1]}"


def _expressions(record: VideoRecord) -> Iterator[Finding]:
    """Report ids that occur twice, empty texts, unknown objects, and texts that name several objects."""
    ids, meanings = set(), {}
    known = set(record.object_ids) if any(one.object_ids for one in record.expressions) else set()
    for expression in record.expressions:
        if expression.id in ids:
            yield Finding(record.name, f"the expression id {expression.id} occurs more than once")
        ids.add(expression.id)
        text = " ".join(expression.text.lower().split())
        if not text:
            yield Finding(record.name, f"expression {expression.id} is empty")
        unknown = set(expression.object_ids) - known
        if unknown:
            yield Finding(
                record.name, f"expression {expression.id} speaks of unknown objects {sorted(unknown)}"
            )
        other = meanings.setdefault(text, expression)
        if set(other.object_ids) != set(expression.object_ids):
            yield Finding(
                record.name,
                f"expressions {other.id} and {expression.id} say the same of different objects: {text!r}",
                is_known=True,
            )
