"""DAVIS 2017: the masks of 2017, and as those of 2019 the same with a void upper edge.

DAVIS evaluates the objects 1 to the highest id of the first frame; objects beyond are in the masks all the
same. ``test`` keeps the masks of first frames only.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from deixis.data.davis17 import LISTS
from deixis.data.records import VideoRecord

from .files import palette_image, read_masks, refuse_existing, write_image, write_json, write_text
from .label_folders import category_of, write_frames, write_label_maps

_VOID = 255


def write(records: Iterable[VideoRecord], root: Path, split: str, image: str) -> None:
    """Write a split with both kinds of masks, and the categories of its objects."""
    base = root / "DAVIS"
    listing = base / "ImageSets" / "2017" / f"{LISTS[split]}.txt"
    refuse_existing(listing)
    names, table = [], base / "davis_semantics.json"
    categories = json.loads(table.read_text(encoding="utf-8")) if table.is_file() else {}
    for record in records:
        write_frames(record, base / "JPEGImages" / "480p" / record.name, image)
        labels = base / "Annotations" / "480p" / record.name
        if split == "test":
            first = palette_image(read_masks(record, [0])[:, 0], record.object_ids)
            write_image(labels / f"{record.frame_names[0]}.png", first)
        else:
            write_label_maps(record, labels)
            later = base / "Annotations_unsupervised" / "480p" / record.name
            write_label_maps(record, later, paint=_with_void)
        names.append(record.name)
        categories[record.name] = {str(i): category_of(record, i) for i in record.object_ids}
    write_json(table, categories)
    write_text(listing, "\n".join(names) + "\n")


def _with_void(masks: np.ndarray, object_ids: Sequence[int]) -> Image.Image:
    """Paint the row above void, as the masks of 2019 have it around what nobody could decide."""
    edge = np.zeros(masks.shape[1:], bool)
    edge[0] = ~masks[:, 0].any(axis=0)
    return palette_image(np.concatenate([masks, edge[None]]), [*object_ids, _VOID])
