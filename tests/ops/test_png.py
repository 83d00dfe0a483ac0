"""Label maps from PNGs: the same values as Pillow's, whatever the file stores and however it is filtered."""

import io
import itertools
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from PIL import Image

from deixis.ops import png
from deixis.ops.png import decode_label_map


def saved(image: Image.Image, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG", **options)
    return file.getvalue()


def palette_image(labels: np.ndarray) -> Image.Image:
    image = Image.fromarray(labels)
    image.putpalette(list(range(256)) * 3)
    return image


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def stored_with(labels: np.ndarray, filters: list[int], parts: int = 1) -> bytes:
    """Write a palette PNG of 8 bits with a chosen filter for each row, its data cut into chunks."""
    height, width = labels.shape
    rows = bytearray()
    above = np.zeros(width, np.uint8)
    for row, number in zip(labels, filters, strict=True):
        left = np.concatenate([[np.uint8(0)], row[:-1]])
        corner = np.concatenate([[np.uint8(0)], above[:-1]])
        average = ((left.astype(int) + above) // 2).astype(np.uint8)
        guess = left.astype(int) + above - corner
        candidates = np.stack([left, above, corner]).astype(int)
        paeth = np.take_along_axis(candidates, np.abs(candidates - guess).argmin(0)[None], 0)[0]
        base = (np.zeros(width, np.uint8), left, above, average, paeth.astype(np.uint8))[number]
        rows += bytes([number]) + (row - base).tobytes()
        above = row
    data = zlib.compress(bytes(rows))
    cuts = [len(data) * part // parts for part in range(parts + 1)]
    pieces = [chunk(b"IDAT", data[first:after]) for first, after in itertools.pairwise(cuts)]
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    chunks = [chunk(b"IHDR", header), chunk(b"PLTE", bytes(768)), *pieces, chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@settings(max_examples=40, deadline=None)
@given(npst.arrays(np.uint8, npst.array_shapes(min_dims=2, max_dims=2, max_side=20)), st.data())
def test_filters_of_rows_and_cut_data_are_undone(labels, data):
    highest = data.draw(st.sampled_from([0, 2, 4]))
    filters = [data.draw(st.integers(0, highest)) for _ in labels]
    np.testing.assert_array_equal(decode_label_map(stored_with(labels, filters, 3)), labels)


@settings(max_examples=30, deadline=None)
@given(npst.arrays(np.uint8, npst.array_shapes(min_dims=2, max_dims=2, max_side=40)))
def test_palette_and_grey_images_keep_their_values(labels):
    for image in (palette_image(labels), Image.fromarray(labels)):
        np.testing.assert_array_equal(decode_label_map(saved(image)), labels)


@pytest.mark.parametrize("bits", [1, 2, 4])
@pytest.mark.parametrize("width", [1, 7, 8, 33])
def test_narrow_palettes(bits, width):
    labels = np.random.default_rng(bits).integers(0, 1 << bits, (9, width), dtype=np.uint8)
    file = saved(palette_image(labels), bits=bits)
    assert file[24] == bits
    np.testing.assert_array_equal(decode_label_map(file), labels)


def test_what_is_rare_is_left_to_pillow(monkeypatch):
    labels = np.random.default_rng(0).integers(0, 5, (12, 30), dtype=np.uint8)
    calls = []
    original = png._decode_with_pillow
    monkeypatch.setattr(png, "_decode_with_pillow", lambda data: calls.append(1) or original(data))
    np.testing.assert_array_equal(decode_label_map(saved(palette_image(labels))), labels)
    assert not calls
    np.testing.assert_array_equal(decode_label_map(stored_with(labels, [4] * 12)), labels)
    np.testing.assert_array_equal(decode_label_map(saved(Image.fromarray(labels > 2))), labels > 2)
    file = io.BytesIO()
    Image.fromarray(labels).save(file, "BMP")
    np.testing.assert_array_equal(decode_label_map(file.getvalue()), labels)
    assert len(calls) >= 2


def test_colours_and_damage_are_told():
    colours = np.zeros((4, 5, 3), np.uint8)
    with pytest.raises(ValueError, match="stores colours, not ids"):
        decode_label_map(saved(Image.fromarray(colours)))
    whole = saved(palette_image(np.arange(200, dtype=np.uint8).reshape(10, 20)))
    with pytest.raises(ValueError, match="ends early"):
        decode_label_map(whole[: len(whole) // 2])
    damaged = bytearray(whole)
    damaged[whole.index(b"IDAT") + 8] ^= 255
    with pytest.raises(ValueError, match="checksum"):
        decode_label_map(bytes(damaged))
    for nothing in (b"", b"GIF89a"):
        with pytest.raises(ValueError, match="cannot be decoded"):
            decode_label_map(nothing)
    short = stored_with(np.zeros((3, 4), np.uint8), [0, 0, 0])
    taller = short.replace(
        chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 3, 8, 3, 0, 0, 0)),
        chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 9, 8, 3, 0, 0, 0)),
    )
    with pytest.raises(ValueError, match="15 bytes of rows instead of 45"):
        decode_label_map(taller)
