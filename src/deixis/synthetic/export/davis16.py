"""DAVIS 2016: all objects of a video are its foreground, with two expressions for the whole of it."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from deixis.data.davis_texts import DAVIS16_FILES
from deixis.data.records import VideoRecord

from .davis_texts import TextLines
from .files import refuse_existing, write_text
from .label_folders import write_frames, write_label_maps


def write(records: Iterable[VideoRecord], root: Path, split: str, image: str) -> None:
    """Write a split with masks of 0 and 255; expressions of single objects are left out."""
    base = root / "DAVIS"
    listing = base / "ImageSets" / "480p" / f"{split}.txt"
    refuse_existing(listing)
    paths, texts = [], TextLines(DAVIS16_FILES)
    for record in records:
        pictures, labels = (f"{kind}/480p/{record.name}" for kind in ("JPEGImages", "Annotations"))
        write_frames(record, base / pictures, image)
        write_label_maps(record, base / labels, paint=_foreground)
        paths += [f"/{pictures}/{stem}.{image} /{labels}/{stem}.png" for stem in record.frame_names]
        everything = set(record.object_ids)
        found = [one.text for one in record.expressions if set(one.object_ids) == everything]
        texts.add(record.name, found or ["all the objects"])
    texts.write(root)
    write_text(listing, "\n".join(paths) + "\n")


def _foreground(masks: np.ndarray, object_ids: Sequence[int]) -> Image.Image:
    return Image.fromarray(masks.any(axis=0).astype(np.uint8) * 255)
