"""Colours changed at random: each frame by itself (ReferFormer), or a table for all of them.

Axes: t frames, H W pixels.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8

_ORDERS = ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0))


@dataclass(frozen=True)
class Distortion:
    """How the colours of one frame change; the defaults change nothing.

    Attributes:
        brightness: added to values of 0 to 255.
        contrast: factor.
        contrast_first: apply it before hue and saturation, not after.
        saturation: factor of the saturation of HSV.
        hue: degrees.
        channels: their new order.
    """

    brightness: float = 0.0
    contrast: float = 1.0
    contrast_first: bool = True
    saturation: float = 1.0
    hue: float = 0.0
    channels: tuple[int, int, int] = (0, 1, 2)


def draw_distortion(generator: np.random.Generator) -> Distortion:
    """Draw a change of colours (ReferFormer, code, ``PhotometricDistort``; first in SSD).

    Each with probability a half: brightness +- 32, contrast 0.5 to 1.5, saturation 0.5 to 1.5, hue +- 18
    degrees, any of the six orders of channels; contrast before or after the two of HSV, again by half.
    """
    happens = generator.random(6) < 0.5
    values = generator.uniform((-32, 0.5, 0.5, -18), (32, 1.5, 1.5, 18))
    order = int(generator.integers(len(_ORDERS)))
    return Distortion(
        brightness=values[0] if happens[0] else 0.0,
        contrast=values[1] if happens[1] else 1.0,
        contrast_first=bool(happens[2]),
        saturation=values[2] if happens[3] else 1.0,
        hue=values[3] if happens[4] else 0.0,
        channels=_ORDERS[order] if happens[5] else (0, 1, 2),
    )


def distort(
    frame: UInt8[np.ndarray, "H W 3"], change: Distortion, *, wraps: bool = False
) -> UInt8[np.ndarray, "H W 3"]:
    """Apply ``change``; values beyond a byte are clipped.

    With ``wraps`` they are taken modulo 256 after cutting off their fraction, as the published ReferFormer
    does: what is too bright turns dark.
    """
    planes = [np.ascontiguousarray(frame[..., channel]).astype(np.float32) for channel in range(3)]
    for plane in planes:
        plane += change.brightness
        if change.contrast_first:
            plane *= change.contrast
    if wraps or change.saturation != 1 or change.hue:
        _shift_hsv(planes, change.hue, change.saturation)
    changed = np.empty(frame.shape, np.uint8)
    for channel, origin in enumerate(change.channels):
        plane = planes[origin]
        if not change.contrast_first:
            plane = plane * change.contrast
        if wraps:
            changed[..., channel] = plane.astype(np.int32).astype(np.uint8)
        else:
            changed[..., channel] = np.clip(plane, 0, 255)
    return changed


def shift_hsv(frame: UInt8[np.ndarray, "H W 3"], hue: float, saturation: float) -> UInt8[np.ndarray, "H W 3"]:
    """Turn the hue by degrees and add ``saturation``, of 1, to the saturation of HSV."""
    planes = [np.ascontiguousarray(frame[..., channel]).astype(np.float32) for channel in range(3)]
    _shift_hsv(planes, hue, added=saturation)
    return np.clip(np.stack(planes, axis=-1).round(), 0, 255).astype(np.uint8)


def jitter_colours(
    frames: UInt8[np.ndarray, "t H W 3"],
    brightness: float,
    contrast: float,
    red: float,
    green: float,
    blue: float,
) -> UInt8[np.ndarray, "t H W 3"]:
    """Scale around mid-grey by ``1 + contrast``, then each channel by ``1 + brightness + its own third``.

    All arguments are relative changes; 0 changes nothing.
    """
    levels = np.arange(256, dtype=np.float32)
    contrasted = 128 + (levels - 128) * (1 + contrast)
    gains = [1 + brightness + gain / 3 for gain in (red, green, blue)]
    changed = np.empty(frames.shape, np.uint8)
    for channel, gain in enumerate(gains):
        table = np.clip(contrasted * gain, 0, 255).round().astype(np.uint8)
        changed[..., channel] = table[frames[..., channel]]
    return changed


def _shift_hsv(
    planes: list[Float[np.ndarray, "H W"]], hue: float, factor: float = 1.0, added: float = 0.0
) -> None:
    """Turn hue by degrees, scale and add to saturation of red, green and blue, in place, at constant value.

    A channel of HSV is ``V - V S f`` with ``f`` of the hue alone: without a turn of hue, a new saturation
    moves each channel along the line to the largest, which takes half of OpenCV's time. Values below 0 are
    as OpenCV has them, which divides by ``|V|``.
    """
    red, green, blue = planes
    value = np.maximum(np.maximum(red, green), blue)
    if not hue and not added:
        step = np.where(value < 0, -factor, factor) if value.min() < 0 else factor
        for plane in planes:
            plane -= value
            plane *= step
            plane += value
        return
    import cv2

    turned, saturation, value = cv2.split(cv2.cvtColor(cv2.merge(planes), cv2.COLOR_RGB2HSV))
    turned = turned + np.float32(hue)
    turned[turned >= 360] -= 360
    turned[turned < 0] += 360
    saturation = saturation * np.float32(factor)
    if added:
        saturation = np.clip(saturation + added, 0, 1)
    planes[:] = cv2.split(cv2.cvtColor(cv2.merge((turned, saturation, value)), cv2.COLOR_HSV2RGB))
