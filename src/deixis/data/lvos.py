"""LVOS V1 and V2: long videos with few objects, some of which begin late (data sets, section 12).

    ROOT/{train,valid,test}/JPEGImages/VIDEO/00000001.jpg
    ROOT/{train,valid,test}/Annotations/VIDEO/00000001.png      palette, value = object id
    ROOT/valid/valid_meta.json                  or ROOT/meta_jsons/valid_meta.json: frames of each object
    ROOT/valid/valid_expression_meta.json       one expression an object, where it is there (V1)
    ROOT/unseen_videos.txt                      videos of unseen categories, from the evaluation toolkit

Also read: folders and files called ``val``. Frames are 5 apart. ``valid`` has masks of all frames; a method
that follows objects is given each object's mask in its first frame only.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from deixis.errors import DatasetError

from .check import Finding
from .folders import find_child, find_folder, find_split, list_stems, unlisted_folders
from .meta_expressions import read_json
from .readers import IMAGE_SUFFIXES, ImageFolder, LabelFolder
from .records import Expression, ObjectInfo, VideoRecord

_FOLDERS = {"train": ("train",), "val": ("valid", "val"), "test": ("test",)}

_UNSEEN = "unseen_videos.txt"

_FLAWED = {"3Zf4NFzn": "00000526", "7K7WVzGG": "00001666"}
"""Masks of V2 that users report to be wrong."""


def records(root: str | Path, split: str = "val") -> list[VideoRecord]:
    """Return the videos of a split, in the order of its metadata.

    ``objects`` has the first frame of each object and the frames of its range. ``is_seen`` is told where the
    list of unseen videos is there. Expressions have the id of their object.

    Raises:
        UnknownNameError: there is no such split.
        MissingSplitError: it is not there.
        DatasetError: files are missing or malformed.
    """
    root = Path(root)
    base = find_split(root, "lvos", split, _FOLDERS)
    path = _meta_path(root, base, split, "meta")
    videos = _read_videos(path)
    texts = _meta_path(root, base, split, "expression_meta")
    captions = _read_videos(texts) if texts.is_file() else {}
    unseen = _read_unseen(root)
    return [
        _make_record(
            base, name, objects, captions.get(name, {}), None if unseen is None else name not in unseen
        )
        for name, objects in videos.items()
    ]


def findings(record: VideoRecord) -> Iterator[Finding]:
    """Yield masks that are known to be wrong."""
    flawed = _FLAWED.get(record.name)
    if flawed in record.frame_names:
        yield Finding(
            record.name, f"the masks of frame {flawed} are reported to be wrong in V2", is_known=True
        )


def split_findings(root: Path, split: str, records: Sequence[VideoRecord]) -> Iterator[Finding]:
    """Yield objects whose number of frames is not that of the metadata, and folders that it does not know."""
    base = find_folder(root, _FOLDERS[split])
    if base is None:
        return
    if not (root / _UNSEEN).is_file():
        told = f"there is no {root / _UNSEEN}: nothing tells seen from unseen videos"
        yield Finding("", told, is_known=True)
    videos = _read_videos(_meta_path(root, base, split, "meta"))
    for record in records:
        for info in record.objects:
            stated = _range_of(record.name, info.id, videos[record.name][info.id]).get("frame_nums")
            found = len(info.frames or ())
            if stated is not None and int(stated) != found:
                yield Finding(
                    record.name,
                    f"object {info.id} has {found} frames in its range, the metadata says {stated}",
                )
    yield from unlisted_folders(base / "JPEGImages", {record.name for record in records})


def _make_record(
    base: Path,
    name: str,
    objects: Mapping[int, Mapping[str, Any]],
    captions: Mapping[int, Mapping[str, Any]],
    is_seen: bool | None,
) -> VideoRecord:
    pictures = find_child(base, "JPEGImages", name)
    labels = find_child(base, "Annotations", name)
    # A frame that only the masks have is kept, so that a check can tell that its image is missing.
    stems = tuple(sorted({*list_stems(pictures, IMAGE_SUFFIXES), *list_stems(labels, (".png",))}))
    infos = []
    for identity, told in sorted(objects.items()):
        frames = _frames(name, identity, told, stems)
        infos.append(ObjectInfo(identity, "", is_seen, frames[0] if frames else None, frames))
    return VideoRecord(
        name=name,
        frame_names=stems,
        frames=ImageFolder(pictures, stems),
        expressions=tuple(
            Expression(str(identity), str(told["caption"]), (identity,))
            for identity, told in sorted(captions.items())
            if told.get("caption")
        ),
        object_ids=tuple(info.id for info in infos),
        masks=LabelFolder(labels, stems) if labels.is_dir() else None,
        objects=tuple(infos),
    )


def _frames(video: str, identity: int, told: Mapping[str, Any], stems: Sequence[str]) -> range:
    """Return the indices of the frames of an object: from ``start`` to before ``end``."""
    span = _range_of(video, identity, told)
    return range(bisect_left(stems, span["start"]), bisect_left(stems, span["end"]))


def _range_of(video: str, identity: int, told: Mapping[str, Any]) -> Mapping[str, Any]:
    span = told.get("frame_range")
    if not isinstance(span, dict) or not all(isinstance(span.get(key), str) for key in ("start", "end")):
        raise DatasetError(
            f'object {identity} of video {video} has no "frame_range" with start and end in the meta of LVOS'
        )
    return span


def _meta_path(root: Path, base: Path, split: str, kind: str) -> Path:
    """Return the metadata file of a split: the first that exists, else where it should be."""
    places = [
        folder / f"{name}_{kind}.json"
        for name in _FOLDERS[split]
        for folder in (base, root / "meta_jsons", root)
    ]
    return next((path for path in places if path.is_file()), places[0])


def _read_videos(path: Path) -> dict[str, dict[int, dict[str, Any]]]:
    """Return video -> object id -> what the metadata says of it."""
    try:
        return {
            name: {int(identity): dict(told) for identity, told in video["objects"].items()}
            for name, video in read_json(path)["videos"].items()
        }
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DatasetError(f"{path} is not a meta.json of LVOS: {error!r}") from error


def _read_unseen(root: Path) -> frozenset[str] | None:
    path = root / _UNSEEN
    return frozenset(path.read_text(encoding="utf-8").split()) if path.is_file() else None
