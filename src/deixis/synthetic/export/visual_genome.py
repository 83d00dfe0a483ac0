"""Visual Genome: a still of each clip, with a region for every expression that a single frame can answer."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from PIL import Image

from deixis.data.records import VideoRecord

from .files import box_of, refuse_existing, write_image, write_json
from .stills import stills


def write(records: Iterable[VideoRecord], root: Path, split: str, image: str) -> None:
    """Write the regions, the boxes of what the expressions denote; images are ``jpg`` whatever is asked."""
    path = root / "region_descriptions.json"
    refuse_existing(path)
    entries: list[dict[str, Any]] = []
    sizes: list[dict[str, Any]] = []
    number_of_regions = 0
    for number, still in enumerate(stills(records), start=1):
        write_image(root / "VG_100K" / f"{number}.jpg", Image.fromarray(still.picture))
        height, width = still.picture.shape[:2]
        sizes.append({"image_id": number, "width": width, "height": height, "coco_id": None})
        regions = []
        for expression in still.expressions:
            number_of_regions += 1
            mask = still.masks[still.object_ids.index(expression.object_ids[0])]
            x, y, box_width, box_height = box_of(mask)
            region = {"region_id": number_of_regions, "image_id": number, "phrase": expression.text}
            regions.append({**region, "x": x, "y": y, "width": box_width, "height": box_height})
        entries.append({"id": number, "regions": regions})
    write_json(root / "image_data.json", sizes)
    write_json(path, entries)
