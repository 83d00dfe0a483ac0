"""Measures of A2D- and JHMDB-Sentences: mask AP through COCO's evaluation, and those of the best mask.

A sample is one expression in one annotated frame with one referent. Ground truth and predictions are in COCO
form: an image a sample, run lengths as segmentations (MTTR, section 11; metrics, section 10).
"""

import contextlib
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Int

from deixis.metrics.region import mean_iou, overall_iou, precision_at, smoothed_iou, strict_iou

AVERAGE_PRECISION_NAMES = (
    "mAP 0.5:0.95",
    "AP 0.5",
    "AP 0.75",
    "AP S",
    "AP M",
    "AP L",
    "AR 1",
    "AR 10",
    "AR 100",
)
"""COCO's figures in its order; S, M, L: ground truth below 32^2, below 96^2, and above."""

Convention = Literal["mttr", "lavt"]
"""How IoUs are compared: see :func:`sample_measures`."""


@dataclass(frozen=True)
class SampleCounts:
    """Pixels of the best mask of each of n samples against the ground truth."""

    image_ids: tuple[str, ...]
    intersection: Int[np.ndarray, "n"]
    union: Int[np.ndarray, "n"]

    def ious(self, convention: Convention = "mttr") -> Float[np.ndarray, "n"]:
        """Return one IoU a sample, as ``convention`` computes it."""
        formula = smoothed_iou if convention == "mttr" else strict_iou
        return formula(self.intersection, self.union)


def average_precision(
    ground_truth: Mapping[str, Any], predictions: Sequence[Mapping[str, Any]]
) -> dict[str, float]:
    """Return COCO's mask AP and AR over all samples: classes ignored, all areas, IoU 0.50 to 0.95.

    Detections of all samples are ranked together, so the figures depend on how scores compare across samples.
    Published tables give all queries of a sample; :func:`best_predictions` leaves the best only.

    Args:
        ground_truth: ``images``, ``annotations``, ``categories`` in COCO form; image ids may be strings.
        predictions: ``image_id``, ``category_id``, ``segmentation``, ``score`` each.

    Raises:
        ValueError: a prediction names an image that the ground truth lacks, or there are no predictions.
    """
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    _check_images(ground_truth, predictions)
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = {**ground_truth, "annotations": [_with_area(a) for a in ground_truth["annotations"]]}
        truth.createIndex()
        # COCO writes into what it is given, and would take the areas of masks from boxes beside them.
        results = truth.loadRes(
            [{name: value for name, value in one.items() if name != "bbox"} for one in predictions]
        )
        evaluation = COCOeval(truth, results, iouType="segm")
        evaluation.params.useCats = 0
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return {
        name: float(value) for name, value in zip(AVERAGE_PRECISION_NAMES, evaluation.stats[:9], strict=True)
    }


def best_predictions(predictions: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Return for each image the prediction of the highest score, the last one on ties (MTTR, ReferFormer)."""
    best: dict[str, Mapping[str, Any]] = {}
    for prediction in predictions:
        held = best.get(prediction["image_id"])
        if held is None or prediction["score"] >= held["score"]:
            best[prediction["image_id"]] = prediction
    return best


def count_samples(ground_truth: Mapping[str, Any], predictions: Sequence[Mapping[str, Any]]) -> SampleCounts:
    """Count the pixels of the best mask of each sample, in the order of the ground truth's annotations.

    Raises:
        ValueError: a sample has no prediction, or a prediction no sample.
    """
    from pycocotools import mask as rle

    _check_images(ground_truth, predictions)
    best = best_predictions(predictions)
    image_ids = tuple(annotation["image_id"] for annotation in ground_truth["annotations"])
    missing = [image_id for image_id in image_ids if image_id not in best]
    if missing:
        raise ValueError(
            f"{len(missing)} samples have no prediction, the first: {', '.join(map(str, missing[:10]))}"
        )
    pairs = [
        [annotation["segmentation"], best[annotation["image_id"]]["segmentation"]]
        for annotation in ground_truth["annotations"]
    ]
    intersection = [int(rle.area(rle.merge(pair, intersect=True))) for pair in pairs]
    union = [int(rle.area(rle.merge(pair, intersect=False))) for pair in pairs]
    return SampleCounts(image_ids, np.array(intersection, np.int64), np.array(union, np.int64))


def sample_measures(counts: SampleCounts, convention: Convention = "mttr") -> dict[str, float]:
    """Return ``P@0.5`` to ``P@0.9``, ``overall_iou`` and ``mean_iou`` of the samples' best masks.

    Args:
        counts: pixels of the best masks.
        convention: "mttr" (also ReferFormer, UniRef): smoothed IoU in float32, two empty masks 1, P@K counts
            what is above K. "lavt" (also RefVOS, HINet): plain IoU, empty union 0, P@K counts K itself too.
    """
    ious = counts.ious(convention)
    shares = precision_at(ious, inclusive=convention == "lavt")
    return {
        **{f"P@{threshold}": share for threshold, share in shares.items()},
        "overall_iou": overall_iou(counts.intersection, counts.union),
        "mean_iou": mean_iou(ious),
    }


def _check_images(ground_truth: Mapping[str, Any], predictions: Sequence[Mapping[str, Any]]) -> None:
    """Raise where predictions are none or speak of images that the ground truth lacks."""
    if not predictions:
        raise ValueError("there are no predictions to score")
    known = {image["id"] for image in ground_truth["images"]}
    unknown = sorted({str(p["image_id"]) for p in predictions if p["image_id"] not in known})
    if unknown:
        raise ValueError(
            f"{len(unknown)} image ids of the predictions are not in the ground truth, the first: "
            f"{', '.join(unknown[:10])}"
        )


def _with_area(annotation: Mapping[str, Any]) -> dict[str, Any]:
    """Return the annotation with the fields that COCO's evaluation needs."""
    from pycocotools import mask as rle

    area = annotation.get("area")
    return {
        "iscrowd": 0,
        **annotation,
        "area": float(rle.area(annotation["segmentation"])) if area is None else area,
    }
