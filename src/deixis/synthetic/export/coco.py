"""COCO instances: a still of each clip with all that is visible in it; expressions are left out."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from PIL import Image

from deixis.data.records import VideoRecord

from .files import refuse_existing, write_image, write_json
from .stills import coco_annotations, stills


def write(records: Iterable[VideoRecord], root: Path, split: str, image: str) -> None:
    """Write a split as one of COCO 2017."""
    path = root / "annotations" / f"instances_{split}2017.json"
    refuse_existing(path)
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    categories: dict[str, int] = {}
    for number, still in enumerate(stills(records), start=1):
        file_name = f"{number:012d}.{image}"
        write_image(root / f"{split}2017" / file_name, Image.fromarray(still.picture))
        height, width = still.picture.shape[:2]
        images.append({"id": number, "file_name": file_name, "height": height, "width": width})
        first = len(annotations) + 1
        ids = range(first, first + len(still.object_ids))
        annotations += coco_annotations(still, number, ids, categories)
    kinds = [{"id": number, "name": name} for name, number in categories.items()]
    write_json(path, {"images": images, "annotations": annotations, "categories": kinds})
