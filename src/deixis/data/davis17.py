"""DAVIS 2017: objects to follow, with the masks of 2017 or those of 2019 (data sets, section 4).

    ROOT/DAVIS/JPEGImages/480p/VIDEO/FRAME.jpg
    ROOT/DAVIS/Annotations/480p/VIDEO/FRAME.png                 the masks of 2017 (semi-supervised)
    ROOT/DAVIS/Annotations_unsupervised/480p/VIDEO/FRAME.png    the masks of 2019, 255 is void
    ROOT/DAVIS/ImageSets/2017/{train,val,test-dev}.txt
    ROOT/DAVIS/davis_semantics.json                             categories, where that archive is unpacked

``DAVIS/`` may also be the root itself, and the images may lie under ``1080p`` or ``Full-Resolution`` or right
under ``JPEGImages``. ``test`` (the set ``test-dev``) has masks of its first frames only. The two sets of
masks have other objects and other ids in some videos.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from deixis.errors import DatasetError, MissingSplitError, UnknownNameError

from .check import Finding
from .folders import find_child, list_stems
from .meta_expressions import read_json
from .readers import IMAGE_SUFFIXES, ImageFolder, LabelFolder, read_label_map
from .records import ObjectInfo, VideoRecord

SPLITS = ("train", "val", "test")
LISTS = {"train": "train", "val": "val", "test": "test-dev"}

_KINDS = {"2017": "Annotations", "2019": "Annotations_unsupervised"}


def records(root: str | Path, split: str = "val") -> list[VideoRecord]:
    """Return the videos of a split with the masks of 2017. There are no expressions.

    The objects are those of the official evaluation: 1 to the highest id of the first frame. Those that the
    first frame has begin there.

    Raises:
        UnknownNameError: there is no such split.
        MissingSplitError: it is not there.
        DatasetError: files are missing or malformed.
    """
    return _records(Path(root), split, "2017")


def unsupervised_records(root: str | Path, split: str = "val") -> list[VideoRecord]:
    """Return the videos of a split with the masks of 2019, made for the unsupervised challenge.

    ``record.masks.read(indices, (255,))`` gives what is void.

    Raises:
        UnknownNameError: there is no such split.
        MissingSplitError: it is not there.
        DatasetError: files are missing or malformed.
    """
    return _records(Path(root), split, "2019")


def findings(record: VideoRecord) -> Iterator[Finding]:
    """Yield where the first masks of 2017 and 2019 disagree, in videos that have both."""
    if not isinstance(record.masks, LabelFolder):
        return
    paths = both_masks(record)
    if len(paths) < len(_KINDS):
        return
    old, new = (read_label_map(path) for path in paths)
    if old.shape != new.shape:
        yield Finding(record.name, f"the masks of 2017 are {old.shape}, those of 2019 {new.shape}")
        return
    ids = [sorted(set(np.unique(labels).tolist()) - {0, 255}) for labels in (old, new)]
    if ids[0] != ids[1]:
        yield Finding(
            record.name, f"objects {ids[0]} in the masks of 2017, {ids[1]} in those of 2019", is_known=True
        )
    for identity in sorted(set(ids[0]) & set(ids[1])):
        one, other = old == identity, new == identity
        overlap = (one & other).sum() / (one | other).sum()
        if overlap < 0.5:
            yield Finding(
                record.name,
                f"object {identity} of 2017 and that of 2019 have an IoU of {overlap:.2f} in the first frame",
                is_known=True,
            )


def find_base(root: Path) -> Path:
    """Return the folder that holds ``ImageSets``: ``root`` or ``root/DAVIS``.

    Raises:
        MissingSplitError: neither does.
    """
    for base in (root / "DAVIS", root):
        if (base / "ImageSets").is_dir():
            return base
    raise MissingSplitError(f"{root} has no DAVIS/ImageSets; unpack the DAVIS archive there")


def read_names(path: Path) -> list[str]:
    """Return the names of a list of sequences, one a line.

    Raises:
        MissingSplitError: the list is not there.
        DatasetError: it is unreadable or has a name twice.
    """
    try:
        names = path.read_text(encoding="utf-8").split()
    except FileNotFoundError as error:
        raise MissingSplitError(f"there is no {path}; unpack the DAVIS archive with that split") from error
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"cannot read {path}: {error}; unpack the DAVIS archive again") from error
    if len(set(names)) != len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise DatasetError(f"{path} lists {', '.join(twice)} more than once")
    return names


def list_frames(base: Path, name: str, kind: str = "Annotations") -> tuple[Path, tuple[str, ...]]:
    """Return the folder of a sequence's images and the names of its frames.

    A frame that only the masks of ``kind`` have is named too, so that a check can tell that it is missing.

    Raises:
        DatasetError: there are no images.
    """
    folder = find_child(base, "JPEGImages", name)
    stems = list_stems(folder, IMAGE_SUFFIXES)
    if not stems:
        raise DatasetError(f"there are no images {folder}; unpack the DAVIS archive into {base} again")
    return folder, tuple(sorted({*stems, *list_stems(find_child(base, kind, name), (".png",))}))


def both_masks(record: VideoRecord) -> list[Path]:
    """Return the label maps of the first frame, of 2017 and 2019, as far as they are there."""
    assert isinstance(record.frames, ImageFolder)
    folder = record.frames.folder
    base = next((parent.parent for parent in folder.parents if parent.name == "JPEGImages"), folder)
    paths = [find_child(base, kind, record.name) / f"{record.frame_names[0]}.png" for kind in _KINDS.values()]
    return [path for path in paths if path.is_file()]


def _records(root: Path, split: str, year: str) -> list[VideoRecord]:
    if split not in SPLITS:
        raise UnknownNameError("split of davis17", split, SPLITS)
    base = find_base(root)
    names = read_names(base / "ImageSets" / "2017" / f"{LISTS[split]}.txt")
    kind = _KINDS[year]
    if not (base / kind).is_dir():
        raise MissingSplitError(f"there is no {base / kind}; unpack the archive with the masks of {year}")
    semantics = _read_semantics(base)
    annotated = (0,) if split == "test" else None
    return [_make_record(base, name, kind, semantics.get(name, {}), annotated) for name in names]


def _make_record(
    base: Path, name: str, kind: str, categories: Mapping[str, Any], annotated: tuple[int, ...] | None
) -> VideoRecord:
    pictures, stems = list_frames(base, name, kind)
    masks = LabelFolder(find_child(base, kind, name), stems)
    # A missing first mask is left to be found by a check, or when it is read.
    shown = masks.ids(0) if masks.path(0).is_file() else ()
    infos = tuple(
        ObjectInfo(
            identity, str(categories.get(str(identity), "")), first_frame=0 if identity in shown else None
        )
        for identity in range(1, max(shown, default=0) + 1)
    )
    return VideoRecord(
        name=name,
        frame_names=stems,
        frames=ImageFolder(pictures, stems),
        expressions=(),
        object_ids=tuple(info.id for info in infos),
        masks=masks,
        annotated_frames=annotated,
        objects=infos,
    )


def _read_semantics(base: Path) -> Mapping[str, Mapping[str, Any]]:
    places = [base / "davis_semantics.json", base.parent / "davis_semantics.json"]
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        return {}
    content = read_json(path)
    if not isinstance(content, dict) or not all(isinstance(value, dict) for value in content.values()):
        raise DatasetError(f"{path} is not the table of categories of DAVIS; unpack it again")
    return content
