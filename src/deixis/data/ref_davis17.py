"""Ref-DAVIS17: Khoreva's expressions about objects of DAVIS 2017, in three layouts (data sets, section 4).

The official archives, unpacked side by side (``DAVIS/`` may also be the root itself)::

    ROOT/DAVIS/JPEGImages/480p/VIDEO/FRAME.jpg    ROOT/DAVIS/Annotations/480p/VIDEO/FRAME.png
    ROOT/DAVIS/ImageSets/2017/{train,val}.txt     ROOT/davis_text_annotations/Davis17_annot1.txt ...

The form of ReferFormer, as Ref-YouTube-VOS: ``ROOT/meta_expressions/{train,valid}/meta_expressions.json``.

A plain folder, also for data of one's own; it has no splits and is read as ``val``::

    ROOT/meta_expressions.json   ROOT/JPEGImages/VIDEO/FRAME.jpg   ROOT/Annotations/VIDEO/FRAME.png
"""

import re
from pathlib import Path

from deixis.data.meta_expressions import make_record, read_videos
from deixis.data.readers import ImageFolder, LabelFolder
from deixis.data.records import Expression, VideoRecord
from deixis.data.ref_youtube_vos import find_child
from deixis.data.ref_youtube_vos import records as converted_records
from deixis.errors import DatasetError, UnknownNameError

SPLITS = ("train", "val")

_TEXTS = (
    ("Davis17_annot1.txt", "utf-8", "first-frame"),
    ("Davis17_annot1_full_video.txt", "utf-8", "full-video"),
    ("Davis17_annot2.txt", "latin-1", "first-frame"),
    ("Davis17_annot2_full_video.txt", "latin-1", "full-video"),
)
"""The four annotations in their published order, with the encodings that they really have."""

_MISSPELT = {"clasic-car": "classic-car", "dog-scale": "dogs-scale", "motor-bike": "motorbike"}
_LINE = re.compile(r"(\S+)\s+(\d+)\s+(.*\S)")


def records(root: str | Path, split: str = "val") -> list[VideoRecord]:
    """Return the videos of a split.

    Of the official archives the masks are those of 2017, for whose ids the expressions were written; an
    object's expressions are ``4k`` to ``4k + 3``: annotator 1 (first frame, full video), then annotator 2.

    Raises:
        UnknownNameError: there is no such split.
        DatasetError: files are missing or malformed.
    """
    root = Path(root)
    if split not in SPLITS:
        raise UnknownNameError("split of ref-davis17", split, SPLITS)
    if (root / "meta_expressions.json").is_file():
        if split != "val":
            raise DatasetError(f"{root} is a plain folder without splits; it is read as val")
        return _plain_records(root)
    if (root / "meta_expressions").is_dir():
        return converted_records(root, split)
    base = root / "DAVIS" if (root / "DAVIS").is_dir() else root
    if not (base / "ImageSets").is_dir():
        raise DatasetError(
            f"{root} is no Ref-DAVIS17: it has neither meta_expressions.json, nor meta_expressions/, "
            "nor DAVIS/ImageSets/"
        )
    return _official_records(root, base, split)


def _plain_records(root: Path) -> list[VideoRecord]:
    found = []
    for name, video in read_videos(root / "meta_expressions.json").items():
        masks = find_child(root, "Annotations", name)
        frames = find_child(root, "JPEGImages", name)
        found.append(make_record(name, video, frames, masks if masks.is_dir() else None))
    return found


def _official_records(root: Path, base: Path, split: str) -> list[VideoRecord]:
    listing = base / "ImageSets" / "2017" / f"{split}.txt"
    if not listing.is_file():
        raise DatasetError(f"there is no {listing}; unpack the DAVIS-2017 trainval archive into {root}")
    texts = _read_texts(root, base)
    found = []
    for name in listing.read_text(encoding="utf-8").split():
        if name not in texts:
            raise DatasetError(
                f"no expressions for {name} in davis_text_annotations of {root}; unpack it again"
            )
        frames = find_child(base, "JPEGImages", name)
        if not frames.is_dir():
            raise DatasetError(
                f"there are no images {frames}; unpack the DAVIS-2017 trainval archive into {root}"
            )
        stems = tuple(sorted(path.stem for path in frames.iterdir()))
        found.append(
            VideoRecord(
                name=name,
                frame_names=stems,
                frames=ImageFolder(frames, stems),
                expressions=_number(texts[name]),
                object_ids=tuple(sorted({object_id for object_id, _ in texts[name]})),
                masks=LabelFolder(find_child(base, "Annotations", name), stems),
            )
        )
    return found


def _read_texts(root: Path, base: Path) -> dict[str, dict[tuple[int, int], str]]:
    """Return video -> (object id, annotation) -> text."""
    places = (
        root / "davis_text_annotations",
        base / "davis_text_annotations",
        base.parent / "davis_text_annotations",
    )
    folder = next((place for place in places if place.is_dir()), places[0])
    texts: dict[str, dict[tuple[int, int], str]] = {}
    for annotation, (file, encoding, _) in enumerate(_TEXTS):
        try:
            lines = (folder / file).read_text(encoding=encoding).splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise DatasetError(
                f"cannot read {folder / file}: {error}; unpack davis_text_annotations.zip"
            ) from error
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            match = _LINE.fullmatch(line.strip())
            if match is None:
                raise DatasetError(f'line {number} of {folder / file} is not VIDEO ID "EXPRESSION": {line!r}')
            video, object_id, text = match.groups()
            quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "\"'"
            text = text[1:-1] if quoted else text
            texts.setdefault(_MISSPELT.get(video, video), {})[int(object_id), annotation] = text
    return texts


def _number(texts: dict[tuple[int, int], str]) -> tuple[Expression, ...]:
    """Order the expressions of a video by object, then annotation, and number them."""
    return tuple(
        Expression(id=str(number), text=texts[key], object_ids=(key[0],), kinds=(_TEXTS[key[1]][2],))
        for number, key in enumerate(sorted(texts))
    )
