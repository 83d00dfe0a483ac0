"""Every candidate of a model for every sample, with its score: what the mAP of single frames is made of.

A sample is an expression in an annotated frame. The model sees a clip around the frame and predicts that
frame alone (A2D-Sentences and JHMDB-Sentences: MTTR, section 7; ReferFormer, section 4.1), or an image
(RefCOCO).

Axes: e expressions, q candidates, h w cells, H W pixels of the frame.
"""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from deixis.configuration import to_plain
from deixis.data.records import VideoRecord
from deixis.data.windows import window_around
from deixis.errors import DatasetError
from deixis.evaluation.ledger import Ledger, write_text
from deixis.evaluation.protocols.samples import sample_name
from deixis.evaluation.spreading import finish_videos
from deixis.inference.engine import Engine, FrameCandidates
from deixis.inference.offline import prepare
from deixis.ops.boxes import pixel_boxes
from deixis.ops.masks import encode_rle
from deixis.video.frames import Frame

SAMPLES_FILE, PREDICTIONS_FILE = "samples.jsonl", "samples.json"


@dataclass(frozen=True, kw_only=True)
class SamplePrediction:
    """One candidate for one sample, in COCO form.

    Attributes:
        image_id: name of the sample.
        score: in [0, 1].
        counts: run lengths of the mask.
        size: height and width of the frame.
        bbox: x, y, width, height in pixels; empty where the model has no boxes.
    """

    image_id: str
    score: float
    counts: str
    size: tuple[int, int]
    bbox: tuple[float, ...] = ()

    def to_coco(self) -> dict[str, Any]:
        """Return it as the JSON file holds it."""
        found: dict[str, Any] = {
            "image_id": self.image_id,
            "category_id": 1,
            "segmentation": {"size": list(self.size), "counts": self.counts},
            "score": self.score,
        }
        return {**found, "bbox": list(self.bbox)} if self.bbox else found


def save_samples(
    records: Sequence[VideoRecord],
    engine: Callable[[], Engine] | Sequence[Callable[[], Engine]],
    benchmark: str,
    names: Collection[str],
    out: Path,
    identity: Mapping[str, Any],
    *,
    overwrite: bool = False,
    on_video: Callable[[], object] | None = None,
) -> Path:
    """Predict samples and save every candidate with its score; records that are done are not done again.

    Args:
        records: videos with annotated frames, or images.
        engine: gives the model at work; or several that do, each for a process that takes it along.
        benchmark: says how samples are named.
        names: of the samples that are scored; others are left out.
        out: folder of ``samples.jsonl``, which holds what is done, and of the finished ``samples.json``.
        identity: what predicts what; predictions of another are not mixed in.
        overwrite: throw away what is there.
        on_video: called for each finished record.

    Returns:
        The file of all predictions.

    Raises:
        DatasetError: the model sees one frame at a time and has no candidates.
        SinkError: ``out`` cannot be written or holds the predictions of another model.
    """
    ledger = Ledger(out / SAMPLES_FILE, identity, SamplePrediction, overwrite=overwrite)
    engines = engine if isinstance(engine, Sequence) else [engine]
    works = [partial(predict_samples, engine=one, benchmark=benchmark, names=names) for one in engines]
    finish_videos(records, works, ledger, on_video)
    everything = [row.to_coco() for rows in ledger.done.values() for row in rows]
    write_text(out / PREDICTIONS_FILE, json.dumps(to_plain(everything)) + "\n")
    return out / PREDICTIONS_FILE


def predict_samples(
    record: VideoRecord, engine: Callable[[], Engine], benchmark: str, names: Collection[str]
) -> list[SamplePrediction]:
    """Return every candidate for the samples of a record (see :func:`save_samples`).

    Raises:
        DatasetError: the model sees one frame at a time and has no candidates.
    """
    at_work = engine()
    if at_work.inputs.is_online:
        raise DatasetError(
            "this model gives one mask a sample, without others to rank; score it by the best mask"
        )
    return list(_predict(record, at_work, benchmark, names))


def _predict(
    record: VideoRecord, engine: Engine, benchmark: str, names: Collection[str]
) -> Iterator[SamplePrediction]:
    """Yield the candidates of all samples of one record; a frame is looked at once for all expressions."""
    num_frames = len(record.frame_names)
    annotated = range(num_frames) if record.annotated_frames is None else record.annotated_frames
    for index in annotated:
        samples = [
            (sample_name(benchmark, record.name, record.frame_names[index], expression), expression.text)
            for expression in record.expressions
        ]
        wanted = [(name, text) for name, text in samples if name in names]
        if not wanted:
            continue
        # An image is a clip of one frame, whatever the length of the model's windows.
        length = engine.inputs.window_length if num_frames > 1 else 1
        indices, place = window_around(index, num_frames, length or num_frames)
        images = record.frames.read(indices)
        size = (int(images.shape[1]), int(images.shape[2]))
        frames = [prepare(Frame(0, 0.0, "", image), engine) for image in images]
        text = engine.encode_expressions([text for _, text in wanted])
        found = engine.find_in_frame(frames, place, text)
        input_size = (int(frames[0].shape[-2]), int(frames[0].shape[-1]))
        for row, (name, _) in enumerate(wanted):
            masks = engine.make_masks(found.mask_logits[row], input_size, size)
            yield from _rows(name, found, row, masks, size)


def _rows(
    name: str, found: FrameCandidates, row: int, masks: Bool[Tensor, "q H W"], size: tuple[int, int]
) -> Iterator[SamplePrediction]:
    boxes = _boxes(found, row, size)
    for rle, score, box in zip(encode_rle(masks), found.scores[row].tolist(), boxes, strict=True):
        yield SamplePrediction(image_id=name, score=score, counts=rle["counts"], size=size, bbox=box)


def _boxes(found: FrameCandidates, row: int, size: tuple[int, int]) -> Sequence[tuple[float, ...]]:
    """Return x, y, width and height of each candidate in pixels of the frame."""
    if found.boxes is None:
        return [()] * found.scores.shape[1]
    corners: Float[Tensor, "q 4"] = pixel_boxes(found.boxes[row], size)
    sides = torch.cat((corners[:, :2], corners[:, 2:] - corners[:, :2]), dim=1)
    return [tuple(box) for box in sides.tolist()]
