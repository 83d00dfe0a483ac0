"""JHMDB-Sentences: one expression a clip and the masks of its referent; clips without such are left out."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from deixis.data.records import VideoRecord

from .files import place, read_masks, refuse_existing, write_rows
from .label_folders import write_frames

ACTION = "synthetic"


def write(records: Iterable[VideoRecord], root: Path, split: str, image: str) -> None:
    """Write the clips with the first expression of each that has one referent; frames are ``png``."""
    from scipy.io import savemat

    table = root / "jhmdb_annotation.txt"
    refuse_existing(table)
    rows = [["video_id", "query"]]
    for record in records:
        expression = next((one for one in record.expressions if len(one.object_ids) == 1), None)
        if expression is None:
            continue
        stems = [f"{number:05d}" for number in range(1, len(record.frame_names) + 1)]
        write_frames(record, root / "Rename_Images" / ACTION / record.name, "png", stems)
        masks = read_masks(record, range(len(stems)))
        actor = masks[list(record.object_ids).index(expression.object_ids[0])]  # t H W
        content = {"part_mask": actor.transpose(1, 2, 0).astype(np.uint8)}
        place(
            root / "puppet_mask" / ACTION / record.name / "puppet_mask.mat",
            lambda temporary, content=content: savemat(
                temporary, content, appendmat=False, do_compression=True
            ),
        )
        rows.append([record.name, expression.text])
    write_rows(table, rows)
