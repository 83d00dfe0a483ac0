"""YouTube-VOS: objects without expressions; ``val`` and ``test`` keep the masks of first frames only."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from deixis.data.records import VideoRecord

from .files import palette_image, read_masks, refuse_existing, write_image, write_json
from .label_folders import category_of, visibility, write_frames, write_label_maps


def write(records: Iterable[VideoRecord], root: Path, split: str, image: str) -> None:
    """Write a split; objects that are never visible are left out."""
    base = root / ("valid" if split == "val" else split)
    refuse_existing(base / "meta.json")
    videos = {}
    for record in records:
        write_frames(record, base / "JPEGImages" / record.name, image)
        labels = base / "Annotations" / record.name
        visible = write_label_maps(record, labels) if split == "train" else visibility(record)
        starts = {
            identity: int(np.flatnonzero(seen)[0])
            for identity, seen in zip(record.object_ids, visible, strict=True)
            if seen.any()
        }
        if split != "train":
            _write_first_masks(record, labels, starts)
        videos[record.name] = {
            "objects": {
                str(identity): {
                    "category": category_of(record, identity),
                    "frames": list(record.frame_names[start:]),
                }
                for identity, start in starts.items()
            }
        }
    write_json(base / "meta.json", {"videos": videos})


def _write_first_masks(record: VideoRecord, folder: Path, starts: dict[int, int]) -> None:
    for index in sorted(set(starts.values())):
        begun = [place for place, identity in enumerate(record.object_ids) if starts.get(identity) == index]
        masks = read_masks(record, [index])[begun, 0]
        ids = [record.object_ids[place] for place in begun]
        write_image(folder / f"{record.frame_names[index]}.png", palette_image(masks, ids))
