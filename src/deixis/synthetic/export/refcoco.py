"""RefCOCO and its sisters: a still of each clip, with the expressions that a single frame can answer."""

import pickle
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from PIL import Image

from deixis.data.meta_expressions import read_json
from deixis.data.plain_pickle import read_plain_pickle
from deixis.data.records import VideoRecord
from deixis.errors import SinkError

from .files import place, write_image, write_json
from .stills import Still, coco_annotations, stills

OBJECTS_PER_IMAGE = 1000
"""The annotation of object k of image i has the id 1000 i + k."""


def write(
    records: Iterable[VideoRecord], root: Path, split: str, image: str, *, name: str, split_by: str
) -> None:
    """Write a split of the set ``name`` into its files, after the splits that are there."""
    refs_path, instances_path = root / name / f"refs({split_by}).p", root / name / "instances.json"
    refs: list[dict[str, Any]] = read_plain_pickle(refs_path) if refs_path.is_file() else []
    if any(ref["split"] == split for ref in refs):
        raise SinkError(f"{root} has a split {split} already; choose another folder or remove it")
    content = read_json(instances_path) if refs else {"images": [], "annotations": [], "categories": []}
    categories = {entry["name"]: entry["id"] for entry in content["categories"]}
    for still in stills(records):
        if not still.expressions:
            continue
        number = len(content["images"]) + 1
        file_name = f"COCO_train2014_{number:012d}.{image}"
        write_image(root / "train2014" / file_name, Image.fromarray(still.picture))
        height, width = still.picture.shape[:2]
        content["images"].append({"id": number, "file_name": file_name, "height": height, "width": width})
        ids = [OBJECTS_PER_IMAGE * number + identity for identity in still.object_ids]
        content["annotations"] += coco_annotations(still, number, ids, categories)
        refs += _references(still, number, split, refs)
    content["categories"] = [{"id": value, "name": key} for key, value in categories.items()]
    write_json(instances_path, content)
    place(refs_path, lambda temporary: temporary.write_bytes(pickle.dumps(refs, protocol=2)))


def _references(still: Still, image: int, split: str, before: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return one reference for each object that is spoken of; sentences are numbered over the whole file."""
    number = sum(len(ref["sentences"]) for ref in before)
    references = []
    for identity in still.object_ids:
        texts = [one.text for one in still.expressions if one.object_ids == (identity,)]
        if not texts:
            continue
        sentences = [
            {"sent_id": number + place, "raw": text, "sent": text, "tokens": text.split()}
            for place, text in enumerate(texts)
        ]
        number += len(texts)
        reference = len(before) + len(references)
        references.append(
            {
                "ref_id": reference,
                "ann_id": OBJECTS_PER_IMAGE * image + identity,
                "image_id": image,
                "category_id": 1,
                "split": split,
                "file_name": f"COCO_train2014_{image:012d}_{reference}.jpg",
                "sent_ids": [sentence["sent_id"] for sentence in sentences],
                "sentences": sentences,
            }
        )
    return references
