"""MeViS: expressions of any number of objects, and run lengths by annotation; ``val`` has no truth."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from deixis.data.records import VideoRecord

from .files import refuse_existing, write_json
from .label_folders import run_lengths, write_frames

_FOLDERS = {"train": "train", "val-u": "valid_u", "val": "valid"}


def write(records: Iterable[VideoRecord], root: Path, split: str, image: str) -> None:
    """Write a split; objects are numbered over all its videos, from 1."""
    base = root / _FOLDERS[split]
    meta = base / "meta_expressions.json"
    refuse_existing(meta)
    videos: dict[str, Any] = {}
    tracks: dict[str, Any] = {}
    for record in records:
        write_frames(record, base / "JPEGImages" / record.name, image)
        numbers = {identity: len(tracks) + place for place, identity in enumerate(record.object_ids, start=1)}
        if split != "val":
            tracks |= dict(zip(map(str, numbers.values()), run_lengths(record), strict=True))
        entries: dict[str, dict[str, Any]] = {}
        for one in record.expressions:
            entries[one.id] = {"exp": one.text}
            if split != "val":
                entries[one.id]["obj_id"] = list(one.object_ids)
                entries[one.id]["anno_id"] = [numbers[identity] for identity in one.object_ids]
        videos[record.name] = {"expressions": entries, "frames": list(record.frame_names)}
    if split != "val":
        write_json(base / "mask_dict.json", tracks)
    write_json(meta, {"videos": videos})
