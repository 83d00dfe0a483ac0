"""What happens to light between the scene and the file: blur, gain, gamma, noise, JPEG."""

import numpy as np
from jaxtyping import UInt8

from .scene import Sensor

Picture = UInt8[np.ndarray, "h w 3"]

_TABLE = 64
"""Rows and columns by which the noise is moved from frame to frame."""


def draw_noise(sensor: Sensor, size: tuple[int, int], seed: int) -> np.ndarray:
    """Draw a table of noise, larger than a frame: ``int16 [h, w, 3]``."""
    rng = np.random.default_rng([seed, 12])
    shape = (size[0] + _TABLE, size[1] + _TABLE)
    grey = rng.standard_normal(shape, np.float32)
    # The colours are the same table, turned: independent enough, and a third of the cost.
    channels = np.stack([grey, 0.7 * grey + 0.7 * grey[::-1], 0.7 * grey + 0.7 * grey[:, ::-1]], axis=-1)
    return np.round(np.float32(sensor.noise) * channels).astype(np.int16)


def line_kernel(shift: tuple[float, float]) -> np.ndarray | None:
    """Return the kernel of a motion by ``shift`` pixels (x, y) while the shutter is open; None: too short."""
    import cv2

    length = float(np.hypot(*shift))
    if length < 1.5:
        return None
    length = min(length, 25.0)
    angle = np.arctan2(shift[1], shift[0])
    half = int(np.ceil(length / 2)) + 1
    kernel = np.zeros((2 * half + 1, 2 * half + 1), np.float32)
    ends = [
        (
            round((half + k * length / 2 * np.cos(angle)) * 16),
            round((half + k * length / 2 * np.sin(angle)) * 16),
        )
        for k in (-1, 1)
    ]
    cv2.line(kernel, ends[0], ends[1], 1.0, 1, cv2.LINE_8, 4)
    return kernel / max(float(kernel.sum()), 1e-6)


def expose(picture: Picture, sensor: Sensor, noise: np.ndarray, time: float, seed: int) -> Picture:
    """Return ``picture`` as the file has it."""
    import cv2

    height, width = picture.shape[:2]
    if sensor.blur:
        picture = cv2.GaussianBlur(picture, (0, 0), sensor.blur * height / 128)
    light = 1 + sensor.flicker[0] * np.sin(sensor.flicker[1] * time)
    levels = np.arange(256) / 255
    tables = [np.clip(255 * (light * gain * levels) ** sensor.gamma, 0, 255) for gain in sensor.gain]
    table = np.round(np.stack(tables, axis=-1)).astype(np.uint8)[None]
    picture = cv2.LUT(picture, table)
    y, x = np.random.default_rng([seed, 13, round(2 * time) + 10**6]).integers(0, _TABLE + 1, size=2)
    noisy = cv2.add(picture, noise[y : y + height, x : x + width], dtype=cv2.CV_8U)
    coded = cv2.imencode(
        ".jpg", cv2.cvtColor(noisy, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, sensor.quality]
    )[1]
    decoded = cv2.imdecode(coded, cv2.IMREAD_COLOR)
    assert decoded is not None
    return cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB)
