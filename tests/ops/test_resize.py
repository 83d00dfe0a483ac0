import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from torch.nn import functional as F

from deixis.ops.resize import resize_frame, resize_frames, resize_masks, resized_size

PROCEDURES = Path(__file__).parents[1] / "goldens" / "mttr" / "golden_procedures.json"


@pytest.mark.parametrize(
    "row", json.loads(PROCEDURES.read_text())["tables"]["resize"], ids=lambda row: f"{row['w']}x{row['h']}"
)
def test_published_sizes(row):
    assert resized_size(row["h"], row["w"], 320, 576) == tuple(row["320/576"])
    assert resized_size(row["h"], row["w"], 360, 640) == tuple(row["360/640"])


@given(st.integers(1, 3000), st.integers(1, 3000), st.integers(1, 800), st.integers(0, 800))
def test_sides_stay_within_their_limits(height: int, width: int, short_side: int, extra: int):
    sides = resized_size(height, width, short_side, short_side + extra)
    assert 1 <= min(sides) <= short_side
    assert max(sides) <= short_side + extra + max(sides) / min(
        sides
    )  # rounding the short side moves the long one
    assert (sides[0] <= sides[1]) == (height <= width) or sides[0] == sides[1]


@pytest.mark.parametrize(
    ("size", "limits", "expected"),
    [
        ((720, 1280), (480, 1333), (480, 853)),
        ((478, 850), (480, 1333), (480, 854)),  # 853.6
        ((850, 478), (480, 1333), (854, 480)),
        ((100, 1000), (480, 1333), (133, 1333)),
        ((101, 1000), (480, 1333), (135, 1333)),  # 134.6
        ((5, 3000), (480, 1333), (2, 1333)),  # 2.2
        ((1, 3000), (480, 1333), (1, 1333)),  # 0.4: a side is a pixel at least
        ((480, 480), (480, 1333), (480, 480)),
    ],
)
def test_sides_are_rounded(size, limits, expected):
    assert resized_size(*size, *limits, "round") == expected


@given(st.integers(1, 3000), st.integers(1, 3000), st.integers(1, 800), st.integers(0, 800))
def test_rounded_sides_keep_the_shape(height: int, width: int, short_side: int, extra: int):
    sides = resized_size(height, width, short_side, short_side + extra, "round")
    exact = min(short_side / min(height, width), (short_side + extra) / max(height, width))
    for side, original in zip(sides, (height, width), strict=True):
        assert side == 1 or abs(side - exact * original) <= 0.5 + 1e-6


def test_sizes_must_be_positive():
    with pytest.raises(ValueError, match="positive"):
        resized_size(0, 5, 3, 4)


@pytest.mark.parametrize("size", [(20, 31), (75, 100), (48, 64)])
def test_frames_are_within_one_level_of_pil(size: tuple[int, int]):
    frames = np.random.default_rng(0).integers(0, 256, (2, 48, 64, 3), dtype=np.uint8)
    resized = resize_frames(frames, size)
    for frame, ours in zip(frames, resized, strict=True):
        expected = Image.fromarray(frame).resize(size[::-1], Image.Resampling.BILINEAR)
        assert np.abs(ours.astype(int) - np.asarray(expected, dtype=int)).max() <= 1


def test_one_frame_equals_many():
    frame = np.random.default_rng(1).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    expected = torch.from_numpy(resize_frames(frame[None], (24, 32))[0]).permute(2, 0, 1)
    assert torch.equal(resize_frame(frame, 24, 100), expected)
    assert torch.equal(resize_frame(torch.from_numpy(frame).permute(2, 0, 1), 24, 100), expected)
    assert torch.equal(resize_frame(frame, 48, 100), torch.from_numpy(frame).permute(2, 0, 1))


def test_masks_take_the_nearest_pixel():
    masks = np.zeros((1, 1, 4, 4), dtype=bool)
    masks[0, 0, 2:, 2:] = True
    assert resize_masks(masks, (2, 2)).tolist() == [[[[False, False], [False, True]]]]
    assert resize_masks(masks[:0], (2, 3)).shape == (0, 1, 2, 3)


@pytest.mark.parametrize("size", [(20, 31), (37, 53), (75, 100)])
def test_mirrored_and_cut_views_are_resized_as_their_copies(size: tuple[int, int]):
    generator = np.random.default_rng(2)
    frames = generator.integers(0, 256, (2, 48, 64, 3), dtype=np.uint8)[:, :, ::-1][:, 3:, 5:-2]
    masks = (generator.random((2, 3, 48, 64)) > 0.5)[..., ::-1][..., 3:, 5:-2]
    np.testing.assert_array_equal(resize_frames(frames, size), resize_frames(frames.copy(), size))
    np.testing.assert_array_equal(resize_masks(masks, size), resize_masks(masks.copy(), size))


@given(st.tuples(*[st.integers(1, 90)] * 4))
def test_masks_are_resized_as_torch_does(sides: tuple[int, int, int, int]):
    masks = np.random.default_rng(sides).random((1, 2, *sides[:2])) > 0.5
    expected = F.interpolate(torch.from_numpy(masks).byte(), size=sides[2:], mode="nearest").bool()
    np.testing.assert_array_equal(resize_masks(masks, sides[2:]), expected.numpy())
