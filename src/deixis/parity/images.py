"""Raw images that are pure functions of their names, for goldens that begin with pixels.

Axes: h w pixels.
"""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

BLOCK = 16
"""Pixels of a side of a block."""


def draw_image(source: np.random.Generator, shape: Sequence[int]) -> Float[np.ndarray, "3 h w"]:
    """Draw an RGB image of whole numbers in 0..255, float32: blocks of one colour with noise on them."""
    channels, height, width = shape
    coarse = source.uniform(0, 255, (channels, math.ceil(height / BLOCK), math.ceil(width / BLOCK)))
    fine = source.uniform(-30, 30, (channels, height, width))
    blocks = coarse.repeat(BLOCK, axis=1).repeat(BLOCK, axis=2)[:, :height, :width]
    return np.rint(blocks + fine).clip(0, 255).astype(np.float32)
