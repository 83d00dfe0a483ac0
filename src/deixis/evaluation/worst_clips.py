"""Pictures of the rows that scored lowest: truth and prediction of a few frames of each.

Legend: H W pixels.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from jaxtyping import Bool, UInt8

from deixis.data.records import VideoRecord
from deixis.errors import DatasetError
from deixis.evaluation.checks.pixels import VOID
from deixis.evaluation.protocols.base import ObjectRow, VideoPrediction, VideoProtocol, VideoTruth
from deixis.evaluation.reports.content import Report, Row
from deixis.evaluation.reports.page import Clip
from deixis.evaluation.reports.pictures import make_picture, overlay

NUM_CLIPS = 6
_NUM_FRAMES = 3

ReadFrame = Callable[[str, str], UInt8[np.ndarray, "H W 3"] | None]
"""(video, frame name) -> the image; None where there are no images."""


def choose_rows(report: Report, number: int) -> list[Row]:
    """Return the rows that scored lowest, one a video as long as there are others."""
    ranked = report.worst(len(report.rows))
    first = {row.video: row for row in reversed(ranked)}
    leading = [row for row in ranked if first[row.video] is row][:number]
    others = [row for row in ranked if first[row.video] is not row][: number - len(leading)]
    return leading + others


def show_rows(
    rows: Sequence[Row],
    scored: Mapping[tuple[str, str, str], ObjectRow],
    truths: Mapping[str, VideoTruth],
    predict: Callable[[VideoTruth], VideoPrediction],
    protocol: VideoProtocol,
    read_frame: ReadFrame,
) -> list[Clip]:
    """Draw rows: of each the frames at the worst J and at a third and two thirds of the time.

    Args:
        rows: what to draw.
        scored: the rows as the protocol gave them, by key.
        truths: of the videos.
        predict: gives the prediction of a video.
        protocol: tells which masks a row compares.
        read_frame: gives the image behind the masks.
    """
    clips = []
    for row in rows:
        truth, found = truths[row.video], scored[row.key]
        prediction = predict(truth)
        pictures = []
        for index in _frames(row):
            frame = row.frames[index]
            masks = compared_masks(found, frame, truth, prediction, protocol)
            image = overlay(*masks, read_frame(row.video, frame))
            pictures.append(make_picture(image, f"{frame}: J {100 * row.region[index]:.1f}"))
        clips.append(Clip(row, tuple(pictures)))
    return clips


def compared_masks(
    row: ObjectRow,
    frame: str,
    truth: VideoTruth,
    prediction: VideoPrediction,
    protocol: VideoProtocol,
) -> tuple[Bool[np.ndarray, "H W"], Bool[np.ndarray, "H W"]]:
    """Return the annotated and the predicted mask that a row compares in a frame."""
    if protocol.unit == "expression":
        # A row of a single frame is called EXPRESSION/FRAME.
        key, proposal = row.name.removesuffix(f"/{frame}"), None
        ids = next((e.object_ids for e in truth.expressions if e.id == key), None)
        annotated = _annotated(truth, frame, (int(key),) if ids is None else ids)
    else:
        is_whole = protocol.pixels == "mask" and protocol.unit == ""
        annotated = _annotated(truth, frame, None if is_whole else (int(row.name),))
        key = {"object": row.name, "annotator": row.group.split()[-1] if row.group else "0", "": ""}[
            protocol.unit
        ]
        proposal = None if protocol.pixels == "mask" else int(row.extra.get("proposal", int(row.name)))
    labels = prediction.read(frame, key)
    if labels is None:
        return annotated, np.zeros_like(annotated)
    return annotated, labels != 0 if proposal is None else labels == proposal


def _annotated(truth: VideoTruth, frame: str, object_ids: Sequence[int] | None) -> np.ndarray:
    """Return the union of objects in a frame; None: of all, without void."""
    if truth.labels is None:
        assert truth.masks is not None
        masks = truth.masks.read(frame, truth.object_ids if object_ids is None else object_ids)
        return np.logical_or.reduce(masks, axis=0)
    labels = truth.labels.read(frame)
    if object_ids is None:
        return (labels != 0) & (labels != VOID)
    return np.isin(labels, list(object_ids))


def _frames(row: Row) -> list[int]:
    """Return the indices of the frames to show, in order."""
    if not row.region:
        return []
    last = len(row.region) - 1
    worst = int(np.argmin(row.region))
    others = [last // 3, 2 * last // 3, last, 0]
    return sorted(list(dict.fromkeys([worst, *others]))[:_NUM_FRAMES])


def frame_reader(records: Mapping[str, VideoRecord]) -> ReadFrame:
    """Return a reader of the images of records by name; an image that cannot be read is left out."""

    def read(video: str, frame: str) -> np.ndarray | None:
        record = records.get(video)
        if record is None:
            return None
        try:
            return record.frames.read([record.frame_names.index(frame)])[0]
        except (DatasetError, ValueError):
            return None

    return read
