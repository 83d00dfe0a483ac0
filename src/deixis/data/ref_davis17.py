"""Ref-DAVIS17: Khoreva's expressions about objects of DAVIS 2017, in three layouts (data sets, section 4).

The official archives, unpacked side by side (``DAVIS/`` may also be the root itself)::

    ROOT/DAVIS/JPEGImages/480p/VIDEO/FRAME.jpg    ROOT/DAVIS/Annotations/480p/VIDEO/FRAME.png
    ROOT/DAVIS/ImageSets/2017/{train,val}.txt     ROOT/davis_text_annotations/Davis17_annot1.txt ...

The form of ReferFormer, as Ref-YouTube-VOS: ``ROOT/meta_expressions/{train,valid}/meta_expressions.json``.

A plain folder, also for data of one's own; it has no splits and is read as ``val``::

    ROOT/meta_expressions.json   ROOT/JPEGImages/VIDEO/FRAME.jpg   ROOT/Annotations/VIDEO/FRAME.png
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from deixis.errors import DatasetError, MissingSplitError, UnknownNameError

from . import davis17
from .check import Finding
from .davis_texts import DAVIS17_FILES, find_texts, number_expressions, read_texts
from .folders import find_child
from .meta_expressions import make_record, read_videos
from .readers import ImageFolder, LabelFolder
from .records import VideoRecord
from .ref_youtube_vos import records as converted_records

SPLITS = ("train", "val")


def records(root: str | Path, split: str = "val") -> list[VideoRecord]:
    """Return the videos of a split.

    Of the official archives the masks are those of 2017, for whose ids the expressions were written; an
    object's expressions are ``4k`` to ``4k + 3``: annotator 1 (first frame, full video), then annotator 2.
    ``Expression.annotator`` is 0 to 3 in that order. The masks are those of 2017, which the expressions were
    written for; ``davis17.unsupervised_records`` has those of 2019, which most published results use.

    Raises:
        UnknownNameError: there is no such split.
        MissingSplitError: it is not there.
        DatasetError: files are missing or malformed.
    """
    root = Path(root)
    if split not in SPLITS:
        raise UnknownNameError("split of ref-davis17", split, SPLITS)
    if (root / "meta_expressions.json").is_file():
        if split != "val":
            raise MissingSplitError(f"{root} is a plain folder without splits; it is read as val")
        return _plain_records(root)
    if (root / "meta_expressions").is_dir():
        return [_with_annotators(record) for record in converted_records(root, split)]
    if not any((base / "ImageSets").is_dir() for base in (root / "DAVIS", root)):
        raise MissingSplitError(
            f"{root} is no Ref-DAVIS17: it has neither meta_expressions.json, nor meta_expressions/, "
            "nor DAVIS/ImageSets/"
        )
    return _official_records(root, davis17.find_base(root), split)


def findings(record: VideoRecord) -> Iterator[Finding]:
    """Yield objects without all their expressions, and where the masks of 2017 and 2019 disagree."""
    if not isinstance(record.masks, LabelFolder) or not isinstance(record.frames, ImageFolder):
        return
    if any(one.annotator is not None for one in record.expressions) and record.masks.path(0).is_file():
        for identity in sorted({*record.masks.ids(0), *record.object_ids}):
            has = {one.annotator for one in record.expressions if identity in one.object_ids}
            lacks = [file.name for number, file in enumerate(DAVIS17_FILES) if number not in has]
            if lacks:
                yield Finding(record.name, f"object {identity} has no expression in {', '.join(lacks)}")
    yield from davis17.findings(record)


def _plain_records(root: Path) -> list[VideoRecord]:
    found = []
    for name, video in read_videos(root / "meta_expressions.json").items():
        masks = find_child(root, "Annotations", name)
        frames = find_child(root, "JPEGImages", name)
        found.append(make_record(name, video, frames, masks if masks.is_dir() else None))
    return found


def _official_records(root: Path, base: Path, split: str) -> list[VideoRecord]:
    names = davis17.read_names(base / "ImageSets" / "2017" / f"{split}.txt")
    folder = find_texts(root, base)
    texts = read_texts(folder, DAVIS17_FILES)
    found = []
    for name in names:
        if name not in texts:
            raise DatasetError(
                f"no expressions for {name} in {folder}; unpack davis_text_annotations.zip again"
            )
        pictures, stems = davis17.list_frames(base, name)
        found.append(
            VideoRecord(
                name=name,
                frame_names=stems,
                frames=ImageFolder(pictures, stems),
                expressions=number_expressions(texts[name], DAVIS17_FILES),
                object_ids=tuple(sorted({object_id for object_id, _ in texts[name]})),
                masks=LabelFolder(find_child(base, "Annotations", name), stems),
            )
        )
    return found


def _with_annotators(record: VideoRecord) -> VideoRecord:
    """Tell which annotation the expressions of a converted copy belong to, by their places."""
    count = len(DAVIS17_FILES)
    if len(record.expressions) % count or any(not one.id.isdigit() for one in record.expressions):
        return record
    return replace(
        record,
        expressions=tuple(
            replace(
                one,
                annotator=int(one.id) % count,
                kinds=one.kinds or (DAVIS17_FILES[int(one.id) % count].kind,),
            )
            for one in record.expressions
        ),
    )
