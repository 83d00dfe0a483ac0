"""Ref-YouTube-VOS: expressions about the videos of YouTube-VOS 2019 (data sets, section 1).

    ROOT/meta_expressions/{train,valid,test}/meta_expressions.json
    ROOT/{train,valid,test}/JPEGImages/VIDEO/FRAME.jpg
    ROOT/{train,valid}/Annotations/VIDEO/FRAME.png      palette, value = object id
    ROOT/train/meta.json                                all annotated objects

Also read: folders called ``val``, images and masks one folder deeper under ``480p``,
``ROOT/train/meta_expressions.json``, and masks by expression, ``Annotations/VIDEO/EXPRESSION/FRAME.png`` (0
and 255), for a split whose metadata does not tell the objects.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from deixis.errors import MissingSplitError, UnknownNameError

from .check import Finding
from .folders import find_child, list_stems, unlisted_folders
from .meta_expressions import make_record, read_videos
from .readers import MaskFolders
from .records import ObjectInfo, VideoRecord
from .youtube_vos import read_objects

SPLITS = ("train", "val", "test")
_FOLDERS = {"train": ("train",), "val": ("valid", "val"), "test": ("test", "valid", "val")}


def records(root: str | Path, split: str = "val") -> list[VideoRecord]:
    """Return the videos of a split, in the order of its metadata.

    ``val`` is what the field evaluates on: the videos of the ``valid`` metadata that the ``test`` metadata
    lacks, or, where there is no ``test`` metadata any more, those with a folder of images. Where the masks of
    ``val`` are there, only the frames that have them are annotated.

    Raises:
        UnknownNameError: there is no such split.
        MissingSplitError: it is not there.
        DatasetError: files are missing or malformed.
    """
    root = Path(root)
    if split not in SPLITS:
        raise UnknownNameError("split of ref-youtube-vos", split, SPLITS)
    bases = _bases(root, split)
    if not bases:
        raise MissingSplitError(
            f"{root} has no {_FOLDERS[split][0]}/JPEGImages; "
            "give the folder that holds meta_expressions/ and train/"
        )
    meta = _meta_path(root, split)
    if split == "test" and not meta.is_file():
        raise MissingSplitError(f"there is no {meta}; the metadata of test is not distributed any more")
    videos = read_videos(meta)
    if split == "val":
        videos = _without_test(root, videos, bases)
    objects = _annotated_objects(bases)
    found = []
    for name, video in videos.items():
        base = next((base for base in bases if find_child(base, "JPEGImages", name).is_dir()), bases[0])
        masks = find_child(base, "Annotations", name)
        of_video = objects.get(name)
        record = make_record(
            name,
            video,
            frames=find_child(base, "JPEGImages", name),
            masks=masks if masks.is_dir() else None,
            object_ids=of_video,
        )
        infos = tuple(
            ObjectInfo(identity, str(told.get("category", "")))
            for identity, told in sorted((of_video or {}).items())
        )
        record = replace(record, objects=infos)
        found.append(record if split == "train" else _with_late_truth(record, masks))
    return found


def findings(record: VideoRecord) -> Iterator[Finding]:
    """Yield that only some frames can be scored."""
    if record.annotated_frames is not None:
        told = f"{len(record.annotated_frames)} of {len(record.frame_names)} frames have masks"
        yield Finding(record.name, told, is_known=True)


def split_findings(root: Path, split: str, records: Sequence[VideoRecord]) -> Iterator[Finding]:
    """Yield folders that the metadata does not know, and how many objects have no expression."""
    known = {record.name for record in records}
    for name in () if split == "train" else ("test", "val"):
        path = _meta_path(root, name)
        known |= set(read_videos(path)) if path.is_file() else set()
    for base in _bases(root, split):
        yield from unlisted_folders(base / "JPEGImages", known)
    named = [{i for one in record.expressions for i in one.object_ids} for record in records]
    silent = sum(len(set(record.object_ids) - ids) for record, ids in zip(records, named, strict=True))
    if silent:
        yield Finding("", f"{silent} objects have no expression", is_known=True)


def _with_late_truth(record: VideoRecord, masks: Path) -> VideoRecord:
    """Return a record of ``val`` with the masks that were published long after it, where they are there."""
    if record.masks is not None:
        shown = set(list_stems(masks, (".png",)))
    else:
        keys = {number: one.id for number, one in enumerate(record.expressions, start=1)}
        if not keys or not all((masks / key).is_dir() for key in keys.values()):
            return record
        shown = set(list_stems(masks / keys[1], (".png",)))
        record = replace(
            record,
            expressions=tuple(
                replace(one, object_ids=(number,)) for number, one in enumerate(record.expressions, start=1)
            ),
            object_ids=tuple(keys),
            masks=MaskFolders(masks, record.frame_names, keys),
        )
    annotated = tuple(index for index, name in enumerate(record.frame_names) if name in shown)
    if len(annotated) in (0, len(record.frame_names)):
        return record
    return replace(record, annotated_frames=annotated)


def _bases(root: Path, split: str) -> list[Path]:
    return [root / name for name in _FOLDERS[split] if (root / name / "JPEGImages").is_dir()]


def _without_test(root: Path, videos: dict[str, Any], bases: Sequence[Path]) -> dict[str, Any]:
    path = _meta_path(root, "test")
    if path.is_file():
        test = read_videos(path)
        return {name: video for name, video in videos.items() if name not in test}
    return {
        name: video
        for name, video in videos.items()
        if any(find_child(base, "JPEGImages", name).is_dir() for base in bases)
    }


def _meta_path(root: Path, split: str) -> Path:
    """Return the metadata file of a split: the first that exists, else where it should be."""
    names = ("test",) if split == "test" else _FOLDERS[split]
    places = [root / "meta_expressions" / name / "meta_expressions.json" for name in names]
    places += [root / name / "meta_expressions.json" for name in names]
    return next((path for path in places if path.is_file()), places[0])


def _annotated_objects(bases: Sequence[Path]) -> dict[str, dict[int, dict[str, Any]]]:
    """Return video -> id -> what is told of every annotated object, where the data set tells it."""
    path = next((base / "meta.json" for base in bases if (base / "meta.json").is_file()), None)
    return {} if path is None else read_objects(path)
