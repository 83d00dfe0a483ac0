import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from deixis.errors import SinkError
from deixis.flow.cache import CachedFlow, decode_flow, encode_flow
from deixis.flow.dis import Dis
from moving_pictures import moving_square

FLOW = np.random.default_rng(0).normal(0, 20, (7, 9, 2)).astype(np.float32)


def test_the_file_is_what_kitti_says(tmp_path):
    flow = np.zeros((2, 3, 2), np.float32)
    flow[0, 1] = (1.5, -2.25)
    flow[1, 2] = (600, -600)
    (tmp_path / "flow.png").write_bytes(encode_flow(flow))
    blue, green, red = np.moveaxis(cv2.imread(str(tmp_path / "flow.png"), cv2.IMREAD_UNCHANGED), -1, 0)
    assert blue.dtype == np.uint16
    assert (blue == 1).all()
    assert (red[0, 1], green[0, 1]) == (64 * 1.5 + 32768, -64 * 2.25 + 32768)
    assert (red[1, 2], green[1, 2]) == (65535, 0)
    with Image.open(tmp_path / "flow.png") as image:
        assert image.size == (3, 2)
    np.testing.assert_allclose(decode_flow(encode_flow(flow))[1, 2], (512, -512), atol=1 / 64)


@given(st.integers(1, 20), st.integers(1, 20), st.integers(0, 99))
def test_a_round_trip_rounds_to_128ths(height, width, seed):
    flow = np.random.default_rng(seed).uniform(-511, 511, (height, width, 2)).astype(np.float32)
    again = decode_flow(encode_flow(flow))
    np.testing.assert_allclose(again, flow, atol=1 / 128 + 1e-4)
    np.testing.assert_array_equal(decode_flow(encode_flow(again)), again)


def test_invalid_pixels_of_kitti_have_no_motion():
    stored = np.full((2, 2, 3), 40000, np.uint16)
    stored[..., 0] = [[1, 0], [1, 1]]
    _, data = cv2.imencode(".png", stored)
    assert (decode_flow(data.tobytes())[..., 0] != 0).tolist() == [[True, False], [True, True]]


@pytest.mark.parametrize("harm", [b"", b"text", encode_flow(FLOW)[:-20], encode_flow(FLOW)[:100]])
def test_damage_is_noticed(harm):
    with pytest.raises(ValueError, match=r"damaged|no PNG"):
        decode_flow(harm)


def test_a_flipped_bit_is_noticed():
    data = bytearray(encode_flow(FLOW))
    data[60] ^= 4
    with pytest.raises(ValueError, match="damaged"):
        decode_flow(bytes(data))


def test_other_pngs_are_refused():
    _, data = cv2.imencode(".png", np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(ValueError, match="KITTI"):
        decode_flow(data.tobytes())


class Counting:
    def __init__(self, preset: str = "medium") -> None:
        self.dis, self.num_calls = Dis(preset), 0

    def describe(self):
        return self.dis.describe()

    def __call__(self, first, second):
        self.num_calls += 1
        return self.dis(first, second)


@pytest.fixture
def pair() -> tuple[np.ndarray, np.ndarray]:
    frames, _ = moving_square(2)
    return frames[0], frames[1]


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_flow_is_made_once_and_read_alike(tmp_path, pair):
    estimator = Counting()
    made = CachedFlow(estimator, tmp_path)(*pair)
    cache = CachedFlow(estimator, tmp_path)
    np.testing.assert_array_equal(cache(*pair), made)
    assert (estimator.num_calls, cache.num_read, cache.num_made) == (1, 1, 0)
    np.testing.assert_allclose(made, Dis()(*pair), atol=1 / 128)


def test_contents_direction_and_settings_are_told_apart(tmp_path, pair):
    cache = CachedFlow(Dis(), tmp_path)
    other = pair[1].copy()
    other[0, 0, 0] ^= 1
    paths = [cache.path(*pair), cache.path(*pair[::-1]), cache.path(pair[0], other)]
    paths.append(CachedFlow(Dis("fast"), tmp_path).path(*pair))
    turned = [np.ascontiguousarray(frame.reshape(-1, 64, 3)) for frame in pair]
    paths.append(cache.path(*turned))
    assert len(set(paths)) == 5


@pytest.mark.parametrize("harm", ["empty", "cut", "other", "size"])
def test_damaged_entries_are_made_anew(tmp_path, pair, harm):
    cache = CachedFlow(Dis(), tmp_path)
    expected, path = cache(*pair), cache.path(*pair)
    whole = path.read_bytes()
    _, other = cv2.imencode(".png", np.zeros((4, 4, 3), np.uint8))
    harmed = {"empty": b"", "cut": whole[: len(whole) // 2], "other": other.tobytes()}
    path.write_bytes(harmed.get(harm, encode_flow(FLOW)))
    np.testing.assert_array_equal(cache(*pair), expected)
    assert path.read_bytes() == whole
    assert cache.num_made == 2


def test_only_whole_files_appear(tmp_path, pair, monkeypatch):
    cache = CachedFlow(Dis(), tmp_path)
    before = files(tmp_path)

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(SinkError, match="no space left"):
        cache(*pair)
    assert files(tmp_path) == before


def test_the_method_is_written_down(tmp_path):
    cache = CachedFlow(Dis("fast"), tmp_path)
    assert cache.folder.name.startswith("dis-")
    assert json.loads((cache.folder / "method.json").read_text()) == Dis("fast").describe()


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SinkError, match="cannot be written"):
        CachedFlow(Dis(), tmp_path / "file")
