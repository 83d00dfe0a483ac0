"""Frames whose motion is known."""

import cv2
import numpy as np


def texture(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Smooth noise with detail to follow."""
    noise = np.random.default_rng(seed).uniform(0, 255, (height, width, 3)).astype(np.float32)
    smooth = sum(cv2.GaussianBlur(noise, (0, 0), sigma) * sigma for sigma in (1.5, 4))
    low, high = smooth.min(), smooth.max()
    return ((smooth - low) / (high - low) * 255).astype(np.uint8)


def window(picture: np.ndarray, top: int, left: int, size: tuple[int, int]) -> np.ndarray:
    """What a camera sees of a larger picture."""
    return np.ascontiguousarray(picture[top : top + size[0], left : left + size[1]])


def moving_square(
    num_frames: int, size: tuple[int, int] = (96, 128), *, pan: int = 2, step: int = -4
) -> tuple[np.ndarray, np.ndarray]:
    """Frames of a panning camera with a square that moves against it, and the square's masks."""
    background, square = texture(size[0] + 20, size[1] + 10 * num_frames, 1), texture(30, 30, 2)
    frames, masks = [], []
    for index in range(num_frames):
        frame = window(background, 10, pan * index, size)
        left = size[1] - 45 + step * index
        frame[30:60, left : left + 30] = square
        mask = np.zeros(size, bool)
        mask[30:60, left : left + 30] = True
        frames.append(frame)
        masks.append(mask)
    return np.stack(frames), np.stack(masks)
