"""Frames and masks of a record, read from folders of images and from video files when they are asked for.

Readers hold paths and names only: they are cheap to make, to pickle and to send to a loader's processes.

Legend: t frames, n objects, H W pixels.
"""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import overload

import numpy as np
from jaxtyping import Bool, UInt8
from PIL import Image, UnidentifiedImageError

from deixis.errors import DatasetError

IMAGE_SUFFIXES = (".jpg", ".png", ".jpeg")

_END_OF_JPEG = b"\xff\xd9"


@dataclass(frozen=True)
class ImageFolder:
    """Frames as images ``folder/NAME.jpg`` (or png, jpeg); ``names`` are the stems in order."""

    folder: Path
    names: tuple[str, ...]

    def path(self, index: int) -> Path:
        """Return the file of a frame.

        Raises:
            DatasetError: there is none.
        """
        name = self.names[index]
        for suffix in IMAGE_SUFFIXES:
            path = self.folder / f"{name}{suffix}"
            if path.is_file():
                return path
        raise DatasetError(
            f"{self.folder} has no image {name}.jpg (nor .png): is the data set unpacked in full?"
        )

    def read(self, indices: Sequence[int]) -> UInt8[np.ndarray, "t H W 3"]:
        """Return the frames at ``indices`` as RGB.

        Raises:
            DatasetError: an image is missing or unreadable, or the sizes differ.
        """
        return _stack([read_image(self.path(index)) for index in indices], self.folder)


@dataclass(frozen=True)
class _MaskFolder:
    """One PNG of masks a frame, ``folder/NAME.png``."""

    folder: Path
    names: tuple[str, ...]

    def path(self, index: int) -> Path:
        """Return the file of a frame's masks, which may not exist."""
        return self.folder / f"{self.names[index]}.png"


@dataclass(frozen=True)
class LabelFolder(_MaskFolder):
    """Masks as label maps ``folder/NAME.png``: a pixel's value is the id of its object, 0 the background."""

    def read(self, indices: Sequence[int], object_ids: Sequence[int]) -> Bool[np.ndarray, "n t H W"]:
        """Return the masks of ``object_ids`` in the frames at ``indices``.

        Raises:
            DatasetError: a label map is missing, unreadable or in colours, or the sizes differ.
        """
        labels = [read_label_map(self.path(index)) for index in indices]
        _require_one_size(labels, self.folder)
        masks = np.empty((len(object_ids), len(labels), *labels[0].shape), bool)
        for place, values in enumerate(labels):
            for mask, object_id in zip(masks, object_ids, strict=True):
                np.equal(values, object_id, out=mask[place])
        return masks

    def ids(self, index: int) -> tuple[int, ...]:
        """Return the ids that a frame's label map has; 255 is void, not an object.

        Raises:
            DatasetError: the label map is missing, unreadable or in colours.
        """
        values = np.flatnonzero(np.bincount(read_label_map(self.path(index)).ravel(), minlength=256))
        return tuple(int(value) for value in values if value not in (0, 255))


@dataclass(frozen=True)
class ForegroundFolder(_MaskFolder):
    """Masks ``folder/NAME.png`` in which anything but 0 is the one object, of id 1."""

    def read(self, indices: Sequence[int], object_ids: Sequence[int]) -> Bool[np.ndarray, "n t H W"]:
        """Return the foreground in the frames at ``indices`` for id 1; other ids are all False.

        Raises:
            DatasetError: a mask is missing, unreadable or in colours, or the sizes differ.
        """
        labels = _stack([read_label_map(self.path(index)) for index in indices], self.folder)  # t H W
        wanted = np.equal(object_ids, 1).reshape(-1, 1, 1, 1)  # n 1 1 1
        return wanted & (labels > 0)[None]


@dataclass(frozen=True)
class MaskFolders:
    """Masks ``folder/KEY/NAME.png`` of one object each, anything but 0; ``keys`` has the key of each id."""

    folder: Path
    names: tuple[str, ...]
    keys: Mapping[int, str]

    def path(self, index: int) -> Path:
        """Return the file of a frame's mask of the first object, which may not exist."""
        return self.folder / next(iter(self.keys.values())) / f"{self.names[index]}.png"

    def read(self, indices: Sequence[int], object_ids: Sequence[int]) -> Bool[np.ndarray, "n t H W"]:
        """Return the masks of ``object_ids`` in the frames at ``indices``.

        Raises:
            DatasetError: a mask is missing, unreadable or in colours, or the sizes differ.
        """
        keys = [self.keys[identity] for identity in object_ids] or [*self.keys.values()][:1]
        folders = [ForegroundFolder(self.folder / key, self.names) for key in keys]
        return np.concatenate([folder.read(indices, (1,)) for folder in folders])[: len(object_ids)]


