"""Annotations in the form of COCO: images, categories, and masks as polygons or run lengths.

    {"images": [{"id", "file_name", "height", "width"}], "categories": [{"id", "name"}],
     "annotations": [{"id", "image_id", "category_id", "segmentation", "bbox", "iscrowd"}]}

The file is gone through once; of an annotation its place in the file is kept, and its mask is parsed when it
is asked for.

Legend: n objects, t frames (an image repeated), H W pixels.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool

from deixis.errors import DatasetError
from deixis.ops.run_lengths import decode_rle

from .json_stream import iterate_elements, read_element


@dataclass(frozen=True, slots=True)
class CocoImage:
    """An image of a file in COCO form: its name and size, and ``told``, all else that was asked for."""

    file_name: str
    size: tuple[int, int]
    told: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class CocoObject:
    """An annotation: what it is of, and where in the file it stands.

    Attributes:
        id: of the annotation.
        image: id of its image.
        category: id of its category.
        is_crowd: it outlines a group.
        span: offset and length in bytes.
        told: all else that was asked for.
    """

    id: int
    image: int
    category: int
    is_crowd: bool
    span: tuple[int, int]
    told: tuple[Any, ...] = ()


@dataclass(frozen=True)
class CocoIndex:
    """What a file in COCO form holds, without masks: images, annotations and categories by id."""

    path: Path
    images: Mapping[int, CocoImage]
    objects: Mapping[int, CocoObject]
    categories: Mapping[int, str]

    def masks(self, image: int, object_ids: Collection[int]) -> "CocoMasks":
        """Return a reader of the masks of some annotations of an image."""
        spans = {identity: self.objects[identity].span for identity in object_ids if identity in self.objects}
        return CocoMasks(self.path, spans, self.images[image].size)


@dataclass(frozen=True)
class CocoMasks:
    """Masks of an image's objects: ``spans`` says where in the file the annotation of each stands."""

    file: Path
    spans: Mapping[int, tuple[int, int]]
    size: tuple[int, int]

    def read(self, indices: Sequence[int], object_ids: Sequence[int]) -> Bool[np.ndarray, "n t H W"]:
        """Return the masks of ``object_ids``, the same for each of ``indices``.

        Raises:
            DatasetError: an object has no annotation, or one that is malformed.
        """
        masks = np.zeros((len(object_ids), len(indices), *self.size), bool)
        for mask, identity in zip(masks, object_ids, strict=True):
            if identity not in self.spans:
                raise DatasetError(f"{self.file} has no annotation {identity}")
            annotation = read_element(self.file, *self.spans[identity])
            try:
                mask[:] = rasterise(annotation["segmentation"], self.size)
            except (KeyError, TypeError, ValueError) as error:
                raise DatasetError(
                    f"annotation {identity} of {self.file} has a malformed mask: {error}"
                ) from error
        return masks


def rasterise(segmentation: object, size: tuple[int, int]) -> Bool[np.ndarray, "H W"]:
    """Return the mask of polygons (their union, as the official tools fill them) or of run lengths.

    Raises:
        ValueError: it is neither.
    """
    from pycocotools import mask as coco

    if isinstance(segmentation, Mapping):
        if tuple(segmentation["size"]) != size:
            raise ValueError(f"run lengths of {segmentation['size']} in an image of {list(size)}")
        return decode_rle([segmentation])[0]
    if not isinstance(segmentation, list) or not segmentation:
        raise ValueError("neither polygons nor run lengths")
    for polygon in segmentation:
        # Lists of four numbers would be taken for boxes.
        if not isinstance(polygon, list) or len(polygon) < 6 or len(polygon) % 2:
            raise ValueError(f"a polygon of the numbers {polygon}")
    return coco.decode(coco.merge(coco.frPyObjects(segmentation, *size))).astype(bool)


def read_index(
    path: Path,
    *,
    image_keys: Sequence[str] = (),
    object_keys: Sequence[str] = (),
    is_wanted: Callable[[Mapping[str, Any]], bool] | None = None,
) -> CocoIndex:
    """Go through a file in COCO form once.

    Args:
        path: of the file.
        image_keys: more keys of an image to keep; None where an image lacks one.
        object_keys: more keys of an annotation to keep.
        is_wanted: tells of an annotation whether to keep it; None: all.

    Raises:
        DatasetError: the file is missing or malformed, or an id occurs twice.
    """
    images: dict[int, CocoImage] = {}
    objects: dict[int, CocoObject] = {}
    categories: dict[int, str] = {}
    found = set()
    for key, value, offset, length in iterate_elements(path, ("images", "annotations", "categories")):
        found.add(key)
        try:
            identity = int(value["id"])
            table = {"images": images, "annotations": objects, "categories": categories}[key]
            if identity in table:
                raise DatasetError(f"{path} has the id {identity} twice among its {key}; unpack it again")
            if key == "images":
                size = (int(value["height"]), int(value["width"]))
                told = tuple(value.get(name) for name in image_keys)
                images[identity] = CocoImage(str(value["file_name"]), size, told)
            elif key == "categories":
                categories[identity] = str(value["name"])
            elif is_wanted is None or is_wanted(value):
                objects[identity] = CocoObject(
                    id=identity,
                    image=int(value["image_id"]),
                    category=int(value.get("category_id", 0)),
                    is_crowd=bool(value.get("iscrowd", 0)),
                    span=(offset, length),
                    told=tuple(value.get(name) for name in object_keys),
                )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DatasetError(f"{path} has an element of {key} not in COCO form: {error!r}") from error
    if not {"images", "annotations"} <= found:
        raise DatasetError(f'{path} has no "images" or no "annotations"; it is not in COCO form')
    return CocoIndex(path, images, objects, categories)
