"""Masks kept as COCO run lengths in JSON, by track and frame (MeViS, OVIS; data sets, sections 5 and 11).

Legend: n objects, t frames, H W pixels.
"""

import json
import mmap
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool

from deixis.errors import DatasetError
from deixis.ops.run_lengths import decode_rle

from .readers import ImageFolder, read_size

Code = Mapping[str, Any] | None
"""Run lengths of one frame, or None where the object is not visible."""

_KEY = re.compile(rb'"(\d+)"\s*:\s*\[')
"""The start of a track. Run lengths have no quotation marks, so nothing inside a track looks like it."""


@dataclass(frozen=True)
class RleMasks:
    """Masks as run lengths in memory: one track an object, one entry a frame."""

    where: str
    size: tuple[int, int]
    tracks: Mapping[int, Sequence[Code]]

    def read(self, indices: Sequence[int], object_ids: Sequence[int]) -> Bool[np.ndarray, "n t H W"]:
        """Return the masks of ``object_ids`` in the frames at ``indices``; null run lengths are all False.

        Raises:
            DatasetError: an object has no track, or run lengths are malformed or of another size.
        """
        return _decode([self._track(identity) for identity in object_ids], indices, self.size, self.where)

    def _track(self, object_id: int) -> Sequence[Code]:
        if object_id not in self.tracks:
            raise DatasetError(f"{self.where} has no masks of object {object_id}")
        return self.tracks[object_id]


@dataclass(frozen=True)
class IndexedRleMasks:
    """Masks as run lengths in a large JSON file: ``spans`` says between which bytes each object's track is.

    Only the tracks that are asked for are parsed. Where none of them has a mask, the size is that of the
    first of ``frames``.
    """

    file: Path
    spans: Mapping[int, tuple[int, int]]
    frames: ImageFolder

    def read(self, indices: Sequence[int], object_ids: Sequence[int]) -> Bool[np.ndarray, "n t H W"]:
        """Return the masks of ``object_ids`` in the frames at ``indices``; null run lengths are all False.

        Raises:
            DatasetError: an object has no track, or a track is malformed or of another length or size.
        """
        tracks = [self._track(identity) for identity in object_ids]
        size = next((code["size"] for track in tracks for code in track if code), None)
        return _decode(tracks, indices, tuple(size or read_size(self.frames.path(0))), str(self.file))

    def _track(self, object_id: int) -> Sequence[Code]:
        if object_id not in self.spans:
            raise DatasetError(f"{self.file} has no masks of object {object_id}")
        track = _load_track(self.file, *self.spans[object_id])
        if len(track) != len(self.frames.names):
            raise DatasetError(
                f"{self.file} has {len(track)} masks of object {object_id}, not {len(self.frames.names)}"
            )
        return track


def index_tracks(path: Path) -> dict[int, tuple[int, int]]:
    """Return where the track of each object lies in a JSON file ``{"ID": [CODE or null, ...], ...}``.

    The file, of hundreds of megabytes, is searched for keys but not parsed.

    Raises:
        DatasetError: it is missing, has no tracks, is cut off, or has a track twice.
    """
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            starts = [(int(match[1]), match.start(), match.end() - 1) for match in _KEY.finditer(content)]
            end = len(content[-64:].rstrip()) + max(len(content) - 64, 0)
            is_whole = content[end - 1 : end] == b"}"
    except FileNotFoundError as error:
        raise DatasetError(f"there is no {path}; it comes with the archive of the split") from error
    except (OSError, ValueError) as error:  # an empty file cannot be mapped
        raise DatasetError(f"cannot read {path}: {error}; download it again") from error
    if not starts:
        raise DatasetError(f"{path} has no tracks of run lengths; it is not the mask_dict.json of MeViS")
    if not is_whole:
        raise DatasetError(f"{path} is cut off: it does not end with a bracket; download it again")
    ends = [start for _, start, _ in starts[1:]] + [end - 1]
    spans = {identity: (first, last) for (identity, _, first), last in zip(starts, ends, strict=True)}
    if len(spans) != len(starts):
        raise DatasetError(f"{path} has the track of an object twice; download it again")
    return spans


@lru_cache(maxsize=8)
def _load_track(path: Path, start: int, end: int) -> Sequence[Code]:
    try:
        with path.open("rb") as file:
            file.seek(start)
            return json.loads(file.read(end - start).rstrip().removesuffix(b","))
    except (OSError, ValueError) as error:
        raise DatasetError(f"cannot read masks of {path}: {error}; download it again") from error


def _decode(
    tracks: Sequence[Sequence[Code]], indices: Sequence[int], size: tuple[int, ...], where: str
) -> Bool[np.ndarray, "n t H W"]:
    masks = np.zeros((len(tracks), len(indices), *size), bool)
    for track, of_object in zip(masks, tracks, strict=True):
        for mask, index in zip(track, indices, strict=True):
            code = of_object[index]
            if code is None:
                continue
            try:
                if tuple(code["size"]) != tuple(size):
                    raise ValueError(f"a mask of {code['size']} in a video of {list(size)}")
                mask[:] = decode_rle([code])[0]
            except (ValueError, KeyError, TypeError) as error:
                raise DatasetError(
                    f"{where}: the masks of frame {index} are malformed: {error}; download it again"
                ) from error
    return masks
