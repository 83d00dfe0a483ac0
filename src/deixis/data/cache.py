"""Rendered clips kept on disk as memory-mapped bytes, so that training reads them instead of rendering again.

A folder ``NAME-KEY`` holds chunks of :data:`CHUNK` clips: ``00000.frames.npy`` (uint8 ``[n, t, H, W, 3]``),
``00000.labels.npy`` (uint8 ``[n, t, H, W]``: 0 background, i the i-th object) and ``00000.json`` (names,
objects, expressions), which is written last: a chunk with it is whole. A cache can thus be grown, and
building can be broken off and gone on with. The key changes with the settings of the world and with what its
first clips look like.

Axes: n clips of a chunk, t frames, o objects, H W pixels.
"""

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import lru_cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, overload

import numpy as np
from jaxtyping import Bool, UInt8

from deixis.errors import DatasetError

from .records import Expression, ObjectInfo, VideoRecord

CHUNK = 64
"""Clips in a file."""


def cached_records(
    records: Sequence[VideoRecord],
    folder: Path,
    *,
    name: str,
    settings: str = "",
    num_workers: int = 0,
    report: Callable[[int, int], None] | None = None,
) -> "CachedRecords":
    """Return ``records`` as read from the cache in ``folder``, after rendering what is not there yet.

    Args:
        records: clips of one length and size, each made when asked for; picklable.
        folder: holds caches of any worlds.
        name: start of the name of this one.
        settings: all that decides what the records show.
        num_workers: processes that render; 0: one a core.
        report: called with the number of clips that are ready and their total.

    Raises:
        DatasetError: clips of several sizes, or with overlapping masks.
    """
    home = folder / f"{name}-{_key(records, settings)}"
    home.mkdir(parents=True, exist_ok=True)
    total = len(records)
    starts = [
        start for start in range(0, total, CHUNK) if not _is_whole(home, start, min(CHUNK, total - start))
    ]
    _render(records, home, starts, num_workers or os.cpu_count() or 1, report)
    clips: list[dict[str, Any]] = []
    for start in range(0, total, CHUNK):
        clips.extend(json.loads(_path(home, start, "json").read_text(encoding="utf-8")))
    return CachedRecords(home, clips[:total])


@dataclass(frozen=True)
class CachedRecords(Sequence[VideoRecord]):
    """Records whose pixels lie in the chunks of ``home``; ``clips`` is what is said of each."""

    home: Path
    clips: Sequence[dict[str, Any]]

    def __len__(self) -> int:
        return len(self.clips)

    @overload
    def __getitem__(self, index: int) -> VideoRecord: ...
    @overload
    def __getitem__(self, index: slice) -> list[VideoRecord]: ...
    def __getitem__(self, index: int | slice) -> VideoRecord | list[VideoRecord]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        if not 0 <= index < len(self.clips):
            raise IndexError(f"there are {len(self.clips)} clips, there is no clip {index}")
        clip = self.clips[index]
        place = (self.home, index - index % CHUNK, index % CHUNK)
        expressions = (
            Expression(item["id"], item["text"], tuple(item["object_ids"]), tuple(item["kinds"]))
            for item in clip["expressions"]
        )
        object_ids = tuple(clip["object_ids"])
        return VideoRecord(
            name=clip["name"],
            frame_names=tuple(f"{number:05d}" for number in range(clip["num_frames"])),
            frames=CachedFrames(*place),
            expressions=tuple(expressions),
            object_ids=object_ids,
            masks=CachedMasks(*place, object_ids),
            size=(clip["height"], clip["width"]),
            objects=tuple(map(ObjectInfo, object_ids, clip.get("categories", ()))),
        )


@dataclass(frozen=True)
class CachedFrames:
    """Frames of clip ``place`` of the chunk that begins with clip ``start``."""

    home: Path
    start: int
    place: int

    def read(self, indices: Sequence[int]) -> UInt8[np.ndarray, "t H W 3"]:
        """Return the frames at ``indices``."""
        return np.asarray(_map(_path(self.home, self.start, "frames.npy"))[self.place, list(indices)])


