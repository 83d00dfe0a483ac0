"""Goldens of HINet's loss, motion map and merging; its network was never published.

Axes: n frames, H W pixels.
"""

import numpy as np
import torch

from deixis.flow.camera import residual_flow
from deixis.flow.motion import PERCENTILE, magnitude_of, motion_map
from deixis.losses.pixels import hardest_mean, mean_of_valid, pixel_losses
from deixis.models.golden import GoldenRun
from deixis.ops.merging import paint_in_order


def run(golden: GoldenRun) -> dict[str, np.ndarray]:
    """Return our arrays under the golden's names.

    Raises:
        ValueError: the kind of golden is none that HINet has.
    """
    if golden.kind != "ops":
        raise ValueError(f"HINet has no goldens of kind {golden.kind!r}; it has ops")
    merged = paint_in_order(golden.stored["in_masks"].astype(bool))
    return {**run_losses(golden), **run_maps(golden), "merged": merged}


def run_losses(golden: GoldenRun) -> dict[str, np.ndarray]:
    """Take the losses of stored scores."""
    scores = torch.from_numpy(golden.stored["in_logits"])
    labels = torch.from_numpy(golden.stored["in_target"])
    weights, share = golden.options["class_weights"], golden.options["hardest_share"]
    plain, weighted = pixel_losses(scores, labels), pixel_losses(scores, labels, weights)
    hardest = hardest_mean(weighted, share)
    arrays = {
        "loss_plain": mean_of_valid(plain, labels),
        "loss_weighted": mean_of_valid(weighted, labels, weights),
        "pixel_loss": weighted,
        "loss_hardest_per_image": hardest,
        "loss_hardest": hardest.mean(),
    }
    return {name: value.numpy() for name, value in arrays.items()}


def run_maps(golden: GoldenRun) -> dict[str, np.ndarray]:
    """Turn stored flow into maps of motion."""
    flow, still = (np.moveaxis(golden.stored[name], 0, -1) for name in ("in_flow", "in_still_flow"))
    by_mean = magnitude_of(residual_flow(flow, "mean"))
    return {
        "mag_mean": by_mean,
        "mag_median": magnitude_of(residual_flow(flow, "median")),
        "mag_mean_p99": np.array(np.percentile(by_mean, PERCENTILE)),
        "input_map": motion_map(flow),
        "still_map_max": np.array(motion_map(still).max()),
    }
