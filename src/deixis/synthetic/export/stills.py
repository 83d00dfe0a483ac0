"""One frame of each clip, for layouts of images: what can be said and seen in it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, UInt8

from deixis.data.records import Expression, VideoRecord
from deixis.ops.run_lengths import encode_rle

from .files import box_of, read_masks
from .label_folders import category_of

STILL_KINDS = frozenset({"appearance", "location"})
"""What an expression may speak of and still be true of a single frame."""


@dataclass(frozen=True)
class Still:
    """The frame of a clip that shows most of its objects.

    Attributes:
        record: the clip.
        picture: the frame.
        object_ids: of the objects that are visible in it.
        masks: of these objects.
        expressions: those about one of these objects that a single frame can answer.
    """

    record: VideoRecord
    picture: UInt8[np.ndarray, "H W 3"]
    object_ids: tuple[int, ...]
    masks: Bool[np.ndarray, "n H W"]
    expressions: tuple[Expression, ...]


def stills(records: Iterable[VideoRecord]) -> Iterator[Still]:
    """Yield a frame of each clip that shows any object."""
    for record in records:
        masks = read_masks(record, range(len(record.frame_names)))  # n t H W
        index = int(masks.any(axis=(2, 3)).sum(axis=0).argmax())
        shown = np.flatnonzero(masks[:, index].any(axis=(1, 2)))
        if not len(shown):
            continue
        ids = tuple(record.object_ids[place] for place in shown)
        expressions = tuple(
            one
            for one in record.expressions
            if len(one.object_ids) == 1 and one.object_ids[0] in ids and STILL_KINDS.issuperset(one.kinds)
        )
        yield Still(record, record.frames.read([index])[0], ids, masks[shown, index], expressions)


def coco_annotations(
    still: Still, image: int, ids: Sequence[int], categories: dict[str, int]
) -> list[dict[str, Any]]:
    """Return what is visible in the form of COCO.

    Args:
        still: the frame.
        image: its id.
        ids: of the annotations, in the order of the still's objects.
        categories: name -> id; categories that it lacks are added.
    """
    annotations = []
    rows = zip(ids, still.object_ids, still.masks, encode_rle(still.masks), strict=True)
    for number, object_id, mask, code in rows:
        name = category_of(still.record, object_id)
        annotations.append(
            {
                "id": number,
                "image_id": image,
                "category_id": categories.setdefault(name, len(categories) + 1),
                "segmentation": code,
                "bbox": box_of(mask),
                "area": int(mask.sum()),
                "iscrowd": 0,
            }
        )
    return annotations
