"""FSS-1000: a thousand classes, ten images of each with a mask of the thing; for few-shot segmentation.

    ROOT/images/ab_wheel/1.jpg  1.png  ... 10.jpg  10.png     or in fewshot_data/, or in ROOT itself
    ROOT/splits/trn.txt  val.txt  test.txt                    classes, one a line; or in ROOT/../splits/fss/

or, as UniRef++ keeps it,

    ROOT/annotations/{train,val,test}.json
    ROOT/images/ab_wheel/1.jpg

A record is a class; its frames are images that have nothing else to do with one another. Masks are black and
white pictures: what is brighter than 127 is the thing. The examples of an image are the others of its class
in the order of their file names (1, 10, 2, 3, ...), as UniRef++ has it, whose files list them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from jaxtyping import Bool

from deixis.errors import DatasetError, MissingSplitError, UnknownNameError
from deixis.ops.png import decode_brightness

from .coco_format import CocoIndex, CocoMasks, read_index
from .folders import find_folder, list_stems
from .readers import ImageFolder
from .records import ObjectInfo, VideoRecord

SPLITS = ("train", "val", "test")
THING = 1
"""The id of the one object of an image."""

_LISTS = {"train": ("trn.txt", "train.txt"), "val": ("val.txt",), "test": ("test.txt", "fss_test_set.txt")}
_PLACES = ("splits", "splits/fss", ".", "../splits/fss")
_IMAGES = ("images", "fewshot_data/fewshot_data", "fewshot_data", ".")
_BRIGHT = 127


def records(root: str | Path, split: str = "val") -> list[VideoRecord]:
    """Return the classes of a split, in the order of their list or, of UniRef++'s files, of the images.

    Raises:
        UnknownNameError: there is no such split.
        MissingSplitError: neither its list of classes nor its annotations are there.
        DatasetError: files are missing or malformed.
    """
    root = Path(root)
    if split not in SPLITS:
        raise UnknownNameError("split of fss-1000", split, SPLITS)
    annotations = root / "annotations" / f"{split}.json"
    if annotations.is_file():
        return _read_json(root, annotations)
    paths = [root / place / name for place in _PLACES for name in _LISTS[split]]
    path = next((path for path in paths if path.is_file()), None)
    if path is None:
        raise MissingSplitError(
            f"nothing in {root} says which classes are {split}: put {paths[0].name}, a class a line, into "
            "its folder splits (github.com/juhongm999/hsnet has it in data/splits/fss)"
        )
    images = find_folder(root, _IMAGES)
    assert images is not None
    names = [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    lost = [name for name in names if not (images / name).is_dir()]
    if lost:
        raise DatasetError(f"{path} names {len(lost)} classes that {images} lacks, the first: {lost[0]}")
    return [_read_class(images / name) for name in names]


@dataclass(frozen=True)
class PictureMasks:
    """Masks ``folder/NAME.png`` as pictures in black and white, of id 1."""

    folder: Path
    names: tuple[str, ...]

    def path(self, index: int) -> Path:
        """Return the file of an image's mask, which may not exist."""
        return self.folder / f"{self.names[index]}.png"

    def read(self, indices: Sequence[int], object_ids: Sequence[int]) -> Bool[np.ndarray, "n t H W"]:
        """Return what is bright in the images at ``indices`` for id 1; other ids are all False.

        Raises:
            DatasetError: a mask is missing or unreadable, or the sizes differ.
        """
        return _of_ids(_stack([self._read(index) for index in indices], self.folder), object_ids)

    def _read(self, index: int) -> Bool[np.ndarray, "H W"]:
        path = self.path(index)
        try:
            return decode_brightness(path.read_bytes()) > _BRIGHT
        except (OSError, ValueError) as error:
            raise DatasetError(f"cannot read the mask {path}: {error}; unpack the data set again") from error


@dataclass(frozen=True)
class ListedMasks:
    """Masks of a class in UniRef++'s file: for each image a reader and the ids of its annotations."""

    images: tuple[tuple[CocoMasks, tuple[int, ...]], ...]

    def read(self, indices: Sequence[int], object_ids: Sequence[int]) -> Bool[np.ndarray, "n t H W"]:
        """Return the masks in the images at ``indices`` for id 1; other ids are all False.

        Raises:
            DatasetError: a mask is malformed, or the sizes differ.
        """
        read = []
        for index in indices:
            masks, ids = self.images[index]
            read.append(np.asarray(masks.read([0], ids)[:, 0].any(axis=0)))
        return _of_ids(_stack(read, self.images[0][0].file), object_ids)


def _of_ids(masks: Bool[np.ndarray, "t H W"], object_ids: Sequence[int]) -> Bool[np.ndarray, "n t H W"]:
    return np.equal(object_ids, THING).reshape(-1, 1, 1, 1) & masks[None]


def _stack(masks: list[np.ndarray], where: Path) -> Bool[np.ndarray, "t H W"]:
    if len({mask.shape for mask in masks}) != 1:
        raise DatasetError(f"masks of {where} have several sizes; read one image at a time")
    return np.stack(masks)


def _read_class(folder: Path) -> VideoRecord:
    """Make the record of a folder of images."""
    names = tuple(sorted(list_stems(folder, (".jpg",)), key=_by_number))
    order = [place for place, _ in sorted(enumerate(names), key=lambda pair: f"{pair[1]}.jpg")]
    others = tuple(tuple(one for one in order if one != place) for place in range(len(names)))
    return _make_record(folder, names, PictureMasks(folder, names), others)


def _read_json(root: Path, path: Path) -> list[VideoRecord]:
    """Make the records of an annotation file of UniRef++, whose images tell their examples."""
    folder = find_folder(root, _IMAGES[:1])
    if folder is None:
        raise DatasetError(f"there is no folder {root / 'images'}; FSS-1000's classes belong there")
    index = read_index(path, image_keys=("support_image_names",))
    ids: dict[int, list[int]] = {}
    for told in index.objects.values():
        ids.setdefault(told.image, []).append(told.id)
    classes: dict[str, list[int]] = {}
    for number, image in index.images.items():
        if number in ids:
            classes.setdefault(PurePosixPath(image.file_name).parent.as_posix(), []).append(number)
    return [_read_listed(folder / name, index, numbers, ids) for name, numbers in classes.items()]


def _read_listed(
    folder: Path, index: CocoIndex, numbers: list[int], ids: Mapping[int, list[int]]
) -> VideoRecord:
    numbers = sorted(
        numbers, key=lambda number: _by_number(PurePosixPath(index.images[number].file_name).stem)
    )
    places = {index.images[number].file_name: place for place, number in enumerate(numbers)}
    # Examples are found by their names: their numbers are wrong where an image was left out of the file.
    others = tuple(
        tuple(places[name] for name in index.images[number].told[0] or () if name in places)
        for number in numbers
    )
    masks = ListedMasks(tuple((index.masks(number, ids[number]), tuple(ids[number])) for number in numbers))
    return _make_record(folder, tuple(PurePosixPath(name).stem for name in places), masks, others)


def _make_record(
    folder: Path,
    names: tuple[str, ...],
    masks: PictureMasks | ListedMasks,
    examples: tuple[tuple[int, ...], ...],
) -> VideoRecord:
    return VideoRecord(
        name=folder.name,
        frame_names=names,
        frames=ImageFolder(folder, names),
        expressions=(),
        object_ids=(THING,),
        masks=masks,
        objects=(ObjectInfo(THING, folder.name.replace("_", " ")),),
        examples=examples,
    )


def _by_number(name: str) -> tuple[int, str]:
    return int(name) if name.isdecimal() else 0, name
