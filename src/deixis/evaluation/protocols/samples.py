"""Measures of single frames: A2D- and JHMDB-Sentences (metrics, section 10), RefCOCO (section 11).

A sample is an expression in one annotated frame. Predictions with scores come as run lengths in COCO form;
those with one mask a sample come as files, and have no mAP.

Rows of files: one a sample, ``region`` its IoU, ``extra`` its ``intersection`` and ``union`` in pixels.

Legend: n samples, H W pixels, w words of a row.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

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
COLUMNS_OF_FILES = ("oIoU", "mIoU", *PRECISION)
_NO_FRAMES: Float[np.ndarray, "0"] = np.zeros(0)


def score_run_lengths(
    protocol: str,
    convention: Convention,
    ground_truth: Mapping[str, Any],
    predictions: Sequence[Mapping[str, Any]],
) -> Score:
    """Score run lengths with scores: P@K, overall and mean IoU of the best mask, mAP of all and of the best.

    Args:
        protocol: its name.
        convention: how IoUs are compared, see :func:`sample_measures`.
        ground_truth: ``images``, ``annotations``, ``categories`` in COCO form, an image a sample.
        predictions: ``image_id``, ``category_id``, ``segmentation``, ``score`` each.

    Raises:
        ValueError: a sample has no prediction, or a prediction no sample.
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


def coco_truth(truths: Iterable[VideoTruth], *, with_instance: bool = True) -> dict[str, Any]:
    """Write the truth in the COCO form of A2D- and JHMDB-Sentences; frames without the referent drop out.

    Args:
        truths: videos with expressions of one object each.
        with_instance: name samples ``v_VIDEO_f_FRAME_i_INSTANCE`` (A2D) rather than ``v_VIDEO_f_FRAME``
            (JHMDB); FRAME is the number in the frame's name.

    Raises:
        DatasetError: two samples have the same name.
    """
    images, annotations, names = [], [], set()
    for truth in truths:
        groups = [expression.object_ids for expression in truth.expressions]
        for frame in truth.frames:
            unions, (height, width) = read_unions(truth, frame, groups)
            for ids, packed in zip(groups, unions, strict=True):
                if not has_pixels(packed):
                    continue
                name = f"v_{truth.name}_f_{int(frame)}" + (f"_i_{ids[0]}" if with_instance else "")
                if name in names:
                    raise DatasetError(
                        f"two expressions give the sample {name}; they need names of their own"
                    )
                names.add(name)
                images.append({"id": name, "height": height, "width": width})
                annotations.append(
                    {
                        "id": len(annotations) + 1,
                        "image_id": name,
                        "category_id": 1,
                        "iscrowd": 0,
                        "area": int(count(packed)),
                        "segmentation": encode_rle(unpack(packed, width)[None])[0],
                    }
                )
    return {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "referent"}]}


def _first_of_each(expressions: Sequence[Expression]) -> list[Expression]:
    first: dict[tuple[int, ...], Expression] = {}
    for expression in expressions:
        first.setdefault(expression.object_ids, expression)
    return list(first.values())