@dataclass(frozen=True)
class MatlabMasks:
    """Masks of A2D-Sentences: ``folder/FFFFF.h5`` a frame, with transposed masks and their instances' ids."""

    folder: Path
    names: tuple[str, ...]

    def path(self, index: int) -> Path:
        """Return the file of a frame's masks, which exists for annotated frames only."""
        return self.folder / f"{self.names[index]}.h5"

    def read(self, indices: Sequence[int], object_ids: Sequence[int]) -> Bool[np.ndarray, "n t H W"]:
        """Return the masks of ``object_ids`` in annotated frames; an instance a frame lacks is all False.

        Raises:
            DatasetError: a frame has no file, or the file is unreadable.
        """
        return np.swapaxes(_stack([self._frame(index, object_ids) for index in indices], self.folder), 0, 1)

    def instances(self, index: int) -> tuple[int, ...]:
        """Return the ids of the instances in an annotated frame, in the file's order."""
        return self._load(index, with_masks=False)[0]

    def _frame(self, index: int, object_ids: Sequence[int]) -> np.ndarray:
        instances, masks = self._load(index)
        empty = np.zeros(masks.shape[1:], bool)
        found = [masks[instances.index(i)] if i in instances else empty for i in object_ids]
        return np.stack(found) if found else np.zeros((0, *masks.shape[1:]), bool)

    def _load(self, index: int, *, with_masks: bool = True) -> tuple[tuple[int, ...], np.ndarray]:
        import h5py

        path = self.path(index)
        try:
            with h5py.File(path, "r") as file:
                instances = tuple(int(value) for value in np.ravel(file["instance"][()]))
                if not with_masks:
                    return instances, np.zeros((len(instances), 0, 0), bool)
                masks = np.asarray(file["reMask"][()])
        except (OSError, KeyError) as error:
            raise DatasetError(
                f"cannot read the masks {path}: {error}; unpack the annotations again"
            ) from error
        # MATLAB writes the axes in reverse, and drops the first when there is one instance.
        masks = np.swapaxes(masks[None] if masks.ndim == 2 else masks, -1, -2) != 0
        if len(masks) != len(instances):
            raise DatasetError(f"{path} has {len(masks)} masks but {len(instances)} instance ids")
        return instances, masks


@dataclass(frozen=True, eq=False)
class InstanceIds(Sequence[int]):
    """Ids of all instances in the annotated ``frames``, read from their files when first asked for.

    Opening every file of A2D-Sentences takes minutes on a cold disk.
    """

    masks: MatlabMasks
    frames: tuple[int, ...]

    def __len__(self) -> int:
        return len(self._ids)

    @overload
    def __getitem__(self, index: int) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[int, ...]: ...
    def __getitem__(self, index: int | slice) -> int | tuple[int, ...]:
        return self._ids[index]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash((self.masks, self.frames))

    @cached_property
    def _ids(self) -> tuple[int, ...]:
        return tuple(sorted({i for frame in self.frames for i in self.masks.instances(frame)}))


@dataclass(frozen=True)
class VideoFile:
    """Frames of a video file by index; only the groups of pictures that hold wanted frames are decoded."""

    path: Path

    def read(self, indices: Sequence[int]) -> UInt8[np.ndarray, "t H W 3"]:
        """Return the frames at ``indices`` as RGB; beyond the last frame, the last one.

        Decoders differ by a frame at the end of a clip.

        Raises:
            DatasetError: the file is missing or cannot be decoded.
        """
        last = len(self._timetable) - 1
        clamped = [min(index, last) for index in indices]
        frames = dict(self._decode(sorted(set(clamped))))
        return _stack([frames[index] for index in clamped], self.path)

    def __len__(self) -> int:
        return len(self._timetable)

    @cached_property
    def _timetable(self) -> tuple[tuple[int, bool], ...]:
        """Time stamp of every frame in order, and whether decoding can start there."""
        import av

        try:
            with av.open(str(self.path)) as container:
                packets = [(p.pts, p.is_keyframe) for p in container.demux(video=0) if p.pts is not None]
        except (OSError, IndexError, ValueError) as error:
            raise DatasetError(f"cannot read the video {self.path}: {error}") from error
        if not packets:
            raise DatasetError(f"the video {self.path} has no frames")
        return tuple(sorted(packets))

    def _decode(self, indices: Sequence[int]) -> Iterator[tuple[int, np.ndarray]]:
        """Yield the frames at increasing ``indices``, jumping over groups of pictures without any."""
        import av

        times = [time for time, _ in self._timetable]
        starts = [index for index, (_, is_key) in enumerate(self._timetable) if is_key]
        with av.open(str(self.path)) as container:
            stream = container.streams.video[0]
            for first, group in _groups(indices, starts):
                wanted = {times[index]: index for index in group}
                # Some containers seek by decoding time and land behind the frame: then from the beginning.
                for start in (times[first], times[0]):
                    container.seek(start, stream=stream)
                    for packet in container.demux(stream):
                        # Frames that no other is made from need not be decoded to get at the wanted ones.
                        is_needed = packet.pts is None or packet.pts in wanted
                        stream.codec_context.skip_frame = "DEFAULT" if is_needed else "NONREF"
                        for frame in packet.decode():
                            if frame.pts in wanted:
                                yield wanted.pop(frame.pts), frame.to_ndarray(format="rgb24")
                        if not wanted:
                            break
                    if not wanted:
                        break
                if wanted:
                    missing = ", ".join(map(str, sorted(wanted.values())))
                    raise DatasetError(f"cannot decode frames {missing} of {self.path}: is the file whole?")


