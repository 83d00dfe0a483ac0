"""The little videos of the goldens of propagation: an ellipse and a rectangle move over a smooth ground.

Axes: t frames, H W pixels.
"""

import numpy as np
from jaxtyping import Float

_COLOURS = ((1.2, -0.4, 0.3), (-0.8, 0.9, -1.1))
"""Added to the ground where the ellipse is, and where the rectangle is."""


def draw_scene(noise: Float[np.ndarray, "t 3 H W"]) -> Float[np.ndarray, "t 3 H W"]:
    """Draw a video over ``noise`` of deviation 1, normalised already.

    The ellipse moves 2 rows down and 3 columns right a frame, the rectangle 1 row up and 2 columns left; it
    hides the ellipse.
    """
    num_frames, _, height, width = noise.shape
    rows, columns = np.arange(height)[:, None], np.arange(width)[None, :]
    waves = [
        np.sin(2 * np.pi * (columns / width) + 0.3 * c) + np.cos(2 * np.pi * (rows / height) * (c + 1) / 2)
        for c in range(3)
    ]
    video = 0.6 * np.stack(waves) + 0.25 * noise
    for t in range(num_frames):
        down, right = 0.45 * height + 2.0 * t, 0.30 * width + 3.0 * t
        ellipse = ((rows - down) / (0.28 * height)) ** 2 + ((columns - right) / (0.16 * width)) ** 2 <= 1
        is_row = (rows >= 0.30 * height - t) & (rows < 0.72 * height - t)
        rectangle = is_row & (columns >= 0.58 * width - 2 * t) & (columns < 0.86 * width - 2 * t)
        for shown, colour in zip((ellipse & ~rectangle, rectangle), _COLOURS, strict=True):
            video[t] += shown * np.array(colour)[:, None, None]
    return video.astype(np.float32)
