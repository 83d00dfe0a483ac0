"""The forms in which masks are stored: palette ids, JSON records with run lengths, one mask to cut out."""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, UInt8

from deixis.errors import SourceError
from deixis.video.results import FrameResult, mask_box


def palette_ids(masks: Bool[np.ndarray, "e H W"], scores: Float[np.ndarray, "e"]) -> UInt8[np.ndarray, "H W"]:
    """Merge masks into ids: 0 background, 1, 2, ...; the higher score wins, the earlier on ties."""
    ids = np.zeros(masks.shape[1:], dtype=np.uint8)
    for number in np.argsort(-scores, kind="stable")[::-1]:  # the winner is written last
        ids[masks[number]] = number + 1
    return ids


def frame_record(result: FrameResult, expressions: Sequence[str]) -> dict[str, Any]:
    """Return what :class:`~deixis.video.sinks.RleJsonLines` writes of a frame."""
    from deixis.ops.masks import encode_rle

    objects = []
    for number, segmentation in enumerate(encode_rle(result.masks)):
        objects.append(
            {
                "expression": expressions[number],
                "segmentation": segmentation,
                "score": round(float(result.scores[number]), 6),
                "presence": round(float(result.presence[number]), 6),
                "box": mask_box(result.masks[number]),
            }
        )
    frame = result.frame
    return {
        "frame": frame.index,
        "name": frame.name,
        "time": round(frame.time, 6),
        "size": list(frame.size),
        "objects": objects,
    }


def read_records(path: str | Path) -> Iterator[tuple[dict[str, Any], Bool[np.ndarray, "e H W"]]]:
    """Read a file of :class:`~deixis.video.sinks.RleJsonLines`: yield each frame's record and its masks.

    Raises:
        SourceError: a line is not such a record.
    """
    from deixis.ops.masks import decode_rle

    with Path(path).open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            try:
                record = json.loads(line)
                codes = [item["segmentation"] for item in record["objects"]]
                masks = decode_rle(codes) if codes else np.zeros((0, *record["size"]), dtype=bool)
            except (ValueError, KeyError, TypeError) as error:
                raise SourceError(f"line {number} of {path} is not a frame of masks ({error})") from error
            yield record, masks


def cut_mask(masks: Bool[np.ndarray, "e H W"], expression: int | None) -> Bool[np.ndarray, "H W"]:
    """Return the mask of one expression, or (None) of all of them together."""
    return np.logical_or.reduce(masks) if expression is None else masks[expression]


def expression_folder(number: int, expression: str) -> str:
    """Return the folder name of expression ``number`` (from 0): ``1-the-dog-on-the-left``."""
    words = re.sub(r"[\W_]+", "-", expression.lower()).strip("-")
    return f"{number + 1}-{words[:40].rstrip('-')}".rstrip("-")
