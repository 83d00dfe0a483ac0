"""LVOS: frames named from 00000001 in steps of 5, a range of frames and one expression an object."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from deixis.data.records import VideoRecord

from .files import refuse_existing, write_json
from .label_folders import write_frames, write_label_maps


def write(records: Iterable[VideoRecord], root: Path, split: str, image: str) -> None:
    """Write a split; an object's range goes from its first visible frame to its last one.

    The expression of an object is the first that names it alone; objects that are never visible are left out.
    """
    name = "valid" if split == "val" else split
    base = root / name
    meta = base / f"{name}_meta.json"
    refuse_existing(meta)
    ranges, captions = {}, {}
    for record in records:
        stems = [f"{1 + 5 * index:08d}" for index in range(len(record.frame_names) + 1)]
        write_frames(record, base / "JPEGImages" / record.name, image, stems)
        visible = write_label_maps(record, base / "Annotations" / record.name, stems)
        spans, texts = {}, {}
        for identity, seen in zip(record.object_ids, visible, strict=True):
            if not seen.any():
                continue
            first, after = int(np.flatnonzero(seen)[0]), int(np.flatnonzero(seen)[-1]) + 1
            span = {"start": stems[first], "end": stems[after], "frame_nums": str(after - first)}
            spans[str(identity)] = {"frame_range": span}
            own = [one.text for one in record.expressions if one.object_ids == (identity,)]
            texts[str(identity)] = {"frame_range": span, "caption": own[0] if own else f"object {identity}"}
        ranges[record.name], captions[record.name] = {"objects": spans}, {"objects": texts}
    write_json(base / f"{name}_expression_meta.json", {"videos": captions})
    write_json(meta, {"videos": ranges})
