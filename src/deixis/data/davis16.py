"""DAVIS 2016: one foreground a video, with attributes (data sets, section 3).

    ROOT/DAVIS/JPEGImages/480p/VIDEO/FRAME.jpg
    ROOT/DAVIS/Annotations/480p/VIDEO/FRAME.png     0 and 255
    ROOT/DAVIS/ImageSets/480p/{train,val}.txt       two paths a line; or ImageSets/2016/{train,val}.txt: names
    ROOT/davis_text_annotations/Davis16_annot{1,2}.txt      expressions, where they are unpacked

``DAVIS/`` may also be the root itself. The archive of DAVIS 2017 serves as well: any id is foreground, but
its masks were partly retouched.
"""

from collections.abc import Iterator
from pathlib import Path

from deixis.errors import DatasetError, MissingSplitError, UnknownNameError

from .check import Finding
from .davis17 import find_base, list_frames, read_names
from .davis_attributes import ATTRIBUTES, NUM_FRAMES
from .davis_texts import DAVIS16_FILES, Texts, find_texts, number_expressions, read_texts
from .folders import find_child
from .readers import ForegroundFolder, ImageFolder
from .records import ObjectInfo, VideoRecord

SPLITS = ("train", "val")


def records(root: str | Path, split: str = "val") -> list[VideoRecord]:
    """Return the videos of a split. The foreground is object 1; ``attributes`` are the published ones.

    Expressions name the whole foreground; there are those of two annotators, who saw the first frame.

    Raises:
        UnknownNameError: there is no such split.
        MissingSplitError: it is not there.
        DatasetError: files are missing or malformed.
    """
    root = Path(root)
    if split not in SPLITS:
        raise UnknownNameError("split of davis16", split, SPLITS)
    base = find_base(root)
    folder = find_texts(root, base)
    texts = {}
    if (folder / DAVIS16_FILES[0].name).is_file():
        texts = read_texts(folder, DAVIS16_FILES, default_id=1)
    return [
        _make_record(base, name, stems, texts.get(name, {})) for name, stems in _frames(base, split).items()
    ]


def findings(record: VideoRecord) -> Iterator[Finding]:
    """Yield a length that is not the published one; videos that are not of DAVIS are passed over."""
    expected = NUM_FRAMES.get(record.name, len(record.frame_names))
    if len(record.frame_names) != expected:
        yield Finding(record.name, f"has {len(record.frame_names)} frames, published: {expected}")


def _frames(base: Path, split: str) -> dict[str, tuple[str, ...]]:
    """Return sequence -> names of its frames, from the list of a split."""
    path = base / "ImageSets" / "2016" / f"{split}.txt"
    if path.is_file():
        return {name: list_frames(base, name)[1] for name in read_names(path)}
    path = base / "ImageSets" / "480p" / f"{split}.txt"
    if not path.is_file():
        raise MissingSplitError(
            f"{base} has no ImageSets/480p/{split}.txt nor ImageSets/2016/{split}.txt; unpack DAVIS again"
        )
    found: dict[str, tuple[str, ...]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip():
            image = Path(line.split()[0])
            if len(image.parts) < 3:
                raise DatasetError(
                    f"{path} is not a list of images and masks; unpack the DAVIS-2016 archive again"
                )
            found[image.parent.name] = (*found.get(image.parent.name, ()), image.stem)
    return found


def _make_record(base: Path, name: str, stems: tuple[str, ...], texts: Texts) -> VideoRecord:
    pictures = find_child(base, "JPEGImages", name)
    foreground = {(1, annotator): text for (_, annotator), text in texts.items()}
    return VideoRecord(
        name=name,
        frame_names=stems,
        frames=ImageFolder(pictures, stems),
        expressions=number_expressions(foreground, DAVIS16_FILES),
        object_ids=(1,),
        masks=ForegroundFolder(find_child(base, "Annotations", name), stems),
        attributes=ATTRIBUTES.get(name, ()),
        objects=(ObjectInfo(1, first_frame=0),),
    )