@dataclass(frozen=True)
class CachedMasks:
    """Masks of clip ``place`` of the chunk that begins with clip ``start``."""

    home: Path
    start: int
    place: int
    object_ids: tuple[int, ...]

    def read(self, indices: Sequence[int], object_ids: Sequence[int]) -> Bool[np.ndarray, "o t H W"]:
        """Return the masks of ``object_ids`` in the frames at ``indices``."""
        labels = _map(_path(self.home, self.start, "labels.npy"))[self.place, list(indices)]
        wanted = np.array([self.object_ids.index(identity) + 1 for identity in object_ids], np.uint8)
        return labels[None] == wanted[:, None, None, None]


def render_chunk(records: Sequence[VideoRecord], home: Path, start: int) -> int:
    """Render the chunk that begins with clip ``start`` and return how many clips it has."""
    frames, labels, clips = [], [], []
    for index in range(start, min(start + CHUNK, len(records))):
        record = records[index]
        every = range(len(record.frame_names))
        frames.append(record.frames.read(every))
        labels.append(_labels(record))
        clips.append(_describe(record, frames[-1].shape))
    if len({clip.shape for clip in frames}) > 1:
        raise DatasetError("the clips of a cache must have one length and size; render them with one setting")
    _write(_path(home, start, "frames.npy"), lambda file: np.save(file, np.stack(frames)))
    _write(_path(home, start, "labels.npy"), lambda file: np.save(file, np.stack(labels)))
    text = json.dumps(clips, separators=(",", ":")).encode()
    _write(_path(home, start, "json"), lambda file: file.write(text))
    return len(clips)


def _render(
    records: Sequence[VideoRecord],
    home: Path,
    starts: Sequence[int],
    num_workers: int,
    report: Callable[[int, int], None] | None,
) -> None:
    sizes = [min(CHUNK, len(records) - start) for start in starts]
    ready = len(records) - sum(sizes)
    work = partial(render_chunk, records, home)
    if num_workers == 1 or len(starts) <= 1:
        for start in starts:
            ready += work(start)
            if report is not None:
                report(ready, len(records))
        return
    # Started afresh: forking a process that has run torch's threads can hang.
    with ProcessPoolExecutor(min(num_workers, len(starts)), mp_context=get_context("spawn")) as pool:
        for done in as_completed([pool.submit(work, start) for start in starts]):
            ready += done.result()
            if report is not None:
                report(ready, len(records))


def _key(records: Sequence[VideoRecord], settings: str) -> str:
    """Return a short digest of ``settings`` and of the first clips."""
    digest = hashlib.sha256(settings.encode())
    for index in range(min(2, len(records))):
        record = records[index]
        digest.update(np.ascontiguousarray(record.frames.read(range(len(record.frame_names)))).tobytes())
        digest.update("\n".join(expression.text for expression in record.expressions).encode())
    return digest.hexdigest()[:12]


def _labels(record: VideoRecord) -> UInt8[np.ndarray, "t H W"]:
    assert record.masks is not None
    masks = record.masks.read(range(len(record.frame_names)), record.object_ids)
    if masks.sum(axis=0).max(initial=0) > 1:
        raise DatasetError(f"the masks of {record.name} overlap; only visible masks can be cached")
    numbers = np.arange(1, len(masks) + 1, dtype=np.uint8)[:, None, None, None]
    return (masks * numbers).sum(axis=0, dtype=np.uint8)


def _describe(record: VideoRecord, shape: tuple[int, ...]) -> dict[str, Any]:
    return {
        "name": record.name,
        "num_frames": shape[0],
        "height": shape[1],
        "width": shape[2],
        "object_ids": list(record.object_ids),
        "categories": [
            next((one.category for one in record.objects if one.id == identity), "")
            for identity in record.object_ids
        ],
        "expressions": [
            {"id": one.id, "text": one.text, "object_ids": list(one.object_ids), "kinds": list(one.kinds)}
            for one in record.expressions
        ],
    }


def _path(home: Path, start: int, ending: str) -> Path:
    return home / f"{start // CHUNK:05d}.{ending}"


def _is_whole(home: Path, start: int, count: int) -> bool:
    """Tell whether the chunk is there with at least ``count`` clips."""
    path = _path(home, start, "json")
    return path.is_file() and len(json.loads(path.read_text(encoding="utf-8"))) >= count


def _write(path: Path, write: Callable[[Any], object]) -> None:
    temporary = path.with_name(f"{path.name}.{os.getpid()}.partial")
    with temporary.open("wb") as file:
        write(file)
    os.replace(temporary, path)


@lru_cache(maxsize=4096)
def _map(path: Path) -> np.ndarray:
    return np.load(path, mmap_mode="r")
