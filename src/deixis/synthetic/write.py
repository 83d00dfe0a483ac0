"""Write records to disk: in the layouts of Ref-YouTube-VOS and A2D-Sentences, or as videos.

Every file is written beside its place and moved there; the tables that make a folder a data set come last, so
that a run that was killed leaves nothing that looks whole.
"""

import csv
import io
import json
import os
from collections.abc import Callable, Iterable
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image

from deixis.data.records import Expression, VideoRecord
from deixis.errors import SinkError, UnknownNameError, require

Layout = Literal["ref-youtube-vos", "a2d-sentences"]
Split = Literal["train", "val", "test"]

FRAME_RATE = 8
"""Frames a second of written videos: a clip of 16 lasts two seconds."""

_ANNOTATED_FRAMES = 4
_SMALL_LOSS, _NO_SEEN_LOSS = "12", "4"


def export(
    records: Iterable[VideoRecord],
    root: str | Path,
    layout: Layout,
    split: Split = "train",
    *,
    image: str = "jpg",
) -> Path:
    """Write ``records`` as a split of a data set under ``root`` and return ``root``.

    Args:
        records: with masks.
        root: folder of the data set; several splits may go into one.
        layout: "ref-youtube-vos" keeps everything: expressions with no or several referents have a list as
            their ``obj_id``. "a2d-sentences" has room for expressions with one referent only, drops the
            others, and keeps the masks of four frames; it has no ``val``.
        split: of the data set.
        image: "jpg" or "png" (exact), for frames of Ref-YouTube-VOS.

    Raises:
        UnknownNameError: no such layout, or it has no such split.
        SinkError: the split is there already, or the folder cannot be written to.
        ValueError: a record without masks, or an unknown ``image``.
    """
    writers = {"ref-youtube-vos": partial(_export_ref_youtube_vos, image=image), "a2d-sentences": _export_a2d}
    if layout not in writers:
        raise UnknownNameError("layout", layout, writers)
    splits = ("train", "test") if layout == "a2d-sentences" else ("train", "val", "test")
    if split not in splits:
        raise UnknownNameError(f"split of {layout}", split, splits)
    if image not in ("jpg", "png"):
        raise ValueError(f"frames are written as jpg or png, not {image!r}")
    root = Path(root)
    try:
        writers[layout](records, root, split)
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
                _write_video(video, record.frames.read(range(len(record.frame_names))), _NO_SEEN_LOSS)
                _write_json(table, _annotations(record))
            written.append(video)
    except OSError as error:
        raise SinkError(f"cannot write videos to {out}: {error}") from error
    return written


def _export_ref_youtube_vos(records: Iterable[VideoRecord], root: Path, split: str, image: str) -> None:
    name = "valid" if split == "val" else split
    meta = root / "meta_expressions" / name / "meta_expressions.json"
    _refuse_existing(meta)
    videos, objects = {}, {}
    for record in records:
        indices = range(len(record.frame_names))
        frames, masks = record.frames.read(indices), _masks(record, indices)
        pictures, labels = root / name / "JPEGImages" / record.name, root / name / "Annotations" / record.name
        for index, stem in enumerate(record.frame_names):
            _write_image(pictures / f"{stem}.{image}", Image.fromarray(frames[index]))
            _write_image(labels / f"{stem}.png", _palette_image(masks[:, index], record.object_ids))
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
    _write_json(root / name / "meta.json", {"videos": objects})
    _write_json(meta, {"videos": videos})


def _expression_entry(expression: Expression) -> dict[str, Any]:
    """``obj_id`` is a string as published, or a list where there is not exactly one referent."""
    ids = [str(object_id) for object_id in expression.object_ids]
    return {
        "exp": expression.text,
        "obj_id": ids[0] if len(ids) == 1 else ids,
        "kinds": list(expression.kinds),
    }


def _export_a2d(records: Iterable[VideoRecord], root: Path, split: str) -> None:
    require("h5py", "train")
    texts, subset = root / "text_annotations", "0" if split == "train" else "1"
    videos = _read_rows(root / "Release" / "videoset.csv")
    if any(row[8] == subset for row in videos):
        raise SinkError(f"{root} has a split {split} already; choose another folder or remove it")
    queries = _read_rows(texts / "a2d_annotation.txt") or [["video_id", "instance_id", "query"]]
    for record in records:
        count = len(record.frame_names)
        frames = record.frames.read(range(count))
        _write_video(root / "Release" / "clips320H" / f"{record.name}.mp4", frames, _SMALL_LOSS)
        annotated = sorted({round(value) for value in np.linspace(0, count - 1, _ANNOTATED_FRAMES + 2)[1:-1]})
        masks, shown = _masks(record, annotated), 0
        for place, index in enumerate(annotated):
            path = texts / "a2d_annotation_with_instances" / record.name / f"{index + 1:05d}.h5"
            shown += _write_instances(path, masks[:, place], record.object_ids)
        height, width = frames.shape[1:3]
        numbers = (0, 0, count, height, width, count, shown, subset)
        videos.append([record.name, *map(str, numbers)])
        for expression in record.expressions:
            if len(expression.object_ids) == 1:
                queries.append([record.name, str(expression.object_ids[0]), expression.text])
    _write_rows(texts / "a2d_missed_videos.txt", [])
    _write_rows(texts / "a2d_annotation.txt", queries)
    _write_rows(root / "Release" / "videoset.csv", videos)


