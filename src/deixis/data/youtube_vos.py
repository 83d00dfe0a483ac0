"""YouTube-VOS 2018 and 2019: objects to follow from their first mask on (data sets, section 2).

    ROOT/{train,valid,test}/JPEGImages/VIDEO/FRAME.jpg
    ROOT/{train,valid,test}/Annotations/VIDEO/FRAME.png     palette, value = object id
    ROOT/{train,valid,test}/meta.json                       category and frames of each object

``valid`` and ``test`` have the masks of an object in its first frame only; objects may begin later than the
video. Also read: folders called ``val``; ``valid`` without ``meta.json``, as some mirrors have it (objects
are then found in the masks, and nothing tells their categories). The two releases differ in masks and ids:
never mix them. The 30 frames a second of ``*_all_frames.zip`` are not read.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from deixis.errors import DatasetError

from .check import Finding
from .folders import find_child, find_folder, find_split, list_stems, unlisted_folders
from .meta_expressions import read_json
from .readers import IMAGE_SUFFIXES, ImageFolder, LabelFolder
from .records import ObjectInfo, VideoRecord

FOLDERS = {"train": ("train",), "val": ("valid", "val"), "test": ("test",)}

_SEEN = (
    "airplane ape bear bike bird boat bucket bus camel cat cow crocodile deer dog dolphin duck eagle "
    "earless_seal elephant fish fox frisbee frog giant_panda giraffe hand hat hedgehog horse knife leopard "
    "lion lizard monkey motorbike mouse others owl paddle parachute parrot penguin person plant rabbit "
    "raccoon sedan shark sheep sign skateboard snail snake snowboard squirrel surfboard tennis_racket tiger "
    "toilet train truck turtle umbrella whale zebra"
)
SEEN_CATEGORIES = frozenset(_SEEN.split())
"""The 65 categories of ``train`` (metrics, section 7); all others are unseen."""


def records(root: str | Path, split: str = "val") -> list[VideoRecord]:
    """Return the videos of a split, in the order of its metadata. There are no expressions.

    ``objects`` has the category of each object, whether ``train`` has that category, its first frame and the
    frames that the metadata lists. ``annotated_frames`` of ``val`` and ``test`` are the frames with masks.

    Raises:
        UnknownNameError: there is no such split.
        MissingSplitError: its folder is not there.
        DatasetError: files are missing or malformed.
    """
    root = Path(root)
    base = find_split(root, "youtube-vos", split, FOLDERS)
    meta = base / "meta.json"
    if not meta.is_file():
        if split == "train":
            raise DatasetError(f"there is no {meta}; unpack the archive of train again")
        return [_rebuilt_record(base, name) for name in _folder_names(base / "JPEGImages")]
    seen = _seen_categories(root)
    is_sparse = split != "train"
    return [
        _make_record(base, name, objects, seen, is_sparse) for name, objects in read_objects(meta).items()
    ]


def split_findings(root: Path, split: str, records: Sequence[VideoRecord]) -> Iterator[Finding]:
    """Yield folders that the metadata does not know, and objects that nothing classifies."""
    base = find_folder(root, FOLDERS[split])
    if base is None:
        return
    if not (base / "meta.json").is_file():
        yield Finding("", f"there is no {base / 'meta.json'}: nothing tells seen from unseen categories")
    yield from unlisted_folders(base / "JPEGImages", {record.name for record in records})


def read_objects(path: Path) -> dict[str, dict[int, dict[str, Any]]]:
    """Return video -> object id -> what ``meta.json`` says of it (``category``, ``frames``).

    Raises:
        DatasetError: the file is missing, malformed or of another data set.
    """
    try:
        return {
            name: {int(identity): dict(told) for identity, told in video["objects"].items()}
            for name, video in read_json(path)["videos"].items()
        }
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DatasetError(f"{path} is not the meta.json of YouTube-VOS: {error!r}") from error


def _make_record(
    base: Path, name: str, objects: dict[int, dict[str, Any]], seen: frozenset[str], is_sparse: bool
) -> VideoRecord:
    pictures, labels = find_child(base, "JPEGImages", name), find_child(base, "Annotations", name)
    listed = {str(stem) for told in objects.values() for stem in told.get("frames", ())}
    # A frame that only the metadata knows is kept, so that a check can name it.
    stems = tuple(sorted(listed.union(list_stems(pictures, IMAGE_SUFFIXES))))
    places = {stem: index for index, stem in enumerate(stems)}
    infos = []
    for identity, told in sorted(objects.items()):
        frames = tuple(sorted(places[str(stem)] for stem in told.get("frames", ())))
        category = str(told.get("category", ""))
        infos.append(
            ObjectInfo(identity, category, category in seen, frames[0] if frames else None, frames or None)
        )
    annotated = None
    if is_sparse:
        first = {info.first_frame for info in infos if info.first_frame is not None}
        annotated = first.union(places[stem] for stem in list_stems(labels, (".png",)) if stem in places)
    return _record(name, stems, pictures, labels, annotated, tuple(infos))


def _rebuilt_record(base: Path, name: str) -> VideoRecord:
    """Build a record without metadata: an object starts in the first mask that has it."""
    pictures, labels = find_child(base, "JPEGImages", name), find_child(base, "Annotations", name)
    stems = list_stems(pictures, IMAGE_SUFFIXES)
    reader = LabelFolder(labels, stems)
    masked = set(list_stems(labels, (".png",)))
    annotated = {index for index, stem in enumerate(stems) if stem in masked}
    first: dict[int, int] = {}
    for index in sorted(annotated):
        for identity in reader.ids(index):
            first.setdefault(identity, index)
    infos = tuple(ObjectInfo(identity, first_frame=index) for identity, index in sorted(first.items()))
    return _record(name, stems, pictures, labels, annotated, infos)


def _record(
    name: str,
    stems: tuple[str, ...],
    pictures: Path,
    labels: Path,
    annotated: set[int] | None,
    objects: tuple[ObjectInfo, ...],
) -> VideoRecord:
    is_full = annotated is None or len(annotated) == len(stems)
    return VideoRecord(
        name=name,
        frame_names=stems,
        frames=ImageFolder(pictures, stems),
        expressions=(),
        object_ids=tuple(info.id for info in objects),
        masks=LabelFolder(labels, stems),
        annotated_frames=None if is_full else tuple(sorted(annotated or ())),
        objects=objects,
    )


def _seen_categories(root: Path) -> frozenset[str]:
    """Return the categories of ``train``: those of its metadata, or the published ones without it."""
    path = root / "train" / "meta.json"
    if not path.is_file():
        return SEEN_CATEGORIES
    videos = read_objects(path).values()
    return frozenset(str(told.get("category", "")) for objects in videos for told in objects.values())


def _folder_names(parent: Path) -> list[str]:
    return sorted(entry.name for entry in parent.iterdir() if entry.is_dir())
