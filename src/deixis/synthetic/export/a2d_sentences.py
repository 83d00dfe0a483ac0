"""A2D-Sentences: room for expressions with one referent, and for the masks of four frames a video."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from deixis.data.records import VideoRecord
from deixis.errors import SinkError, require

from .files import SMALL_LOSS, box_of, place, read_masks, read_rows, write_rows, write_video

_ANNOTATED_FRAMES = 4


def write(records: Iterable[VideoRecord], root: Path, split: str, image: str) -> None:
    """Write a split with the expressions that have one referent; ``image`` changes nothing."""
    require("h5py", "train")
    texts, subset = root / "text_annotations", "0" if split == "train" else "1"
    videos = read_rows(root / "Release" / "videoset.csv")
    if any(row[8] == subset for row in videos):
        raise SinkError(f"{root} has a split {split} already; choose another folder or remove it")
    queries = read_rows(texts / "a2d_annotation.txt") or [["video_id", "instance_id", "query"]]
    for record in records:
        count = len(record.frame_names)
        frames = record.frames.read(range(count))
        write_video(root / "Release" / "clips320H" / f"{record.name}.mp4", frames, SMALL_LOSS)
        annotated = sorted({round(value) for value in np.linspace(0, count - 1, _ANNOTATED_FRAMES + 2)[1:-1]})
        masks, shown = read_masks(record, annotated), 0
        for position, index in enumerate(annotated):
            path = texts / "a2d_annotation_with_instances" / record.name / f"{index + 1:05d}.h5"
            shown += _write_instances(path, masks[:, position], record.object_ids)
        height, width = frames.shape[1:3]
        numbers = (0, 0, count, height, width, count, shown, subset)
        videos.append([record.name, *map(str, numbers)])
        for expression in record.expressions:
            if len(expression.object_ids) == 1:
                queries.append([record.name, str(expression.object_ids[0]), expression.text])
    write_rows(texts / "a2d_missed_videos.txt", [])
    write_rows(texts / "a2d_annotation.txt", queries)
    write_rows(root / "Release" / "videoset.csv", videos)


def _write_instances(path: Path, masks: np.ndarray, object_ids: Sequence[int]) -> bool:
    """Write one annotated frame as MATLAB would, axes reversed; a frame without any object has no file."""
    import h5py

    visible = np.flatnonzero(masks.any(axis=(1, 2)))
    if not len(visible):
        return False
    boxes = np.array([box_of(masks[index]) for index in visible], float)
    boxes[:, 2:] += boxes[:, :2] - 1  # inclusive maxima
    turned = masks[visible].swapaxes(1, 2).astype(np.uint8)

    def write(temporary: Path) -> None:
        with h5py.File(temporary, "w") as file:
            file["instance"] = np.array([object_ids[index] for index in visible], float)
            file["reMask"] = turned[0] if len(visible) == 1 else turned
            file["reBBox"] = boxes.T

    place(path, write)
    return True
