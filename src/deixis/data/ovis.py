"""OVIS: objects that hide one another, in the form of YouTube-VIS (data sets, section 11).

    ROOT/{train,valid,test}/VIDEO/img_0000001.jpg
    ROOT/annotations_{train,valid,test}.json        videos, categories, run lengths by object and frame

Only ``train`` has masks. Also read: folders and files called ``val``, and JSON files under ``annotations/``.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deixis.errors import DatasetError, MissingSplitError, UnknownNameError

from .folders import find_folder
from .meta_expressions import read_json
from .readers import ImageFolder
from .records import ObjectInfo, VideoRecord
from .run_lengths import RleMasks

SPLITS = ("train", "val", "test")
_FOLDERS = {"train": ("train",), "val": ("valid", "val"), "test": ("test",)}


def records(root: str | Path, split: str = "train") -> list[VideoRecord]:
    """Return the videos of a split, in the order of its metadata. There are no expressions.

    Object ids are those of the annotations, unique over the whole data set.

    Raises:
        UnknownNameError: there is no such split.
        MissingSplitError: it is not there.
        DatasetError: files are missing or malformed.
    """
    root = Path(root)
    if split not in SPLITS:
        raise UnknownNameError("split of ovis", split, SPLITS)
    path = _meta_path(root, split)
    base = find_folder(root, _FOLDERS[split])
    if not path.is_file() and base is None:
        raise MissingSplitError(f"{root} has no {path.name} and no {_FOLDERS[split][0]}/; unpack that split")
    content = read_json(path)
    base = root / _FOLDERS[split][0] if base is None else base
    try:
        categories = {int(one["id"]): str(one["name"]) for one in content["categories"]}
        of_video = defaultdict(list)
        for annotation in content.get("annotations") or ():
            of_video[int(annotation["video_id"])].append(annotation)
        videos = content["videos"]
        known = {int(video["id"]) for video in videos}
        if strangers := sorted(of_video.keys() - known):
            raise DatasetError(f"{path} has annotations of videos that it does not list: {strangers[:10]}")
        return [_make_record(base, path, one, of_video[int(one["id"])], categories) for one in videos]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DatasetError(f"{path} is not in the form of YouTube-VIS: {error!r}") from error


def _make_record(
    base: Path,
    meta: Path,
    video: Mapping[str, Any],
    annotations: Sequence[Mapping[str, Any]],
    categories: Mapping[int, str],
) -> VideoRecord:
    files = [Path(name) for name in video["file_names"]]
    folders = {file.parent for file in files}
    if len(folders) != 1:
        raise DatasetError(
            f"{meta}: the frames of video {video['id']} lie in {len(folders)} folders, not in one"
        )
    stems = tuple(file.stem for file in files)
    name = folders.pop()
    tracks = {}
    for annotation in annotations:
        identity, track = int(annotation["id"]), annotation["segmentations"]
        if identity in tracks:
            raise DatasetError(f"{meta} has the annotation {identity} twice")
        if len(track) != len(stems):
            raise DatasetError(
                f"{meta}: annotation {identity} has {len(track)} masks, its video {name} {len(stems)} frames"
            )
        tracks[identity] = track
    size = (int(video["height"]), int(video["width"]))
    return VideoRecord(
        name=str(name),
        frame_names=stems,
        frames=ImageFolder(base / name, stems),
        expressions=(),
        object_ids=tuple(tracks),
        masks=RleMasks(str(meta), size, tracks) if tracks else None,
        size=size,
        objects=tuple(
            ObjectInfo(int(one["id"]), categories.get(int(one["category_id"]), "")) for one in annotations
        ),
    )


def _meta_path(root: Path, split: str) -> Path:
    """Return the metadata file of a split: the first that exists, else where it should be."""
    names = [f"annotations_{name}.json" for name in _FOLDERS[split]]
    places = [folder / name for name in names for folder in (root, root / "annotations")]
    return next((path for path in places if path.is_file()), places[0])
