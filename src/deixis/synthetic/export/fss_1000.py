"""FSS-1000: every object of a clip is a class, shown in up to ten frames of the clip; sentences are left out.

Images are JPEGs whatever is asked for, as the masks beside them have the same names.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from deixis.data.records import VideoRecord

from .files import read_masks, refuse_existing, write_image, write_text

_NUM_IMAGES = 10
_LISTS = {"train": "trn.txt", "val": "val.txt", "test": "test.txt"}


def write(records: Iterable[VideoRecord], root: Path, split: str, image: str) -> None:
    """Write a split: folders of classes, and the list of them."""
    listed = root / "splits" / _LISTS[split]
    refuse_existing(listed)
    names = [name for record in records for name in _write_classes(record, root / "images")]
    write_text(listed, "".join(f"{name}\n" for name in names))


def _write_classes(record: VideoRecord, folder: Path) -> Iterable[str]:
    """Write the objects of a clip that are seen in two frames or more, and yield their names."""
    masks = read_masks(record, range(len(record.frame_names)))  # n t H W
    for object_id, track in zip(record.object_ids, masks, strict=True):
        seen = np.flatnonzero(track.any(axis=(1, 2)))
        if len(seen) < 2:
            continue
        chosen = seen[np.unique(np.linspace(0, len(seen) - 1, _NUM_IMAGES).round().astype(int))]
        name = f"{record.name}_{object_id}"
        for number, index in enumerate(chosen.tolist(), start=1):
            picture = Image.fromarray(record.frames.read([index])[0])
            write_image(folder / name / f"{number}.jpg", picture)
            mask = Image.fromarray(np.where(track[index], 255, 0).astype(np.uint8))
            write_image(folder / name / f"{number}.png", mask.convert("RGB"))
        yield name
