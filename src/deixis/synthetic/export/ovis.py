"""OVIS: run lengths of the objects in the form of YouTube-VIS; only ``train`` keeps them."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from deixis.data.records import VideoRecord

from .files import read_masks, refuse_existing, write_json
from .label_folders import category_of, run_lengths, write_frames


def write(records: Iterable[VideoRecord], root: Path, split: str, image: str) -> None:
    """Write a split; objects are numbered over all its videos, expressions are left out."""
    name = "valid" if split == "val" else split
    meta = root / f"annotations_{name}.json"
    refuse_existing(meta)
    videos: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    categories: dict[str, int] = {}
    for number, record in enumerate(records, start=1):
        stems = [f"img_{index + 1:07d}" for index in range(len(record.frame_names))]
        write_frames(record, root / name / record.name, image, stems)
        height, width = read_masks(record, [0]).shape[2:]
        videos.append(
            {
                "id": number,
                "height": height,
                "width": width,
                "length": len(stems),
                "file_names": [f"{record.name}/{stem}.{image}" for stem in stems],
            }
        )
        for identity, track in zip(record.object_ids, run_lengths(record), strict=True):
            category = category_of(record, identity)
            annotations.append(_annotation(len(annotations) + 1, number, track))
            annotations[-1]["category_id"] = categories.setdefault(category, len(categories) + 1)
    content = {
        "videos": videos,
        "categories": [{"id": number, "name": category} for category, number in categories.items()],
        "annotations": annotations if split == "train" else None,
    }
    write_json(meta, content)


def _annotation(number: int, video: int, track: list[dict[str, Any] | None]) -> dict[str, Any]:
    from pycocotools import mask as coco

    seen = [code is not None for code in track]
    return {
        "id": number,
        "video_id": video,
        "segmentations": track,
        "bboxes": [coco.toBbox(code).tolist() if code else None for code in track],
        "areas": [int(coco.area(code)) if code else None for code in track],
        "iscrowd": 0,
        "occlusion": ["no_occlusion" if is_seen else None for is_seen in seen],
    }
