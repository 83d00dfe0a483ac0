"""Ref-YouTube-VOS: expressions about the videos of YouTube-VOS 2019 (data sets, section 1).

    ROOT/meta_expressions/{train,valid,test}/meta_expressions.json
    ROOT/{train,valid,test}/JPEGImages/VIDEO/FRAME.jpg
    ROOT/{train,valid}/Annotations/VIDEO/FRAME.png      palette, value = object id
    ROOT/train/meta.json                                all annotated objects

Also read: folders called ``val``, images and masks one folder deeper under ``480p``, and
``ROOT/train/meta_expressions.json``.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deixis.data.meta_expressions import make_record, read_json, read_videos
from deixis.data.records import VideoRecord
from deixis.errors import DatasetError, MissingSplitError, UnknownNameError

SPLITS = ("train", "val", "test")
_FOLDERS = {"train": ("train",), "val": ("valid", "val"), "test": ("test", "valid", "val")}


def records(root: str | Path, split: str = "val") -> list[VideoRecord]:
    """Return the videos of a split, in the order of its metadata.

    ``val`` is what the field evaluates on: the videos of the ``valid`` metadata that the ``test`` metadata
    lacks, or, where there is no ``test`` metadata any more, those with a folder of images.

    Raises:
        UnknownNameError: there is no such split.
        DatasetError: files are missing or malformed.
    """
    root = Path(root)
    if split not in SPLITS:
        raise UnknownNameError("split of ref-youtube-vos", split, SPLITS)
    bases = [root / name for name in _FOLDERS[split] if (root / name / "JPEGImages").is_dir()]
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
        found.append(
            make_record(
                name,
                video,
                frames=find_child(base, "JPEGImages", name),
                masks=masks if masks.is_dir() else None,
                object_ids=objects.get(name),
            )
        )
    return found


def find_child(base: Path, kind: str, video: str) -> Path:
    """Return the folder of a video's images or masks (``kind``), under ``480p`` where that exists."""
    deeper = base / kind / "480p" / video
    return deeper if deeper.is_dir() else base / kind / video


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


def _annotated_objects(bases: Sequence[Path]) -> dict[str, list[int]]:
    """Return the ids of all annotated objects of each video, where the data set tells them."""
    path = next((base / "meta.json" for base in bases if (base / "meta.json").is_file()), None)
    if path is None:
        return {}
    try:
        return {name: [int(i) for i in video["objects"]] for name, video in read_json(path)["videos"].items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DatasetError(f"{path} is not the meta.json of YouTube-VOS: {error!r}") from error
