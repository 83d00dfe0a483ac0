"""The size that a frame has in a network, and the resizing to it, as the published systems do both.

Axes: t frames, n objects, H W pixels, h w resized pixels.
"""

from typing import Literal

import numpy as np
import torch
from jaxtyping import Bool, UInt8
from torch import Tensor
from torch.nn import functional as F

SizeRule = Literal["cut", "round"]
"""What becomes of parts of pixels. "cut": DETR, MTTR, ReferFormer; "round": Detectron2, UniRef."""


def resized_size(
    height: int, width: int, short_side: int, long_side: int, rule: SizeRule = "cut"
) -> tuple[int, int]:
    """Return the (height, width) that brings the short side to ``short_side`` within ``long_side``.

    Where the long side would come out longer than ``long_side``, the short side is made shorter. By the rule
    "cut" the short side is then rounded and the long one, which follows from it, cut off to whole pixels (so
    it may be ``long_side - 1``); by "round" both sides are rounded, halves up.

    Raises:
        ValueError: a size is not positive.
    """
    if min(height, width, short_side, long_side) < 1:
        raise ValueError(f"sizes must be positive, got {height}x{width} to {short_side}/{long_side}")
    shorter, longer = min(height, width), max(height, width)
    if rule == "round":
        follows = short_side / shorter * longer
        shrinking = min(long_side / max(follows, short_side), 1.0)
        sides = (max(int(side * shrinking + 0.5), 1) for side in (short_side, follows))
        small, large = sides
        return (small, large) if height < width else (large, small)
    target = short_side
    if longer / shorter * target > long_side:
        target = max(round(long_side * shorter / longer), 1)
    if shorter == target:
        return height, width
    if width < height:
        return int(target * height / width), target
    return target, int(target * width / height)


def resize_frame(
    frame: UInt8[np.ndarray, "H W 3"] | UInt8[Tensor, "3 H W"],
    short_side: int,
    long_side: int,
    rule: SizeRule = "cut",
) -> UInt8[Tensor, "3 h w"]:
    """Resize one frame to the size of :func:`resized_size`, channels first."""
    pixels = frame
    if isinstance(pixels, np.ndarray):
        pixels = torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1)
    size = resized_size(*pixels.shape[-2:], short_side, long_side, rule)
    return pixels.contiguous() if size == pixels.shape[-2:] else resize_pixels(pixels, size).contiguous()


def resize_frames(
    frames: UInt8[np.ndarray, "t H W 3"], size: tuple[int, int]
) -> UInt8[np.ndarray, "t h w 3"]:
    """Resize frames to ``size`` (h, w): bilinear with antialiasing, as PIL does."""
    resized = np.empty((len(frames), *size, 3), np.uint8)
    # One by one: copies of a frame stay in the cache, those of a clip do not.
    for place, frame in enumerate(frames):
        pixels = torch.from_numpy(_contiguous(frame)).permute(2, 0, 1)  # 3 H W
        resized[place] = resize_pixels(pixels, size).permute(1, 2, 0).numpy()
    return resized


def resize_pixels(pixels: UInt8[Tensor, "*t 3 H W"], size: tuple[int, int]) -> UInt8[Tensor, "*t 3 h w"]:
    """Resize bytes to ``size`` (h, w), within one grey level of PIL's bilinear filter.

    Resizing in bytes matters: floats differ by a level on average, and filters without antialiasing by many.
    """
    from torchvision.transforms.v2 import InterpolationMode
    from torchvision.transforms.v2 import functional as transforms

    bilinear = InterpolationMode.BILINEAR
    return transforms.resize_image(pixels, list(size), interpolation=bilinear, antialias=True)


def resize_masks(masks: Bool[np.ndarray, "n t H W"], size: tuple[int, int]) -> Bool[np.ndarray, "n t h w"]:
    """Resize masks to ``size`` (h, w) by nearest neighbour, as torch chooses it."""
    resized = np.empty((*masks.shape[:2], *size), bool)
    rows, columns = (_nearest(*sides) for sides in zip(masks.shape[2:], size, strict=True))
    for mask, target in zip(masks.reshape(-1, *masks.shape[2:]), resized.reshape(-1, *size), strict=True):
        _contiguous(mask).take(rows, 0).take(columns, 1, out=target)
    return resized


def _nearest(length: int, wanted: int) -> np.ndarray:
    """Return which of ``length`` places each of ``wanted`` takes its value from."""
    places = torch.arange(length, dtype=torch.float32)[None, None]
    return F.interpolate(places, size=wanted, mode="nearest")[0, 0].long().numpy()


def _contiguous(image: np.ndarray) -> np.ndarray:
    """Return ``[H, W]`` or ``[H, W, 3]`` bytes in one piece, as they are where they are so already.

    A mirrored view is turned back and mirrored by OpenCV, which takes a tenth of the time of numpy's copy.
    """
    if image.strides[1] >= 0 or not image.size:
        return np.ascontiguousarray(image)
    import cv2

    return cv2.flip(image[:, ::-1].view(np.uint8), 1).view(image.dtype)
