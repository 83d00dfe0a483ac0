"""Measures that look at what is not the referent: accuracy and robustness of ReVOS (metrics, section 9).

Legend: t frames, H W pixels.
"""

import numpy as np
from jaxtyping import Float, Shaped

from deixis.metrics.packed import count, pack
from deixis.metrics.region import check_masks


def pixel_accuracy(
    prediction: Shaped[np.ndarray, "t H W"], annotation: Shaped[np.ndarray, "t H W"]
) -> Float[np.ndarray, "t"]:
    """Return the share of pixels on which both masks agree (A)."""
    first, second = (pack(masks) for masks in check_masks(prediction, annotation))
    num_pixels = annotation.shape[-2] * annotation.shape[-1]
    return (num_pixels - count(first ^ second)) / num_pixels


def robustness(
    prediction: Shaped[np.ndarray, "t H W"],
    annotation: Shaped[np.ndarray, "t H W"],
    foreground: Shaped[np.ndarray, "t H W"],
) -> Float[np.ndarray, "t"]:
    """Return R: 1 less the wrongly predicted pixels over those of all foreground objects, at least 0.

    Args:
        prediction: masks; any non-zero pixel is foreground.
        annotation: masks of the referents.
        foreground: masks of everything in the video that might be named.
    """
    first, second = (pack(masks) for masks in check_masks(prediction, annotation, None))
    wrong, all_objects = count(first & ~second), count(pack(foreground))
    return np.maximum(1 - wrong / (all_objects + 1e-6), 0.0)