def read_image(path: Path) -> UInt8[np.ndarray, "H W 3"]:
    """Read an image as RGB.

    Raises:
        DatasetError: it is unreadable.
    """
    try:
        data = path.read_bytes()
        with Image.open(io.BytesIO(data)) as image:
            is_plain = image.format == "JPEG" and image.mode in ("RGB", "L") and data.endswith(_END_OF_JPEG)
            pixels = _decode_jpeg(data) if is_plain else None
            return np.asarray(image.convert("RGB")) if pixels is None else pixels
    except (OSError, UnidentifiedImageError) as error:
        raise DatasetError(f"cannot read the image {path}: {error}; unpack the data set again") from error


def _decode_jpeg(data: bytes) -> UInt8[np.ndarray, "H W 3"] | None:
    """Decode a JPEG with OpenCV: the pixels of Pillow in three quarters of the time; None: it cannot.

    Both use libjpeg-turbo. OpenCV fills the rest of a file that was cut off with grey, so that only whole
    ones may come here, and turns images upright, which annotations are not.
    """
    import cv2

    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    return None if pixels is None else cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB, dst=pixels)


def read_size(path: Path) -> tuple[int, int]:
    """Read the height and width of an image from its head.

    Raises:
        DatasetError: it is unreadable.
    """
    try:
        with Image.open(path) as image:
            return image.height, image.width
    except (OSError, UnidentifiedImageError) as error:
        raise DatasetError(f"cannot read the image {path}: {error}; unpack the data set again") from error


def read_label_map(path: Path) -> UInt8[np.ndarray, "H W"]:
    """Read a palette or grey PNG as it is stored: values are ids, never colours.

    Raises:
        DatasetError: it is missing or unreadable, or stores colours.
    """
    from deixis.ops.png import decode_label_map

    try:
        return decode_label_map(path.read_bytes())
    except FileNotFoundError as error:
        raise DatasetError(f"there are no masks {path}: is the data set unpacked in full?") from error
    except OSError as error:
        raise DatasetError(f"cannot read the masks {path}: {error}; unpack the data set again") from error
    except ValueError as error:
        raise DatasetError(_blame(path, error)) from error


def _blame(path: Path, error: ValueError) -> str:
    """Say what is wrong with a label map: the colours that it stores, or what the decoder found."""
    try:
        with Image.open(path) as image:
            mode = image.mode
    except (OSError, UnidentifiedImageError):
        mode = "L"
    if mode not in ("P", "L", "1"):
        return f"{path} stores {mode} colours, not object ids; save masks as palette or grey PNG"
    return f"cannot read the masks {path}: the file {error}"


def _groups(indices: Sequence[int], starts: Sequence[int]) -> Iterator[tuple[int, list[int]]]:
    """Split increasing ``indices`` by the start to decode from: yield the start and its indices."""
    bounds = [0, *(start for start in starts if start > 0), max(indices, default=0) + 1]
    for first, after in pairwise(sorted(set(bounds))):
        group = [index for index in indices if first <= index < after]
        if group:
            yield first, group


def _stack(images: list[np.ndarray], where: Path) -> np.ndarray:
    """Stack images of one size."""
    _require_one_size(images, where)
    return np.stack(images)


def _require_one_size(images: list[np.ndarray], where: Path) -> None:
    if not images:
        raise ValueError("no frames are asked for; give at least one index")
    sizes = sorted({image.shape for image in images})
    if len(sizes) > 1:
        raise DatasetError(f"the images of {where} have several sizes: {', '.join(map(str, sizes))}")
