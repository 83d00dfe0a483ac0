"""Measures of single frames: A2D- and JHMDB-Sentences (metrics, section 10), RefCOCO (section 11).

A sample is an expression in one annotated frame. Predictions with scores come as run lengths in COCO form;
those with one mask a sample come as files, and have no mAP.

Rows of files: one a sample, ``region`` its IoU, ``extra`` its ``intersection`` and ``union`` in pixels.

Legend: n samples, H W pixels, w words of a row.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from deixis.data.records import Expression
from deixis.errors import DatasetError
from deixis.evaluation.protocols.base import ObjectRow, Options, Score, VideoPrediction, VideoTruth
from deixis.evaluation.protocols.expressions import read_unions
from deixis.evaluation.protocols.frames import Table, read_prediction, tables_by, without_empty
from deixis.metrics.average_precision import (
    Convention,
    SampleCounts,
    average_precision,
    best_predictions,
    count_samples,
    sample_measures,
)
from deixis.metrics.packed import count, has_pixels, pack, unpack
from deixis.metrics.region import PRECISION_THRESHOLDS
from deixis.ops.run_lengths import encode_rle

PRECISION = tuple(f"P@{threshold}" for threshold in PRECISION_THRESHOLDS)
COLUMNS_OF_RUN_LENGTHS = (*PRECISION, "oIoU", "mIoU", "mAP 0.5:0.95", "mAP 0.5:0.95 (best mask)")
COLUMNS_OF_BOXES = ("box P@0.5", *COLUMNS_OF_RUN_LENGTHS)
COLUMNS_OF_FILES = ("oIoU", "mIoU", *PRECISION)
_NO_FRAMES: Float[np.ndarray, "0"] = np.zeros(0)


def score_run_lengths(
    protocol: str,
    convention: Convention,
    ground_truth: Mapping[str, Any],
    predictions: Sequence[Mapping[str, Any]],
    *,
    has_boxes: bool = False,
) -> Score:
    """Score run lengths with scores: P@K, overall and mean IoU of the best mask, mAP of all and of the best.

    Args:
        protocol: its name.
        convention: how IoUs are compared, see :func:`sample_measures`.
        ground_truth: ``images``, ``annotations``, ``categories`` in COCO form, an image a sample.
        predictions: ``image_id``, ``category_id``, ``segmentation``, ``score`` each.
        has_boxes: score ``bbox`` of the best prediction, too: the share of samples with an IoU above 0.5.

    Raises:
        ValueError: a sample has no prediction, or a prediction no sample, or no box.
    """
    counts = count_samples(ground_truth, predictions)
    measures = sample_measures(counts, convention)
    every = average_precision(ground_truth, predictions)
    best = average_precision(ground_truth, list(best_predictions(predictions).values()))
    name = "mAP 0.5:0.95"
    ious = counts.ious(convention).astype(np.float64)
    rows = tuple(
        ObjectRow(
            video=image,
            name=image,
            frames=(image,),
            region=ious[place : place + 1],
            contour=_NO_FRAMES,
            extra={
                "intersection": int(counts.intersection[place]),
                "union": int(counts.union[place]),
            },
        )
        for place, image in enumerate(counts.image_ids)
    )
    return Score(
        protocol=protocol,
        parameters={"convention": convention, "samples": len(rows), "predictions": len(predictions)},
        table={
            **({"box P@0.5": box_precision(ground_truth, predictions)} if has_boxes else {}),
            **{column: measures[column] for column in PRECISION},
            "oIoU": measures["overall_iou"],
            "mIoU": measures["mean_iou"],
            name: every[name],
            f"{name} (best mask)": best[name],
        },
        groups={"average precision": {"all masks": every, "best mask": best}},
        rows=rows,
        notes=("published mAP takes all masks of a sample; papers differ: both are given",),
    )


def box_precision(ground_truth: Mapping[str, Any], predictions: Sequence[Mapping[str, Any]]) -> float:
    """Return the share of samples whose best prediction has a box of an IoU above 0.5 with the truth's.

    This is the accuracy of referring expression comprehension. Boxes are x, y, width, height (ReferFormer,
    code, on RefCOCO).

    Raises:
        ValueError: a prediction has no box.
    """
    best = best_predictions(predictions)
    pairs = [
        (annotation["bbox"], best[annotation["image_id"]].get("bbox"))
        for annotation in ground_truth["annotations"]
    ]
    if any(box is None for _, box in pairs):
        raise ValueError("boxes are scored, but predictions have no bbox")
    truth, found = (np.array(boxes, np.float64).reshape(-1, 4) for boxes in zip(*pairs, strict=True))
    low = np.maximum(truth[:, :2], found[:, :2])
    high = np.minimum(truth[:, :2] + truth[:, 2:], found[:, :2] + found[:, 2:])
    intersection = (high - low).clip(min=0).prod(axis=1)
    union = truth[:, 2:].prod(axis=1) + found[:, 2:].prod(axis=1) - intersection
    return float((intersection > 0.5 * union).mean())


def sample_name(benchmark: str, video: str, frame: str, expression: Expression) -> str:
    """Return the name of a sample, unique in its benchmark.

    ``v_VIDEO_f_FRAME_i_INSTANCE`` (A2D-Sentences), ``v_VIDEO_f_FRAME`` (JHMDB-Sentences), where FRAME is the
    number in the frame's name, else ``IMAGE/EXPRESSION``.
    """
    if benchmark == "a2d-sentences":
        return f"v_{video}_f_{int(frame)}_i_{expression.object_ids[0]}"
    if benchmark == "jhmdb-sentences":
        return f"v_{video}_f_{int(frame)}"
    return f"{video}/{expression.id}"


def score_files(
    truth: VideoTruth,
    prediction: VideoPrediction,
    options: Options,
    *,
    first_of_each_object: bool = False,
) -> list[ObjectRow]:
    """Score one mask for every expression and frame in which its referent is visible.

    Args:
        truth: of an image, or of a video with a few annotated frames.
        prediction: ``key`` is the expression's id.
        options: see there.
        first_of_each_object: leave out all but the first expression of each object, the closest that can be
            repeated to UniRef's evaluation, which draws one at random.

    Raises:
        DatasetError: as ``read_prediction``.
    """
    expressions = _first_of_each(truth.expressions) if first_of_each_object else truth.expressions
    if not expressions:
        raise DatasetError(f"{truth.name} has no expressions; this protocol scores nothing else")
    rows = []
    groups = [expression.object_ids for expression in expressions]
    for frame in truth.frames:
        unions, size = read_unions(truth, frame, groups)
        for expression, annotated in zip(expressions, unions, strict=True):
            if not has_pixels(annotated):
                continue
            predicted = pack(read_prediction(truth, prediction, frame, size, options, expression.id))
            intersection, union = int(count(predicted & annotated)), int(count(predicted | annotated))
            rows.append(
                ObjectRow(
                    video=truth.name,
                    name=expression.id if len(truth.frames) == 1 else f"{expression.id}/{frame}",
                    frames=(frame,),
                    region=np.array([intersection / union]),
                    contour=_NO_FRAMES,
                    text=expression.text,
                    kinds=expression.kinds,
                    extra={"intersection": intersection, "union": union},
                )
            )
    return rows


def aggregate_samples(
    protocol: str, convention: Convention, rows: Sequence[ObjectRow], options: Options
) -> Score:
    """Return overall IoU, mean IoU and P@K over samples."""

    def table_of(chosen: Sequence[ObjectRow]) -> Table:
        counts = SampleCounts(
            tuple(f"{row.video}/{row.name}" for row in chosen),
            *(np.array([row.extra[name] for row in chosen], np.int64) for name in ("intersection", "union")),
        )
        measures = sample_measures(counts, convention)
        return {
            "oIoU": measures["overall_iou"],
            "mIoU": measures["mean_iou"],
            **{column: measures[column] for column in PRECISION},
        }

    return Score(
        protocol=protocol,
        parameters={"convention": convention, "samples": len(rows), "missing": options.missing},
        table=table_of(rows),
        groups=without_empty({"kind": tables_by(rows, lambda row: row.kinds, table_of)}),
        rows=tuple(rows),
    )


def coco_truth(truths: Iterable[VideoTruth], benchmark: str = "a2d-sentences") -> dict[str, Any]:
    """Write the truth in COCO form; frames without the referent drop out.

    Boxes are those around the masks.

    Args:
        truths: videos with expressions of one object each.
        benchmark: says how samples are named (see :func:`sample_name`).

    Raises:
        DatasetError: two samples have the same name.
    """
    images, annotations, names = [], [], set()
    for truth in truths:
        groups = [expression.object_ids for expression in truth.expressions]
        for frame in truth.frames:
            unions, (height, width) = read_unions(truth, frame, groups)
            for expression, packed in zip(truth.expressions, unions, strict=True):
                if not has_pixels(packed):
                    continue
                name = sample_name(benchmark, truth.name, frame, expression)
                if name in names:
                    raise DatasetError(
                        f"two expressions give the sample {name}; they need names of their own"
                    )
                names.add(name)
                mask = unpack(packed, width)
                images.append({"id": name, "height": height, "width": width})
                annotations.append(
                    {
                        "id": len(annotations) + 1,
                        "image_id": name,
                        "category_id": 1,
                        "iscrowd": 0,
                        "area": int(count(packed)),
                        "bbox": _box(mask),
                        "segmentation": encode_rle(mask[None])[0],
                    }
                )
    return {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "referent"}]}


def _box(mask: Bool[np.ndarray, "H W"]) -> list[int]:
    """Return x, y, width and height of the box around a mask that is not empty."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    left, top = int(columns[0]), int(rows[0])
    return [left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top]


def _first_of_each(expressions: Sequence[Expression]) -> list[Expression]:
    first: dict[tuple[int, ...], Expression] = {}
    for expression in expressions:
        first.setdefault(expression.object_ids, expression)
    return list(first.values())
