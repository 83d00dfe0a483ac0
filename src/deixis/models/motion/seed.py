"""Which pixels move by themselves: the seed of the motion baseline.

Axes: H W pixels of the frame.
"""

import numpy as np
from jaxtyping import Float

from deixis.flow.motion import magnitude_of, still_below

PERCENTILE = 99.5
STEEPNESS = 3.0
LIMIT = 4.0
"""Largest absolute value of the logits."""


def seed_logits(vectors: Float[np.ndarray, "m H W"]) -> Float[np.ndarray, "H W"]:
    """Return ``3 ln(q / threshold)``, within +-4, of the residual motion ``q``.

    ``q`` is the smaller magnitude of flow forward and backward, which leaves out what is only uncovered or
    covered by the object. The threshold is Otsu's on ``q / p99.5``. A frame in which nothing moves by a pixel
    (at 480 rows) is -4 everywhere.

    Args:
        vectors: u and v in pixels after compensation of the camera, of one direction or of two.
    """
    pairs = vectors.reshape(-1, 2, *vectors.shape[1:])
    magnitude = np.minimum.reduce([magnitude_of(np.moveaxis(pair, 0, -1)) for pair in pairs])
    scale = float(np.percentile(magnitude, PERCENTILE))
    if scale < still_below(magnitude.shape[0]):
        return np.full(magnitude.shape, -LIMIT, np.float32)
    threshold = max(otsu(magnitude / np.float32(scale)), 1 / 255) * scale
    ratio = np.maximum(magnitude / np.float32(threshold), 1e-6)
    return np.clip(STEEPNESS * np.log(ratio), -LIMIT, LIMIT).astype(np.float32)


def otsu(values: Float[np.ndarray, "H W"]) -> float:
    """Return the threshold in [0, 1] that separates two classes of ``values`` best (Otsu, 1979)."""
    import cv2

    levels = np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)
    level, _ = cv2.threshold(levels, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    return level / 255
