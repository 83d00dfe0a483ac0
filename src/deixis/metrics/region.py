"""Region similarity J (DAVIS), and the measures of single frames: overall and mean IoU, precision at K.

Legend: t any leading axes (frames, objects), H W pixels, n samples.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float, Int, Num, Shaped

from deixis.metrics.packed import count, pack

PRECISION_THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9)
"""The K of precision@K in the A2D-Sentences, JHMDB-Sentences and RefCOCO tables."""


def check_masks(
    prediction: np.ndarray, annotation: np.ndarray, void: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return both masks with void pixels cleared; nothing is ever resized.

    Raises:
        ValueError: the shapes differ.
    """
    for name, other in (("prediction", prediction), ("void", void)):
        if other is not None and other.shape != annotation.shape:
            raise ValueError(
                f"{name} is {list(other.shape)} but annotation is {list(annotation.shape)}; "
                "bring masks to the annotation's size first"
            )
    if void is None:
        return prediction, annotation
    valid = void == 0
    return (prediction != 0) & valid, (annotation != 0) & valid


def intersection_and_union(
    prediction: Shaped[np.ndarray, "*t H W"],
    annotation: Shaped[np.ndarray, "*t H W"],
    void: Shaped[np.ndarray, "*t H W"] | None = None,
) -> tuple[Int[np.ndarray, "*t"], Int[np.ndarray, "*t"]]:
    """Count the pixels of intersection and union of each pair of masks, outside ``void``."""
    first, second = (pack(masks) for masks in check_masks(prediction, annotation, void))
    return count(first & second), count(first | second)


def region_similarity(
    prediction: Shaped[np.ndarray, "*t H W"],
    annotation: Shaped[np.ndarray, "*t H W"],
    void: Shaped[np.ndarray, "*t H W"] | None = None,
) -> Float[np.ndarray, "*t"]:
    """Return J = intersection / union of each pair of masks, 1 where the union is empty (DAVIS).

    Args:
        prediction: masks; any non-zero pixel is foreground.
        annotation: masks of the same shape.
        void: pixels to ignore.
    """
    return similarity_of_counts(*intersection_and_union(prediction, annotation, void))


def similarity_of_counts(
    intersection: Int[np.ndarray, "*n"], union: Int[np.ndarray, "*n"]
) -> Float[np.ndarray, "*n"]:
    """Return intersection / union in float64, 1 where the union is empty."""
    return np.where(union == 0, 1.0, intersection / np.maximum(union, 1))


def smoothed_iou(
    intersection: Int[np.ndarray, "*n"], union: Int[np.ndarray, "*n"]
) -> Float[np.ndarray, "*n"]:
    """Return ``(I + 1e-6) / (U + 1e-6)`` in float32, as the A2D evaluations of MTTR and ReferFormer do.

    Two empty masks give 1. An IoU of 3/5 is above 0.6 in float32, and one of 9/10 is not above 0.9: published
    tables depend on it.
    """
    smooth = np.float32(1e-6)
    return (intersection.astype(np.float32) + smooth) / (union.astype(np.float32) + smooth)


def strict_iou(intersection: Int[np.ndarray, "*n"], union: Int[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
    """Return I / U in float64, 0 where the union is empty, as RefVOS, HINet and LAVT do."""
    return intersection / np.maximum(union, 1)


def precision_at(
    ious: Num[np.ndarray, "n"],
    thresholds: Sequence[float] = PRECISION_THRESHOLDS,
    *,
    inclusive: bool = False,
) -> Mapping[float, float]:
    """Return for each K the share of samples with an IoU above K.

    Args:
        ious: one IoU a sample; NaN for no sample at all.
        thresholds: the K.
        inclusive: count an IoU of exactly K (RefVOS, HINet, LAVT); without, it must be above (MTTR,
            ReferFormer).
    """
    # float64 on the left: a float32 IoU must not round the threshold to its own precision.
    exact = ious.astype(np.float64)
    passed = [exact >= k if inclusive else exact > k for k in thresholds]
    return {
        k: float(hits.mean()) if hits.size else float("nan")
        for k, hits in zip(thresholds, passed, strict=True)
    }


def overall_iou(intersection: Int[np.ndarray, "n"], union: Int[np.ndarray, "n"]) -> float:
    """Return the sum of intersections over the sum of unions; NaN where all unions are empty."""
    total = int(union.sum())
    return int(intersection.sum()) / total if total else float("nan")


def mean_iou(ious: Num[np.ndarray, "n"]) -> float:
    """Return the plain mean of the samples' IoUs in float64; NaN for no sample."""
    return float(ious.astype(np.float64).mean()) if ious.size else float("nan")
