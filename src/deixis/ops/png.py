"""Label maps and masks from PNG files, decoded at the speed of the inflation.

A mask compresses to a hundredth of its pixels, so nearly all of the time goes into inflating and moving rows.
Here a file is inflated in one call into a buffer of the right size; rows that were stored as they are, as
differences to the left or to the row above are undone by whole runs. That is how palettes and single bits are
stored. Grey images of 8 bits mix in filters that only a loop over pixels can undo: they go through Pillow.

Legend: H W pixels, B bytes of a row as stored, C without the number of its filter.
"""

import io
import struct
import zlib
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8
from PIL import Image, UnidentifiedImageError

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY, _PALETTE = 0, 3
_NONE, _SUB, _UP = 0, 1, 2
_MAX_PIXELS = 1 << 28


class _Header(NamedTuple):
    """The first chunk of a PNG."""

    width: int
    height: int
    depth: int
    colour: int
    compression: int
    filtering: int
    interlacing: int


def decode_label_map(data: bytes) -> UInt8[np.ndarray, "H W"]:
    """Decode a palette or grey PNG to the values that it stores, never to colours.

    Values are those that Pillow gives: indices of a palette, 0 and 1 of one bit, grey of 2 or 4 bits spread
    over 0 to 255.

    Args:
        data: the file.

    Returns:
        The values; the array may be read-only.

    Raises:
        ValueError: the file is damaged, is no PNG, or stores colours.
    """
    header, payload = _read_chunks(data)
    if header is not None and header.colour not in (_GREY, _PALETTE):
        raise ValueError("stores colours, not ids; save masks as palette or grey PNG")
    if header is None or not _is_simple(header):
        return _decode_with_pillow(data)
    rows = _undo_filters(_inflate(header, payload))
    if rows is None:
        return _decode_with_pillow(data)
    return rows[:, : header.width] if header.depth == 8 else _spread(rows, header)


def decode_brightness(data: bytes) -> UInt8[np.ndarray, "H W"]:
    """Decode a PNG of any kind to greys: masks that were saved as black and white pictures in colours.

    Raises:
        ValueError: the file is damaged or is no PNG.
    """
    check_png(data)
    return _decode_with_pillow(data, mode="L")


def stores_colours(data: bytes) -> bool:
    """Tell whether a PNG has colours in its pixels, and not ids or greys.

    Raises:
        ValueError: it is damaged.
    """
    header, _ = _read_chunks(data)
    return header is not None and header.colour not in (_GREY, _PALETTE)


def check_png(data: bytes) -> None:
    """Check what other decoders overlook: that the file is whole and its checksums are right.

    Raises:
        ValueError: it is damaged, or is no PNG.
    """
    header, _ = _read_chunks(data)
    if header is None:
        raise ValueError("is no PNG; copy it again")


def _read_chunks(data: bytes) -> tuple[_Header | None, bytes]:
    """Return the header and the compressed rows; None for a file that Pillow may know better.

    Raises:
        ValueError: the file ends early or a checksum is wrong.
    """
    if not data.startswith(_SIGNATURE):
        return None, b""
    header, parts, place = None, [], len(_SIGNATURE)
    view = memoryview(data)
    while place + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, place)
        end = place + 12 + length
        if end > len(data):
            break
        if kind in (b"IHDR", b"IDAT"):
            body = view[place + 4 : end - 4]
            if zlib.crc32(body) != struct.unpack_from(">I", data, end - 4)[0]:
                raise ValueError("is damaged: a checksum is wrong; copy it again")
            if kind == b"IDAT":
                parts.append(body[4:])
            elif length == 13:
                header = _Header._make(struct.unpack_from(">IIBBBBB", data, place + 8))
        elif kind == b"IEND":
            return header, b"".join(parts)
        place = end
    raise ValueError("is damaged: it ends early; copy it again")


def _is_simple(header: _Header) -> bool:
    """Tell whether rows can be taken over as they are stored."""
    depths = (1, 2, 4, 8) if header.colour == _PALETTE else (1,)
    is_sized = 0 < header.width * header.height <= _MAX_PIXELS
    is_plain = (header.compression, header.filtering, header.interlacing) == (0, 0, 0)
    return header.depth in depths and is_sized and is_plain


def _inflate(header: _Header, payload: bytes) -> UInt8[np.ndarray, "H B"]:
    """Inflate the rows, each led by the number of its filter.

    Raises:
        ValueError: there are fewer bytes than the header promises.
    """
    stride = (header.width * header.depth + 7) // 8 + 1
    expected = header.height * stride
    try:
        # Chunks have checksums of their own: the one of the inflated bytes would cost a sixth more.
        raw = zlib.decompressobj(-zlib.MAX_WBITS).decompress(memoryview(payload)[2:], expected)
    except zlib.error as error:
        raise ValueError(f"is damaged ({error}); copy it again") from error
    if len(raw) != expected:
        raise ValueError(f"is damaged: {len(raw)} bytes of rows instead of {expected}; copy it again")
    return np.frombuffer(raw, np.uint8).reshape(header.height, stride)


def _undo_filters(stored: UInt8[np.ndarray, "H B"]) -> UInt8[np.ndarray, "H C"] | None:
    """Return the rows without filters; None where a row has one that depends on more than one neighbour."""
    filters = stored[:, 0]
    if not filters.any():
        return stored[:, 1:]
    if filters.max() > _UP:
        return None
    rows = stored[:, 1:].copy()
    starts = [0, *(np.flatnonzero(np.diff(filters)) + 1).tolist(), len(rows)]
    for first, after in pairwise(starts):
        run = rows[first:after]
        if filters[first] == _SUB:
            np.add.accumulate(run, axis=1, dtype=np.uint8, out=run)
        elif filters[first] == _UP:
            if first:
                run[0] += rows[first - 1]
            np.add.accumulate(run, axis=0, dtype=np.uint8, out=run)
    return rows


def _spread(rows: UInt8[np.ndarray, "H C"], header: _Header) -> UInt8[np.ndarray, "H W"]:
    """Give every value of 1, 2 or 4 bits a byte of its own."""
    if header.depth == 1:
        return np.unpackbits(rows, axis=1, count=header.width)
    num_values = 8 // header.depth
    shifts = np.arange(num_values - 1, -1, -1, dtype=np.uint8) * np.uint8(header.depth)
    values = (rows[..., None] >> shifts) & np.uint8((1 << header.depth) - 1)  # H C values
    return values.reshape(len(rows), -1)[:, : header.width]


def _decode_with_pillow(data: bytes, mode: str | None = None) -> UInt8[np.ndarray, "H W"]:
    try:
        with Image.open(io.BytesIO(data)) as image:
            if mode is not None:
                return np.asarray(image.convert(mode))
            if image.mode not in ("P", "L", "1"):
                raise ValueError(f"stores {image.mode} colours, not ids; save masks as palette or grey PNG")
            return np.asarray(image, np.uint8)
    except (OSError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise ValueError(f"cannot be decoded ({error}); copy it again") from error
