"""COCO instances: the objects of COCO 2017 (or 2014), referred to by the names of their classes (section 10).

    ROOT/annotations/instances_{train,val}2017.json
    ROOT/{train,val}2017/000000000009.jpg

Images may also lie in ``ROOT/images/``. Where there are no files of 2017, those of 2014 are read.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from deixis.errors import MissingSplitError, UnknownNameError

from .coco_format import CocoIndex, CocoObject, read_index
from .images import ImageFile, LazyRecords, find_images
from .records import Expression, ObjectInfo, VideoRecord

SPLITS = ("train", "val")
_RELEASES = ("2017", "2014")


def records(root: str | Path, split: str = "val") -> Sequence[VideoRecord]:
    """Return the images of a split that have objects, in the order of the file.

    Objects outlined as groups (``iscrowd``) are left out. There is an expression for each class in an image:
    its name, which denotes all objects of the class; its id is that of the class.

    Raises:
        UnknownNameError: there is no such split.
        MissingSplitError: its annotations are not there.
        DatasetError: files are missing or malformed.
    """
    root = Path(root)
    if split not in SPLITS:
        raise UnknownNameError("split of coco", split, SPLITS)
    folders = (root / "annotations", root)
    places = [
        (release, folder / f"instances_{split}{release}.json") for release in _RELEASES for folder in folders
    ]
    release, path = next((place for place in places if place[1].is_file()), places[0])
    if not path.is_file():
        raise MissingSplitError(f"there is no {path}; annotations_trainval2017.zip of COCO holds it")
    images = find_images(root, (f"{split}{release}",), f"{split}{release}.zip of COCO")
    index = read_index(path, is_wanted=lambda told: not told.get("iscrowd", 0))
    by_image: dict[int, list[CocoObject]] = {}
    for told in index.objects.values():
        by_image.setdefault(told.image, []).append(told)
    kept = [(image, tuple(by_image[image])) for image in index.images if image in by_image]
    return LazyRecords(partial(_make_record, index, images), kept)


def _make_record(index: CocoIndex, images: Path, key: tuple[int, tuple[CocoObject, ...]]) -> VideoRecord:
    number, objects = key
    image = index.images[number]
    stem = Path(image.file_name).stem
    members: dict[int, list[int]] = {}
    for told in objects:
        members.setdefault(told.category, []).append(told.id)
    names = {category: index.categories.get(category, f"class {category}") for category in members}
    return VideoRecord(
        name=stem,
        frame_names=(stem,),
        frames=ImageFile(images / Path(image.file_name).name),
        expressions=tuple(
            Expression(str(category), names[category], tuple(ids)) for category, ids in members.items()
        ),
        object_ids=tuple(told.id for told in objects),
        masks=index.masks(number, [told.id for told in objects]),
        size=image.size,
        objects=tuple(ObjectInfo(told.id, names[told.category]) for told in objects),
    )
