"""JHMDB-Sentences: one expression about the actor of each clip of JHMDB; test only (data sets, section 7).

    ROOT/Rename_Images/ACTION/VIDEO/00001.png
    ROOT/puppet_mask/ACTION/VIDEO/puppet_mask.mat      part_mask, uint8 [H, W, T]
    ROOT/jhmdb_annotation.txt                          video_id,query

Results are reported on three frames a video, drawn once by the authors of MTTR; their list comes with this
package (2,784 samples). Frames beyond the T of the masks are not used.
"""

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import numpy as np
from jaxtyping import Bool

from deixis.errors import DatasetError, MissingSplitError, UnknownNameError

from .check import Finding
from .readers import ImageFolder
from .records import Expression, ObjectInfo, VideoRecord
from .tables import read_rows

SPLITS = ("test",)

ACTOR = 1
"""Id of the one object of a video."""

_BROKEN = (OSError, ValueError, TypeError, LookupError, NotImplementedError, zlib.error)
_Content = TypeVar("_Content")

_LIST = Path(__file__).with_name("jhmdb_sampled_frames.csv")


@dataclass(frozen=True)
class PuppetMasks:
    """Masks of the one actor of a video, ``part_mask`` of a MATLAB file."""

    path: Path

    def read(self, indices: Sequence[int], object_ids: Sequence[int]) -> Bool[np.ndarray, "n t H W"]:
        """Return the masks at ``indices``; all False of any other object than the actor.

        Raises:
            DatasetError: the file is missing or unreadable, or has no mask of a frame.
        """
        masks = _load(self.path)  # H W T
        if len(indices) and max(indices) >= masks.shape[2]:
            raise DatasetError(f"{self.path} has {masks.shape[2]} masks, none of frame {max(indices) + 1}")
        found = np.zeros((len(object_ids), len(indices), *masks.shape[:2]), bool)
        for position, identity in enumerate(object_ids):
            if identity == ACTOR:
                found[position] = masks[:, :, list(indices)].transpose(2, 0, 1) != 0
        return found

    def num_masks(self) -> int:
        """Return for how many frames there are masks, without reading them.

        Raises:
            DatasetError: the file is missing or unreadable.
        """
        from scipy.io import whosmat

        shapes = {name: shape for name, shape, _ in _guarded(self.path, whosmat)}
        shape = shapes.get("part_mask", ())
        if len(shape) not in (2, 3):
            raise DatasetError(f"{self.path} has no part_mask of three axes; unpack puppet_mask again")
        # MATLAB drops a last axis of one.
        return int(shape[2]) if len(shape) == 3 else 1


def records(root: str | Path, split: str = "test") -> list[VideoRecord]:
    """Return the videos, in the order of the table of expressions.

    Frames are named as their files, from ``00001``, as many as have masks. ``annotated_frames`` are the three
    of the list; of videos that it does not know, all. The object has the id 1 and its action as category.

    Raises:
        UnknownNameError: there is no such split.
        MissingSplitError: the table of expressions is not there.
        DatasetError: files are missing or malformed.
    """
    root = Path(root)
    if split not in SPLITS:
        raise UnknownNameError("split of jhmdb-sentences", split, SPLITS)
    table = root / "jhmdb_annotation.txt"
    if not table.is_file():
        raise MissingSplitError(
            f"there is no {table}; give the folder that holds it, Rename_Images/ and puppet_mask/"
        )
    actions, sampled = _actions(root / "puppet_mask"), sampled_frames()
    found = []
    for name, texts in _read_queries(table).items():
        if name not in actions:
            raise DatasetError(f"{root / 'puppet_mask'} has no video {name} of {table}; unpack it again")
        action = actions[name]
        masks = PuppetMasks(root / "puppet_mask" / action / name / "puppet_mask.mat")
        num_masks, frames = sampled[name] if name in sampled else (masks.num_masks(), None)
        stems = tuple(f"{number:05d}" for number in range(1, num_masks + 1))
        found.append(
            VideoRecord(
                name=name,
                frame_names=stems,
                frames=ImageFolder(root / "Rename_Images" / action / name, stems),
                expressions=tuple(Expression(str(n), text, (ACTOR,)) for n, text in enumerate(texts)),
                object_ids=(ACTOR,),
                masks=masks,
                annotated_frames=None if frames is None else tuple(sorted(n - 1 for n in frames)),
                objects=(ObjectInfo(ACTOR, action),),
            )
        )
    return found


def findings(record: VideoRecord) -> Iterator[Finding]:
    """Yield a video whose masks are not as many as the published list says, or that it does not know."""
    published = sampled_frames().get(record.name)
    if published is None:
        message = "is not in the published list of frames; all of its frames are annotated"
        yield Finding(record.name, message, is_known=True)
        return
    assert isinstance(record.masks, PuppetMasks)
    try:
        num_masks = record.masks.num_masks()
    except DatasetError:
        return  # the masks were read before, and that was reported
    if num_masks != published[0]:
        yield Finding(record.name, f"has {num_masks} masks, the published list says {published[0]}")


@lru_cache(maxsize=1)
def sampled_frames() -> dict[str, tuple[int, tuple[int, ...]]]:
    """Return video -> how many frames have masks, and the numbers (from 1) of the three that are scored."""
    lines = _LIST.read_text(encoding="utf-8").splitlines()
    rows = (line.split(",") for line in lines if not line.startswith("#"))
    return {name: (int(count), tuple(map(int, frames))) for name, count, *frames in rows}


def _actions(folder: Path) -> dict[str, str]:
    """Return video -> action, from the folders of the masks."""
    try:
        actions = sorted(entry for entry in folder.iterdir() if entry.is_dir())
        return {video.name: action.name for action in actions for video in action.iterdir()}
    except OSError as error:
        raise DatasetError(f"cannot list {folder}: {error}; unpack puppet_mask there") from error


def _read_queries(path: Path) -> dict[str, list[str]]:
    rows = read_rows(path)
    _, header = next(rows, (0, []))
    if [column.strip() for column in header] != ["video_id", "query"]:
        raise DatasetError(f"{path} does not start with video_id,query; it is not JHMDB-Sentences")
    queries: dict[str, list[str]] = {}
    for number, row in rows:
        if len(row) != 2:
            raise DatasetError(f"line {number} of {path} has {len(row)} columns, not 2: {row}")
        queries.setdefault(row[0].strip(), []).append(row[1])
    return queries


@lru_cache(maxsize=2)
def _load(path: Path) -> np.ndarray:
    from scipy.io import loadmat

    content = _guarded(path, lambda name: loadmat(name, variable_names=["part_mask"]))
    masks = content.get("part_mask")
    if not isinstance(masks, np.ndarray) or masks.ndim not in (2, 3):
        raise DatasetError(f"{path} has no part_mask of three axes; unpack puppet_mask again")
    return masks[:, :, None] if masks.ndim == 2 else masks


def _guarded(path: Path, read: Callable[[str], _Content]) -> _Content:
    """Call ``read`` on a file; what broken files make it raise becomes one kind of error."""
    from scipy.io.matlab import MatReadError

    try:
        return read(str(path))
    except FileNotFoundError as error:
        raise DatasetError(f"there are no masks {path}: is the data set unpacked in full?") from error
    except (*_BROKEN, MatReadError) as error:
        raise DatasetError(f"cannot read the masks {path}: {error!r}; unpack the data set again") from error
