"""Few-shot segmentation: the mask of a class's thing in each of its images (FSS-1000).

Rows: one an image, ``region`` its IoU, ``extra`` its ``intersection`` and ``union`` in pixels.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from deixis.evaluation.protocols.base import ObjectRow, Options, Score, VideoPrediction, VideoTruth
from deixis.evaluation.protocols.frames import read_labels, read_prediction
from deixis.evaluation.protocols.samples import PRECISION, aggregate_samples
from deixis.metrics.packed import count, has_pixels, pack

COLUMNS = ("mIoU", "class mIoU", "oIoU", *PRECISION)


def score_alike(truth: VideoTruth, prediction: VideoPrediction, options: Options) -> list[ObjectRow]:
    """Score one mask for every image of a class that shows its thing.

    Raises:
        DatasetError: as ``read_prediction``.
    """
    rows = []
    for frame in truth.frames:
        labels = read_labels(truth, frame)
        annotated = pack(labels > 0)
        if not has_pixels(annotated):
            continue
        predicted = pack(read_prediction(truth, prediction, frame, labels.shape, options))
        intersection, union = int(count(predicted & annotated)), int(count(predicted | annotated))
        rows.append(
            ObjectRow(
                video=truth.name,
                name=frame,
                frames=(frame,),
                region=np.array([intersection / union]),
                contour=np.zeros(0),
                extra={"intersection": intersection, "union": union},
            )
        )
    return rows


def aggregate_alike(protocol: str, rows: Sequence[ObjectRow], options: Options) -> Score:
    """Return mean IoUs over images (UniRef++) and over classes (HSNet, VAT), overall IoU and P@K.

    The IoU of a class is the intersection of all its images over their union. K itself does not pass.
    """
    score = aggregate_samples(protocol, "mttr", rows, options)
    classes: dict[str, list[ObjectRow]] = {}
    for row in rows:
        classes.setdefault(row.video, []).append(row)
    of_classes = [
        sum(row.extra["intersection"] for row in own) / sum(row.extra["union"] for row in own)
        for own in classes.values()
    ]
    of_class = sum(of_classes) / len(of_classes) if of_classes else float("nan")
    return replace(
        score,
        parameters={"classes": len(classes), **score.parameters},
        table={"mIoU": score.table["mIoU"], "class mIoU": of_class, **score.table},
        notes=("mIoU is the mean over images, as UniRef++ has it; other papers average over classes",),
    )