def _write_instances(path: Path, masks: np.ndarray, object_ids: tuple[int, ...]) -> bool:
    """Write one annotated frame as MATLAB would, axes reversed; a frame without any object has no file."""
    import h5py

    visible = np.flatnonzero(masks.any(axis=(1, 2)))
    if not len(visible):
        return False
    boxes = np.array([_box(masks[index]) for index in visible], float)
    boxes[:, 2:] += boxes[:, :2] - 1  # inclusive maxima
    turned = masks[visible].swapaxes(1, 2).astype(np.uint8)

    def write(temporary: Path) -> None:
        with h5py.File(temporary, "w") as file:
            file["instance"] = np.array([object_ids[index] for index in visible], float)
            file["reMask"] = turned[0] if len(visible) == 1 else turned
            file["reBBox"] = boxes.T

    _place(path, write)
    return True


def _annotations(record: VideoRecord) -> dict[str, Any]:
    from deixis.ops.masks import encode_rle

    masks = _masks(record, range(len(record.frame_names)))
    objects = []
    for object_id, track in zip(record.object_ids, masks, strict=True):
        seen = track.any(axis=(1, 2))
        codes = encode_rle(track)
        objects.append(
            {
                "id": object_id,
                "masks": [code if is_seen else None for code, is_seen in zip(codes, seen, strict=True)],
                "boxes": [_box(mask) if is_seen else None for mask, is_seen in zip(track, seen, strict=True)],
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


def _masks(record: VideoRecord, indices: Iterable[int]) -> np.ndarray:
    if record.masks is None:
        raise ValueError(
            f"the truth of video {record.name} is held back; only records with masks can be written"
        )
    return record.masks.read(list(indices), record.object_ids)


def _box(mask: np.ndarray) -> list[int]:
    """Return x, y, width, height of a mask with a pixel."""
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    return [int(value) for value in (columns[0], rows[0], np.ptp(columns) + 1, np.ptp(rows) + 1)]


def _palette_image(masks: np.ndarray, object_ids: tuple[int, ...]) -> Image.Image:
    """Return an indexed image whose values are object ids, in the colours of DAVIS and YouTube-VOS."""
    labels = np.zeros(masks.shape[1:], np.uint8)
    for object_id, mask in zip(object_ids, masks, strict=True):
        labels[mask] = object_id
    image = Image.fromarray(labels)
    image.putpalette([channel for index in range(256) for channel in _palette_colour(index)])
    return image


def _palette_colour(index: int) -> tuple[int, int, int]:
    """Spread the bits of ``index`` over three channels, highest first (the palette of PASCAL VOC)."""
    colour = [0, 0, 0]
    for shift in range(7, -1, -1):
        for channel in range(3):
            colour[channel] |= (index >> channel & 1) << shift
        index >>= 3
    return colour[0], colour[1], colour[2]


def _write_video(path: Path, frames: np.ndarray, rate_factor: str) -> None:
    """Encode ``frames [t, H, W, 3]`` as H.264; a smaller ``rate_factor`` loses less."""
    import av

    height, width = frames.shape[1:3]

    def write(temporary: Path) -> None:
        with av.open(str(temporary), "w", format="mp4") as container:
            stream = container.add_stream("libx264", rate=Fraction(FRAME_RATE))
            stream.width, stream.height = width, height
            # Halved colour planes need even sides.
            stream.pix_fmt = "yuv444p" if height % 2 or width % 2 else "yuv420p"
            stream.options = {"crf": rate_factor, "preset": "veryfast", "threads": "1"}
            for frame in frames:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
            container.mux(stream.encode())

    _place(path, write)


def _write_image(path: Path, image: Image.Image) -> None:
    options: dict[str, Any] = {"quality": 95, "subsampling": 0} if path.suffix == ".jpg" else {}
    kind = "JPEG" if path.suffix == ".jpg" else "PNG"
    _place(path, lambda temporary: image.save(temporary, kind, **options))


def _write_json(path: Path, content: Any) -> None:
    _place(path, lambda temporary: temporary.write_text(json.dumps(content), encoding="utf-8"))


def _read_rows(path: Path) -> list[list[str]]:
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [row for row in csv.reader(file) if row]


def _write_rows(path: Path, rows: list[list[str]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    _place(path, lambda temporary: temporary.write_text(text.getvalue(), encoding="utf-8"))


def _place(path: Path, write: Callable[[Path], object]) -> None:
    """Call ``write`` with a name beside ``path`` and move the result to ``path``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    try:
        write(temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _refuse_existing(path: Path) -> None:
    if path.exists():
        raise SinkError(f"{path} is there already; choose another folder or remove it")
