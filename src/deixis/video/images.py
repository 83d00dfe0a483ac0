"""Single pictures as ``uint8 [H, W, 3]`` RGB, whatever they were: files, PIL images, arrays, tensors."""

import re
import struct
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageOps, UnidentifiedImageError

from deixis.errors import SourceError

IMAGE_SUFFIXES = frozenset(
    (
        ".jpg",
        ".jpeg",
        ".png",
        ".bmp",
        ".webp",
        ".tif",
        ".tiff",
        ".ppm",
        ".pgm",
        ".pbm",
        ".pnm",
        ".jp2",
        ".tga",
    )
)
_TRANSPOSING_ORIENTATIONS = (5, 6, 7, 8)  # EXIF values that swap height and width
_ORIENTATION_TAG = 0x0112
# What PIL raises on broken files of one format or another.
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, struct.error, Image.DecompressionBombError)


def is_image_file(path: Path) -> bool:
    """Say whether ``path`` is named like a picture and not hidden."""
    return path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")


def natural_key(path: Path) -> tuple[tuple[int, int | str], ...]:
    """Return a sorting key by which ``frame2`` comes before ``frame10``."""
    parts = re.split(r"(\d+)", path.as_posix())
    return tuple((0, int(part)) if part.isdecimal() else (1, part) for part in parts)


def read_image(path: Path) -> UInt8[np.ndarray, "H W 3"]:
    """Read a picture upright (EXIF orientation honoured) as RGB.

    Raises:
        SourceError: the file is missing, empty, or not a picture that can be decoded to its end.
    """
    with _open(path) as image:
        try:
            image.load()
        except _BROKEN as error:
            raise SourceError(f"{path} cannot be decoded ({error}); copy it again or remove it") from error
        return rgb_from_pil(image, str(path))


def read_image_size(path: Path) -> tuple[int, int]:
    """Return the height and width of the upright picture from the head of the file.

    Raises:
        SourceError: as :func:`read_image`, as far as the head of the file shows it.
    """
    with _open(path) as image:
        width, height = image.size
        # Of a PNG without EXIF in its head, getexif would decode all pixels to look behind them.
        exif = {} if image.format == "PNG" and "exif" not in image.info else image.getexif()
        is_turned = exif.get(_ORIENTATION_TAG) in _TRANSPOSING_ORIENTATIONS
        return (width, height) if is_turned else (height, width)


def _open(path: Path) -> Image.Image:
    if not path.is_file():
        raise SourceError(f"there is no file {path}; check the path")
    if path.stat().st_size == 0:
        raise SourceError(f"{path} is empty; copy it again or remove it")
    try:
        return Image.open(path)
    except UnidentifiedImageError as error:
        raise SourceError(f"{path} is not a picture that can be read; copy it again or remove it") from error
    except _BROKEN as error:
        raise SourceError(f"{path} cannot be read ({error}); copy it again or remove it") from error


def rgb_from_pil(image: Image.Image, what: str) -> UInt8[np.ndarray, "H W 3"]:
    """Turn a PIL image of any mode upright and to RGB.

    16-bit grey keeps its upper 8 bits; transparent pixels are laid on white.

    Raises:
        SourceError: pixels are floating point numbers, whose range nothing tells.
    """
    image = ImageOps.exif_transpose(image)
    if image.mode == "F":
        raise SourceError(f"{what} holds floating point pixels; save it with 8 bits a channel")
    if image.mode.startswith("I"):
        grey = np.clip(np.asarray(image), 0, 65535).astype(np.uint16)
        return rgb_from_array(grey, what)
    if image.has_transparency_data:
        return _lay_on_white(np.asarray(image.convert("RGBA")))
    return np.array(image.convert("RGB"))  # a copy: PIL's own buffer is read-only


def rgb_from_array(array: Any, what: str, is_channels_first: bool = False) -> UInt8[np.ndarray, "H W 3"]:
    """Turn one picture (numpy, or anything with ``detach`` as tensors have) to RGB.

    Args:
        array: ``uint8`` or ``uint16``, ``[H, W]``, ``[H, W, 1]``, ``[H, W, 3]`` or ``[H, W, 4]``.
        what: its name in errors.
        is_channels_first: the channels are the first axis.

    Raises:
        SourceError: another type of number or another shape.
    """
    if hasattr(array, "detach"):
        array = array.detach().cpu().numpy()
    array = np.asarray(array)
    if array.dtype == np.uint16:
        array = (array >> 8).astype(np.uint8)
    if array.dtype != np.uint8:
        raise SourceError(f"{what} holds {array.dtype} numbers; give uint8 pixels from 0 to 255")
    if is_channels_first:
        array = array.transpose(1, 2, 0)
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4) or 0 in array.shape:
        raise SourceError(f"{what} has the shape {array.shape}; give [height, width, 3] (or 1 or 4 channels)")
    if array.shape[2] == 4:
        return _lay_on_white(array)
    # A copy: callers may reuse their buffer for the next frame while this one waits in a window.
    return np.broadcast_to(array, (*array.shape[:2], 3)).copy()


def _lay_on_white(rgba: UInt8[np.ndarray, "H W 4"]) -> UInt8[np.ndarray, "H W 3"]:
    alpha = rgba[:, :, 3:].astype(np.uint16)
    mixed = rgba[:, :, :3] * alpha + 255 * (255 - alpha)
    return ((mixed + 127) // 255).astype(np.uint8)
