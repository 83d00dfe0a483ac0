"""Ref-YouTube-VOS: an expression with no or several referents has a list as its ``obj_id``."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from deixis.data.records import Expression, VideoRecord

from .files import palette_image, read_masks, refuse_existing, write_image, write_json


def write(records: Iterable[VideoRecord], root: Path, split: str, image: str) -> None:
    """Write a split with all that the records hold."""
    name = "valid" if split == "val" else split
    meta = root / "meta_expressions" / name / "meta_expressions.json"
    refuse_existing(meta)
    videos, objects = {}, {}
    for record in records:
        indices = range(len(record.frame_names))
        frames, masks = record.frames.read(indices), read_masks(record, indices)
        pictures, labels = root / name / "JPEGImages" / record.name, root / name / "Annotations" / record.name
        for index, stem in enumerate(record.frame_names):
            write_image(pictures / f"{stem}.{image}", Image.fromarray(frames[index]))
            write_image(labels / f"{stem}.png", palette_image(masks[:, index], record.object_ids))
        videos[record.name] = {
            "expressions": {
                expression.id: _expression_entry(expression) for expression in record.expressions
            },
            "frames": list(record.frame_names),
            "size": list(frames.shape[1:3]),
        }
        objects[record.name] = {
            "objects": {
                str(object_id): {
                    "category": "object",
                    "frames": [record.frame_names[i] for i in np.flatnonzero(mask.any(axis=(1, 2)))],
                }
                for object_id, mask in zip(record.object_ids, masks, strict=True)
            }
        }
    write_json(root / name / "meta.json", {"videos": objects})
    write_json(meta, {"videos": videos})


def _expression_entry(expression: Expression) -> dict[str, Any]:
    """``obj_id`` is a string as published, or a list where there is not exactly one referent."""
    ids = [str(object_id) for object_id in expression.object_ids]
    return {
        "exp": expression.text,
        "obj_id": ids[0] if len(ids) == 1 else ids,
        "kinds": list(expression.kinds),
    }
