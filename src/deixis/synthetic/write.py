"""Write records to disk: in the layouts of data sets, or as videos with a table each."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from deixis.data.records import VideoRecord
from deixis.errors import SinkError, UnknownNameError

from .export import (
    a2d_sentences,
    coco,
    davis16,
    davis17,
    folder,
    fss_1000,
    jhmdb_sentences,
    lvos,
    mevis,
    ovis,
    ref_davis17,
    ref_youtube_vos,
    refcoco,
    visual_genome,
    youtube_vos,
)
from .export.files import NO_SEEN_LOSS, box_of, read_masks, write_json, write_video


@dataclass(frozen=True)
class Layout:
    """How a data set is written.

    Attributes:
        write: takes the records, the root folder, the split and "jpg" or "png".
        splits: that it may have.
    """

    write: Callable[[Iterable[VideoRecord], Path, str, str], None]
    splits: tuple[str, ...] = ("train", "val", "test")


_UNC = ("train", "val", "testA", "testB")

LAYOUTS: Mapping[str, Layout] = {
    "ref-youtube-vos": Layout(ref_youtube_vos.write),
    "a2d-sentences": Layout(a2d_sentences.write, ("train", "test")),
    "ref-davis17": Layout(ref_davis17.write, ("train", "val")),
    "youtube-vos-2018": Layout(youtube_vos.write),
    "youtube-vos-2019": Layout(youtube_vos.write),
    "davis16": Layout(davis16.write, ("train", "val")),
    "davis17": Layout(davis17.write),
    "davis17-unsupervised": Layout(davis17.write, ("train", "val")),
    "mevis": Layout(mevis.write, ("train", "val-u", "val")),
    "lvos": Layout(lvos.write),
    "ovis": Layout(ovis.write),
    "jhmdb-sentences": Layout(jhmdb_sentences.write, ("test",)),
    "refcoco": Layout(partial(refcoco.write, name="refcoco", split_by="unc"), _UNC),
    "refcoco+": Layout(partial(refcoco.write, name="refcoco+", split_by="unc"), _UNC),
    "refcocog": Layout(partial(refcoco.write, name="refcocog", split_by="umd")),
    "refcocog-google": Layout(partial(refcoco.write, name="refcocog", split_by="google"), ("train", "val")),
    "visual-genome": Layout(visual_genome.write, ("train",)),
    "coco": Layout(coco.write, ("train", "val")),
    "fss-1000": Layout(fss_1000.write),
    "folder": Layout(folder.write),
}
"""Data set -> how to write it. To add one: a module of ``export/`` with ``write``, and a line here."""


def export(
    records: Iterable[VideoRecord],
    root: str | Path,
    layout: str,
    split: str = "train",
    *,
    image: str = "jpg",
) -> Path:
    """Write ``records`` as a split of a data set under ``root`` and return ``root``.

    Args:
        records: with masks.
        root: folder of the data set; several splits may go into one.
        layout: name of the data set. What it has no room for is left out, as its module in ``export/`` says.
        split: of the data set.
        image: "jpg" or "png" (exact), for layouts that keep frames as images of either kind.

    Raises:
        UnknownNameError: no such layout, or it has no such split.
        SinkError: the split is there already, or the folder cannot be written to.
        ValueError: a record without masks, or an unknown ``image``.
    """
    if layout not in LAYOUTS:
        raise UnknownNameError("layout", layout, LAYOUTS)
    if split not in LAYOUTS[layout].splits:
        raise UnknownNameError(f"split of {layout}", split, LAYOUTS[layout].splits)
    if image not in ("jpg", "png"):
        raise ValueError(f"frames are written as jpg or png, not {image!r}")
    root = Path(root)
    try:
        LAYOUTS[layout].write(records, root, split, image)
    except OSError as error:
        raise SinkError(f"cannot write {layout} to {root}: {error}") from error
    return root


def render_videos(records: Iterable[VideoRecord], out: str | Path, *, overwrite: bool = False) -> list[Path]:
    """Write each record as ``NAME.mp4`` (H.264, hardly any loss) with ``NAME.json``, and return the videos.

    The JSON has the expressions and, for each object, one mask (COCO run lengths) and one box (x, y, width,
    height) a frame, null where it is not visible. What is there already is left alone unless ``overwrite``.

    Raises:
        SinkError: the folder cannot be written to.
    """
    out, written = Path(out), []
    try:
        out.mkdir(parents=True, exist_ok=True)
        for record in records:
            video, table = out / f"{record.name}.mp4", out / f"{record.name}.json"
            if overwrite or not (video.is_file() and table.is_file()):
                write_video(video, record.frames.read(range(len(record.frame_names))), NO_SEEN_LOSS)
                write_json(table, _annotations(record))
            written.append(video)
    except OSError as error:
        raise SinkError(f"cannot write videos to {out}: {error}") from error
    return written


def _annotations(record: VideoRecord) -> dict[str, Any]:
    from deixis.ops.masks import encode_rle

    masks = read_masks(record, range(len(record.frame_names)))
    objects = []
    for object_id, track in zip(record.object_ids, masks, strict=True):
        seen = track.any(axis=(1, 2))
        codes = encode_rle(track)
        objects.append(
            {
                "id": object_id,
                "masks": [code if is_seen else None for code, is_seen in zip(codes, seen, strict=True)],
                "boxes": [
                    box_of(mask) if is_seen else None for mask, is_seen in zip(track, seen, strict=True)
                ],
            }
        )
    expressions = [
        {"id": item.id, "text": item.text, "object_ids": list(item.object_ids), "kinds": list(item.kinds)}
        for item in record.expressions
    ]
    return {
        "name": record.name,
        "size": list(masks.shape[2:]),
        "frames": list(record.frame_names),
        "objects": objects,
        "expressions": expressions,
    }
