"""Masks from a seeded generator: the same pixels on every machine, for recorded official figures."""

import numpy as np

SIZES = ((97, 131), (240, 427), (61, 64), (128, 200), (33, 257))


def draw(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return annotation, prediction and void, each bool [6, H, W]: ellipses, boxes, noise and empty frames.

    Whole numbers only, so that no rounding of a platform changes a pixel.
    """
    height, width = SIZES[seed % len(SIZES)]
    generator = np.random.Generator(np.random.PCG64(seed))
    rows, columns = np.mgrid[:height, :width].astype(np.int64)
    annotation, prediction, void = (np.zeros((6, height, width), bool) for _ in range(3))
    for frame in range(6):
        for _ in range(int(generator.integers(0, 4))):
            y, x = int(generator.integers(0, height)), int(generator.integers(0, width))
            a, b = (int(value) for value in generator.integers(2, 40, 2))
            shape = (rows - y) ** 2 * b * b + (columns - x) ** 2 * a * a <= (a * b) ** 2
            annotation[frame] |= shape
            dy, dx = (int(value) for value in generator.integers(-6, 7, 2))
            prediction[frame] |= np.roll(shape, (dy, dx), axis=(0, 1))
        noise = generator.integers(0, 1000, (height, width)) < int(generator.integers(0, 12))
        prediction[frame] ^= noise
        if generator.integers(0, 3) == 0:
            y = int(generator.integers(0, height))
            void[frame, y : y + 9] = True
    return annotation, prediction, void
