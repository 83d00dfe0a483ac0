"""Arrays of goldens that no model makes: measures of masks, learning rates.

Models know neither metrics nor training, so these stand here.
"""

from collections.abc import Mapping

import numpy as np

from deixis.metrics.region import intersection_and_union, mean_iou, overall_iou, precision_at, strict_iou
from deixis.models.golden import GoldenRun
from deixis.training.optim import rate_factor
from deixis.training.recipe import Schedule


def measure(golden: GoldenRun) -> dict[str, np.ndarray]:
    """Return the arrays of ``golden`` that are measures of stored masks or rates of a schedule."""
    arrays = {}
    if {"in_predictions", "in_targets"} <= golden.stored.keys():
        arrays |= _measure_masks(golden)
    if "poly" in golden.options:
        rule = golden.options["poly"]
        schedule = Schedule(kind="poly", power=rule["power"])
        steps = rule["iterations"]
        factors = [rate_factor(schedule, step / rule["total"], step) for step in steps]
        arrays["poly_lr"] = rule["base"] * np.array(factors)
    return arrays


def _measure_masks(golden: GoldenRun) -> Mapping[str, np.ndarray]:
    """Measure samples as RefVOS does: empty unions give 0, precision counts what lies on a threshold."""
    predictions, targets = golden.stored["in_predictions"], golden.stored["in_targets"]
    intersection, union = intersection_and_union(predictions, targets)
    ious = strict_iou(intersection, union)
    thresholds = golden.options["thresholds"]
    shares = precision_at(ious, thresholds, inclusive=True)
    return {
        "intersection": intersection,
        "union": union,
        "iou": ious,
        "mean_iou": np.array(mean_iou(ious)),
        "overall_iou": np.array(overall_iou(intersection, union)),
        "precision": np.array([shares[threshold] for threshold in thresholds]),
    }
