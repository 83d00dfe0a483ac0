"""Visual Genome region descriptions: phrases about boxes of images, without masks (data sets, section 9).

    ROOT/region_descriptions.json
    ROOT/image_data.json                     sizes; without it boxes are not cut to their images
    ROOT/VG_100K/ID.jpg  ROOT/VG_100K_2/ID.jpg, or all images in ROOT/images/

About half of the images are images of COCO, some of them in val and test of RefCOCO.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from deixis.errors import DatasetError, MissingSplitError, UnknownNameError

from .check import Finding
from .images import ImageFile, LazyRecords
from .json_stream import iterate_elements, read_element
from .records import Expression, ObjectInfo, VideoRecord

SPLITS = ("train",)
_FOLDERS = ("images", "VG_100K", "VG_100K_2")

_Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class _Source:
    """Where the regions and images are, and the sizes of the images as far as they are known."""

    file: Path
    folders: tuple[Path, ...]
    sizes: Mapping[int, tuple[int, int]]


def records(root: str | Path, split: str = "train") -> Sequence[VideoRecord]:
    """Return the images with their regions, in the order of the file; each is parsed when it is asked for.

    A region is an object with a ``box`` in ``objects`` and one expression; both have the region's id. Boxes
    are cut to the image, and regions of which nothing is left are dropped. There are no masks.

    Raises:
        UnknownNameError: there is no such split.
        MissingSplitError: there are no region descriptions.
        DatasetError: files are missing or malformed.
    """
    root = Path(root)
    if split not in SPLITS:
        raise UnknownNameError("split of visual-genome", split, SPLITS)
    path = root / "region_descriptions.json"
    if not path.is_file():
        raise MissingSplitError(f"there is no {path}; region_descriptions.json.zip holds it")
    folders = tuple(root / name for name in _FOLDERS if (root / name).is_dir())
    if not folders:
        raise DatasetError(f"{root} has none of {', '.join(_FOLDERS)}; images.zip and images2.zip hold them")
    spans = []
    for _, value, offset, length in iterate_elements(path):
        _image_id(path, value)
        spans.append((offset, length))
    return LazyRecords(partial(_make_record, _Source(path, folders, _read_sizes(root))), spans)


def split_findings(root: Path, split: str, records: Sequence[VideoRecord]) -> Iterator[Finding]:
    """Yield, over all images, how many boxes leave their image, how many vanish, and images told twice."""
    sizes = _read_sizes(root)
    if not sizes:
        yield Finding("", f"there is no {root / 'image_data.json'}: boxes are not cut to their images")
    num_cut = num_dropped = 0
    seen = set()
    path = root / "region_descriptions.json"
    for _, entry, _, _ in iterate_elements(path):
        identity = _image_id(path, entry)
        if identity in seen:
            yield Finding(str(identity), "has regions at two places of the file")
        seen.add(identity)
        if sizes and identity not in sizes:
            yield Finding(str(identity), f"has no size in {root / 'image_data.json'}")
        for region in _regions(path, entry):
            box = _box(path, region)
            cut = _cut(box, sizes.get(identity))
            num_dropped += cut is None
            num_cut += cut is not None and cut != box
    if num_cut:
        yield Finding("", f"{num_cut:,} boxes reach beyond their image and are cut to it", is_known=True)
    if num_dropped:
        yield Finding(
            "", f"{num_dropped:,} regions have no area in their image and are dropped", is_known=True
        )


def _make_record(source: _Source, span: tuple[int, int]) -> VideoRecord:
    entry = read_element(source.file, *span)
    identity = _image_id(source.file, entry)
    size = source.sizes.get(identity)
    expressions, objects = [], []
    for region in _regions(source.file, entry):
        box = _cut(_box(source.file, region), size)
        if box is not None:
            number = _region_id(source.file, region)
            expressions.append(Expression(str(number), str(region["phrase"]), (number,)))
            objects.append(ObjectInfo(number, box=box))
    paths = [folder / f"{identity}.jpg" for folder in source.folders]
    return VideoRecord(
        name=str(identity),
        frame_names=(str(identity),),
        frames=ImageFile(next((path for path in paths if path.is_file()), paths[0])),
        expressions=tuple(expressions),
        object_ids=tuple(told.id for told in objects),
        size=size,
        objects=tuple(objects),
    )


def _image_id(path: Path, entry: Any) -> int:
    try:
        return int(entry["id"] if "id" in entry else entry["image_id"])
    except (KeyError, TypeError, ValueError) as error:
        raise DatasetError(f"{path} has an entry that is no image with regions: {error!r}") from error


def _regions(path: Path, entry: Any) -> list[Any]:
    regions = entry.get("regions")
    if not isinstance(regions, list):
        raise DatasetError(f'{path} has an image {_image_id(path, entry)} without "regions"')
    return regions


def _region_id(path: Path, region: Any) -> int:
    try:
        return int(region["region_id"] if "region_id" in region else region["id"])
    except (KeyError, TypeError, ValueError) as error:
        raise DatasetError(f"{path} has a region without an id: {error!r}") from error


def _box(path: Path, region: Any) -> _Box:
    try:
        if not isinstance(region["phrase"], str):
            raise TypeError("its phrase is no text")
        x, y, width, height = (float(region[key]) for key in ("x", "y", "width", "height"))
    except (KeyError, TypeError, ValueError) as error:
        raise DatasetError(f"{path} has a region without phrase or box: {error!r}") from error
    return x, y, width, height


def _cut(box: _Box, size: tuple[int, int] | None) -> _Box | None:
    """Return the part of a box in its image, None where nothing is left."""
    left, top, width, height = box
    right, bottom = left + width, top + height
    if size is not None:
        left, top, right, bottom = max(left, 0), max(top, 0), min(right, size[1]), min(bottom, size[0])
    return (left, top, right - left, bottom - top) if right > left and bottom > top else None


def _read_sizes(root: Path) -> dict[int, tuple[int, int]]:
    """Return height and width of each image; nothing where the file is not there."""
    path = root / "image_data.json"
    if not path.is_file():
        return {}
    try:
        return {
            _image_id(path, value): (int(value["height"]), int(value["width"]))
            for _, value, _, _ in iterate_elements(path)
        }
    except (KeyError, TypeError, ValueError) as error:
        raise DatasetError(f"{path} is not the image_data.json of Visual Genome: {error!r}") from error
