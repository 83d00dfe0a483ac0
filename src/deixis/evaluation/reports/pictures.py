"""Pictures of single frames for a report: truth and prediction over the frame, small, as data URIs.

Legend: H W pixels.
"""

import base64
import io
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Shaped, UInt8
from PIL import Image

MISSED, WRONG, RIGHT = (58, 134, 255), (235, 70, 60), (60, 190, 90)
"""Colours of truth that was not predicted, of prediction that is not true, and of both."""

_WIDEST = 300
_OPACITY = 0.55


@dataclass(frozen=True)
class Picture:
    """A picture of one frame.

    Attributes:
        caption: says which frame it is and how it scored.
        uri: the picture itself, ``data:image/jpeg;base64,...``.
    """

    caption: str
    uri: str


def overlay(
    truth: Shaped[np.ndarray, "H W"],
    prediction: Shaped[np.ndarray, "H W"],
    frame: UInt8[np.ndarray, "H W 3"] | None = None,
) -> UInt8[np.ndarray, "H W 3"]:
    """Colour a frame, made grey, by what of truth and prediction agrees; any non-zero pixel is foreground.

    Args:
        truth: annotated mask.
        prediction: predicted mask.
        frame: the image; None: a grey one. One of another size is brought to that of the masks.
    """
    truth, prediction = truth != 0, prediction != 0
    if frame is None:
        image = np.full((*truth.shape, 3), 32, np.uint8)
    elif frame.shape[:2] != truth.shape:
        image = np.array(Image.fromarray(frame).resize(truth.shape[::-1]))
    else:
        image = frame.copy()
    # Without colours of its own the frame cannot be taken for a mask.
    image[:] = image.mean(axis=2, keepdims=True)
    opacity = 1.0 if frame is None else _OPACITY
    _tint(image, truth & ~prediction, MISSED, opacity)
    _tint(image, ~truth & prediction, WRONG, opacity)
    _tint(image, truth & prediction, RIGHT, opacity)
    return image


def make_picture(image: UInt8[np.ndarray, "H W 3"], caption: str) -> Picture:
    """Shrink an image and turn it into a data URI."""
    height, width = image.shape[:2]
    small = Image.fromarray(image)
    if width > _WIDEST:
        small = small.resize((_WIDEST, max(1, round(height * _WIDEST / width))), Image.Resampling.BILINEAR)
    content = io.BytesIO()
    small.save(content, "JPEG", quality=80, optimize=True)
    return Picture(caption, "data:image/jpeg;base64," + base64.b64encode(content.getvalue()).decode("ascii"))


def _tint(
    image: UInt8[np.ndarray, "H W 3"], where: Bool[np.ndarray, "H W"], colour: tuple[int, ...], opacity: float
) -> None:
    """Mix a colour into the pixels ``where``, in place."""
    image[where] = (1 - opacity) * image[where] + opacity * np.array(colour)
