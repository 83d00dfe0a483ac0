"""Where truth and predictions are read from: folders of PNGs, zips, readers of records.

Everything here holds paths and names only, and reads one frame when it is asked for.

Legend: n objects, H W pixels.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Shaped, UInt8

from deixis.data.readers import LabelFolder
from deixis.data.records import MaskReader, ObjectInfo, VideoRecord
from deixis.errors import DatasetError
from deixis.evaluation.files import Files
from deixis.evaluation.protocols.base import FrameMaskReader, TruthObject, VideoTruth
from deixis.ops.png import decode_label_map

VOID = 255
"""The id of pixels that are no object and no background."""


@dataclass(frozen=True)
class LabelFiles:
    """Label maps ``folder/FRAME.png``, void included."""

    folder: Path

    def read(self, frame: str) -> UInt8[np.ndarray, "H W"]:
        """Return the ids of a frame.

        Raises:
            DatasetError: the file is missing, damaged or stores colours.
        """
        path = self.folder / f"{frame}.png"
        try:
            return decode_label_map(path.read_bytes())
        except OSError as error:
            raise DatasetError(
                f"cannot read {path}: {error.strerror}; is the data set unpacked in full?"
            ) from error
        except ValueError as error:
            raise DatasetError(f"{path} {error}") from error


@dataclass(frozen=True)
class RecordMasks:
    """The masks of a record, by the names of its frames."""

    masks: MaskReader
    indices: Mapping[str, int]

    def read(self, frame: str, object_ids: Sequence[int]) -> Bool[np.ndarray, "n H W"]:
        """Return the masks of ``object_ids`` in a frame."""
        return self.masks.read([self.indices[frame]], object_ids)[:, 0]


@dataclass(frozen=True)
class PaintedLabels:
    """Label maps of masks that are kept one by one; where they overlap, the higher id is seen."""

    masks: FrameMaskReader
    object_ids: tuple[int, ...]

    def read(self, frame: str) -> UInt8[np.ndarray, "H W"]:
        """Return the ids of a frame."""
        ids = sorted(self.object_ids)
        masks = self.masks.read(frame, ids)
        labels = np.zeros(masks.shape[1:], np.uint8)
        for label, mask in zip(ids, masks, strict=True):
            labels[mask] = label
        return labels


@dataclass(frozen=True)
class PredictedFiles:
    """The files predicted for one video.

    Attributes:
        files: the folder or zip.
        layout: path of a mask in it, with ``{video}``, ``{key}`` and ``{frame}``.
        video: name of the video.
        names: of the files that belong to the video.
    """

    files: Files
    layout: str
    video: str
    names: frozenset[str]

    def has(self, key: str = "") -> bool:
        """Tell whether there is any file for ``key``."""
        before, _, after = self._name("\0", key).partition("\0")
        return any(name.startswith(before) and name.endswith(after) for name in self.names)

    def read(self, frame: str, key: str = "") -> UInt8[np.ndarray, "H W"] | None:
        """Return what the file of a frame stores; None where there is none.

        Raises:
            DatasetError: the file is damaged or stores colours.
        """
        name = self._name(frame, key)
        if name not in self.names:
            return None
        try:
            return decode_label_map(self.files.read(name))
        except ValueError as error:
            raise DatasetError(f"{name} in {self.files.place} {error}") from error

    def _name(self, frame: str, key: str) -> str:
        return self.layout.format(video=self.video, key=key, frame=frame)


@dataclass(frozen=True)
class PredictedArrays:
    """Masks in memory, for tests and small jobs: ``(key, frame)`` -> what a file would store."""

    arrays: Mapping[tuple[str, str], Shaped[np.ndarray, "H W"]]

    def has(self, key: str = "") -> bool:
        """Tell whether there is any frame for ``key``."""
        return any(held == key for held, _ in self.arrays)

    def read(self, frame: str, key: str = "") -> Shaped[np.ndarray, "H W"] | None:
        """Return a frame's mask, None where there is none."""
        return self.arrays.get((key, frame))


def predicted_videos(
    files: Files, layout: str, videos: Iterable[str], prefix: str = ""
) -> dict[str, PredictedFiles]:
    """Divide the files of a prediction among videos, in one pass over their names.

    Args:
        files: the folder or zip.
        layout: of the protocol.
        videos: names of the videos.
        prefix: folder within ``files`` that ``layout`` begins at, with a slash at its end, or "".
    """
    place = layout.split("/").index("{video}") + prefix.count("/")
    names: dict[str, list[str]] = {video: [] for video in videos}
    for name in files.names:
        parts = name.split("/", place + 1)
        if len(parts) > place and parts[place] in names:
            names[parts[place]].append(name)
    return {
        video: PredictedFiles(files, prefix + layout, video, frozenset(own)) for video, own in names.items()
    }


def truth_of_folder(name: str, folder: Path) -> VideoTruth:
    """Describe a video whose label maps are the PNGs of a folder; ``dataclasses.replace`` adds what is known.

    Raises:
        DatasetError: the folder holds none.
    """
    frames = tuple(sorted(path.stem for path in folder.glob("*.png")))
    if not frames:
        raise DatasetError(f"{folder} holds no PNG; give the folder of the annotations of {name}")
    return VideoTruth(name=name, frames=frames, labels=LabelFiles(folder))


def truth_of_record(record: VideoRecord) -> VideoTruth:
    """Describe the truth of a record.

    Raises:
        DatasetError: the truth is held back.
    """
    if record.masks is None:
        raise DatasetError(f"the truth about {record.name} is held back; write a submission for its server")
    names = record.frame_names
    indices = range(len(names)) if record.annotated_frames is None else record.annotated_frames
    labels = masks = None
    if isinstance(record.masks, LabelFolder):
        labels = LabelFiles(record.masks.folder)
    else:
        masks = RecordMasks(record.masks, {names[index]: index for index in indices})
    return VideoTruth(
        name=record.name,
        frames=tuple(names[index] for index in indices),
        labels=labels,
        masks=masks,
        object_ids=tuple(record.object_ids),
        objects=tuple(_describe(known, names) for known in record.objects),
        expressions=record.expressions,
        attributes=record.attributes,
    )


def _describe(known: ObjectInfo, names: Sequence[str]) -> TruthObject:
    return TruthObject(
        id=known.id,
        category=known.category,
        is_seen=known.is_seen,
        first_frame=None if known.first_frame is None else names[known.first_frame],
        frames=None if known.frames is None else tuple(names[index] for index in known.frames),
    )
