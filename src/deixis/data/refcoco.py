"""RefCOCO, RefCOCO+ and RefCOCOg: expressions about objects of COCO images (data sets, section 8).

The official archives with the images of COCO 2014, in ``ROOT`` or beside it (SET is refcoco, refcoco+ or
refcocog; ``ROOT`` may also be ``ROOT/SET`` itself)::

    ROOT/SET/refs(unc).p             RefCOCO, RefCOCO+; RefCOCOg has refs(umd).p and refs(google).p
    ROOT/SET/instances.json          COCO form
    ROOT/train2014/COCO_train2014_000000000009.jpg

The form of MTTR's successors, one sentence an "image" (ReferFormer) or one object with its list of sentences
(UniRef), both in COCO form::

    ROOT/SET/instances_SET_{train,val,testA,testB,test}.json

``refs(...).p`` is a pickle. It is read without unpickling: a file with anything but plain values is refused.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from deixis.errors import DatasetError, MissingSplitError, UnknownNameError

from .check import Finding
from .coco_format import CocoIndex, CocoMasks, read_index
from .images import ImageFile, LazyRecords, find_images
from .plain_pickle import read_plain_pickle
from .records import Expression, ObjectInfo, VideoRecord

SPLITS = ("train", "val", "testA", "testB")
SPLITS_UMD = ("train", "val", "test")
SPLITS_GOOGLE = ("train", "val")

CROWD = "crowd"
"""Kind of the expressions about an object that is outlined as a group; published trainings leave them out."""

_TINY = 16


@dataclass(frozen=True)
class _Referred:
    """What is said in one image: for each sentence its id, its text and the annotation that it denotes."""

    image: int
    sentences: tuple[tuple[str, str, int], ...]


def refcoco(root: str | Path, split: str = "val") -> Sequence[VideoRecord]:
    """Return the images of a split of RefCOCO (split by UNC).

    A record is an image with the referred objects of the split, by annotation id, and every sentence about
    them, by sentence id, in the normalised form. The category of an object is in ``objects``.

    Raises:
        UnknownNameError: there is no such split.
        MissingSplitError: the set is not there.
        DatasetError: files are missing or malformed, or the pickle holds more than plain values.
    """
    return _records(root, split, "refcoco", "unc", SPLITS)


def refcoco_plus(root: str | Path, split: str = "val") -> Sequence[VideoRecord]:
    """Return the images of a split of RefCOCO+ (split by UNC); see :func:`refcoco`."""
    return _records(root, split, "refcoco+", "unc", SPLITS)


def refcocog(root: str | Path, split: str = "val") -> Sequence[VideoRecord]:
    """Return the images of a split of RefCOCOg (split by UMD); see :func:`refcoco`."""
    return _records(root, split, "refcocog", "umd", SPLITS_UMD)


def refcocog_google(root: str | Path, split: str = "val") -> Sequence[VideoRecord]:
    """Return the images of a split of RefCOCOg (split by Google, by objects); see :func:`refcoco`."""
    return _records(root, split, "refcocog", "google", SPLITS_GOOGLE)


records = refcoco


def findings(record: VideoRecord) -> Iterator[Finding]:
    """Yield objects without an annotation, and groups and specks among the referred objects."""
    masks = record.masks
    assert isinstance(masks, CocoMasks)
    groups = sorted({i for one in record.expressions if CROWD in one.kinds for i in one.object_ids})
    if groups:
        yield Finding(record.name, f"objects {groups} are outlined as groups", is_known=True)
    lost = [identity for identity in record.object_ids if identity not in masks.spans]
    for identity in lost:
        yield Finding(record.name, f"object {identity} has no annotation in {masks.file}")
    if lost:
        return
    try:
        areas = masks.read([0], record.object_ids).sum(axis=(1, 2, 3))
    except DatasetError as error:
        yield Finding(record.name, str(error))
        return
    for identity, area in zip(record.object_ids, areas, strict=True):
        if area < _TINY:
            yield Finding(record.name, f"object {identity} has {area} pixels", is_known=bool(area))


def _records(
    root: str | Path, split: str, name: str, split_by: str, splits: tuple[str, ...]
) -> Sequence[VideoRecord]:
    root = Path(root)
    if split not in splits:
        raise UnknownNameError(f"split of {name}", split, splits)
    folders = (root / name, root)
    refs = next((path for folder in folders if (path := folder / f"refs({split_by}).p").is_file()), None)
    if refs is not None:
        index, said = _read_official(refs, split)
    else:
        files = (folder / f"instances_{name}_{split}.json" for folder in folders)
        path = next((path for path in files if path.is_file()), None)
        if path is None:
            raise MissingSplitError(
                f"{root} has neither {name}/refs({split_by}).p nor {name}/instances_{name}_{split}.json; "
                f"give the folder that holds {name}/ and train2014/"
            )
        index, said = _read_converted(path)
    images = find_images(root, ("train2014",), "train2014.zip of COCO")
    return LazyRecords(partial(_make_record, index, images), said)


def _make_record(index: CocoIndex, images: Path, referred: _Referred) -> VideoRecord:
    image = index.images[referred.image]
    ids = tuple(sorted({identity for _, _, identity in referred.sentences}))
    known = {identity: index.objects[identity] for identity in ids if identity in index.objects}
    crowds = {identity for identity, told in known.items() if told.is_crowd}
    stem = Path(image.file_name).stem
    return VideoRecord(
        name=stem,
        frame_names=(stem,),
        frames=ImageFile(images / Path(image.file_name).name),
        expressions=tuple(
            Expression(key, text, (identity,), (CROWD,) if identity in crowds else ())
            for key, text, identity in referred.sentences
        ),
        object_ids=ids,
        masks=index.masks(referred.image, ids),
        size=image.size,
        objects=tuple(
            ObjectInfo(identity, index.categories.get(told.category, "")) for identity, told in known.items()
        ),
    )


def _read_official(path: Path, split: str) -> tuple[CocoIndex, list[_Referred]]:
    """Read the sentences of a split from the pickle, and the index of the annotations they denote."""
    content = read_plain_pickle(path)
    if not isinstance(content, list) or not content:
        raise DatasetError(f"{path} is not a list of references; take it from the archive of its authors")
    rows: list[tuple[int, str, str, int]] = []
    found_splits = set()
    for number, ref in enumerate(content):
        try:
            found_splits.add(ref["split"])
            if ref["split"] == split:
                image, annotation = int(ref["image_id"]), int(ref["ann_id"])
                rows += [(image, str(s["sent_id"]), str(s["sent"]), annotation) for s in ref["sentences"]]
        except (KeyError, TypeError, ValueError) as error:
            raise DatasetError(
                f"entry {number} of {path} is not a reference of RefCOCO: {error!r}"
            ) from error
    if not rows:
        raise MissingSplitError(f"{path} has no split {split!r}; it has {', '.join(sorted(found_splits))}")
    wanted = {annotation for *_, annotation in rows}
    index = read_index(path.parent / "instances.json", is_wanted=lambda told: told["id"] in wanted)
    return index, _by_image(path, index, rows)


def _read_converted(path: Path) -> tuple[CocoIndex, list[_Referred]]:
    """Read a file with sentences in its images, where each image is one object of a COCO image.

    The annotation of an object is there once for each of its sentences; the first stands for all, and is
    known by ``original_id`` where the file has it, else by its image and box.
    """
    index = read_index(path, image_keys=("caption", "expressions"), object_keys=("original_id", "bbox"))
    annotation_of = {told.image: told for told in index.objects.values()}
    first_image: dict[str, int] = {}
    first_object: dict[Any, int] = {}
    rows = []
    for number, image in index.images.items():
        caption, expressions = image.told
        texts = [caption] if isinstance(caption, str) else expressions
        if not isinstance(texts, list) or number not in annotation_of:
            raise DatasetError(
                f'image {number} of {path} has no "caption" or "expressions", or no annotation'
            )
        told = annotation_of[number]
        original, box = told.told
        # An object of another image may have the same box.
        key = (image.file_name, original if original is not None else tuple(box or (told.id,)))
        identity = first_object.setdefault(key, told.id)
        home = first_image.setdefault(image.file_name, number)
        names = [str(number)] if len(texts) == 1 else [f"{number}-{place}" for place in range(len(texts))]
        rows += [(home, name, str(text), identity) for name, text in zip(names, texts, strict=True)]
    return index, _by_image(path, index, rows)


def _by_image(path: Path, index: CocoIndex, rows: Iterable[tuple[int, str, str, int]]) -> list[_Referred]:
    """Gather sentences by image, in the order in which images first occur."""
    gathered: dict[int, list[tuple[str, str, int]]] = {}
    for image, sentence, text, annotation in rows:
        gathered.setdefault(image, []).append((sentence, text, annotation))
    lost = _missing(gathered, index.images)
    if lost:
        raise DatasetError(
            f"{path} speaks of images that {index.path} lacks ({lost}); take both from one archive"
        )
    return [_Referred(image, tuple(sentences)) for image, sentences in gathered.items()]


def _missing(asked: Iterable[int], known: Mapping[int, object]) -> str:
    lost = [identity for identity in asked if identity not in known]
    return ", ".join(map(str, lost[:10])) + (", ..." if len(lost) > 10 else "")
