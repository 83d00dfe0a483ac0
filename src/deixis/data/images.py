"""What data sets of images share: an image as a frame, a folder under one of its usual names, lazy records.

An image is a record of one frame, named after its file without the suffix.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor
from pathlib import Path
from typing import Any, overload

import numpy as np
from jaxtyping import Bool, UInt8

from deixis.errors import DatasetError

from .readers import read_image, read_size
from .records import FrameReader, VideoRecord

_PARENTS = (".", "images", "coco", "images/mscoco/images")


@dataclass(frozen=True)
class ImageFile:
    """One image as the only frame of a record."""

    path: Path

    def read(self, indices: Sequence[int]) -> UInt8[np.ndarray, "t H W 3"]:
        """Return the image once for each of ``indices``.

        Raises:
            DatasetError: it is missing or unreadable.
        """
        if not len(indices):
            raise ValueError("no frames are asked for; give at least one index")
        return np.stack([read_image(self.path)] * len(indices))

    def read_size(self) -> tuple[int, int]:
        """Return height and width from the head of the file.

        Raises:
            DatasetError: it is missing or unreadable.
        """
        return read_size(self.path)


@dataclass(frozen=True)
class BoxMasks:
    """The areas of boxes (x, y, width, height) in the place of masks, for images that have no others."""

    boxes: Mapping[int, tuple[float, float, float, float]]
    frames: FrameReader
    size: tuple[int, int] | None = None

    def read(self, indices: Sequence[int], object_ids: Sequence[int]) -> Bool[np.ndarray, "n t H W"]:
        """Return the pixels that the box of each object touches, the same for each of ``indices``.

        Raises:
            DatasetError: an object has no box, or the image is missing or unreadable.
        """
        size = self.size or self.frames.read([0]).shape[1:3]
        masks = np.zeros((len(object_ids), len(indices), *size), bool)
        for mask, identity in zip(masks, object_ids, strict=True):
            if identity not in self.boxes:
                raise DatasetError(f"object {identity} has no box")
            x, y, width, height = self.boxes[identity]
            rows, columns = (
                slice(max(floor(y), 0), ceil(y + height)),
                slice(max(floor(x), 0), ceil(x + width)),
            )
            mask[:, rows, columns] = True
        return masks


@dataclass(frozen=True)
class LazyRecords(Sequence[VideoRecord]):
    """Records that are made when asked for, one for each of ``keys``; only the keys are kept."""

    make: Callable[[Any], VideoRecord]
    keys: Sequence[Any]

    def __len__(self) -> int:
        return len(self.keys)

    @overload
    def __getitem__(self, index: int) -> VideoRecord: ...
    @overload
    def __getitem__(self, index: slice) -> "LazyRecords": ...
    def __getitem__(self, index: int | slice) -> "VideoRecord | LazyRecords":
        if isinstance(index, slice):
            return LazyRecords(self.make, self.keys[index])
        return self.make(self.keys[index])


def find_images(root: Path, names: Iterable[str], archive: str) -> Path:
    """Return the folder called one of ``names`` in ``root`` or where people keep COCO beside it.

    Raises:
        DatasetError: there is none; ``archive`` holds it.
    """
    names = tuple(names)
    for place in (root, root.resolve().parent):
        for parent in _PARENTS:
            for name in names:
                if (place / parent / name).is_dir():
                    return place / parent / name
    raise DatasetError(f"there is no folder {names[0]} in {root} or beside it; {archive} holds it")


def without_images(records: Sequence[VideoRecord], held_out: Iterable[VideoRecord]) -> Sequence[VideoRecord]:
    """Return ``records`` but those whose image occurs among ``held_out``, by name.

    RefCOCO, RefCOCO+ and RefCOCOg share the images of COCO: the training images of one are test images of
    another. The published trainings take the plain union; this leaves the leak out.
    """
    names = {record.name for record in held_out}
    return [record for record in records if record.name not in names]
