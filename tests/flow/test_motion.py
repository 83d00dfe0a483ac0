import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.flow.camera import residual_flow
from deixis.flow.config import MotionSpec
from deixis.flow.dis import Dis
from deixis.flow.motion import magnitude_of, motion_channels, motion_map
from moving_pictures import moving_square

GOLDEN = Path(__file__).parents[1] / "goldens" / "hinet" / "golden_units"


@pytest.fixture(scope="module")
def golden() -> dict[str, np.ndarray]:
    assert json.loads(GOLDEN.with_suffix(".json").read_text())["model"] == "hinet"
    with np.load(GOLDEN.with_suffix(".npz")) as arrays:
        return dict(arrays)


def flow_of(array: np.ndarray) -> np.ndarray:
    return np.moveaxis(array, 0, -1)


@pytest.mark.parametrize("camera", ["mean", "median"])
def test_golden_magnitudes(golden, camera):
    found = magnitude_of(residual_flow(flow_of(golden["in_flow"]), camera))
    np.testing.assert_allclose(found, golden[f"mag_{camera}"], atol=1e-5)


def test_golden_map(golden):
    found = motion_map(flow_of(golden["in_flow"]))
    np.testing.assert_allclose(found, golden["input_map"], atol=1e-5)
    assert motion_map(flow_of(golden["in_still_flow"])).max() == pytest.approx(
        float(golden["still_map_max"]), abs=1e-5
    )


def plane(height: int, width: int) -> np.ndarray:
    """Flow of a camera that turns, zooms and tilts."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    matrix = np.array([[1.01, 0.012, -2.0], [-0.01, 1.015, 1.0], [2e-5, -1e-5, 1.0]], np.float32)
    depth = matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 2]
    u = (matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2]) / depth - x
    v = (matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2]) / depth - y
    return np.stack((u, v), -1).astype(np.float32)


def test_a_homography_explains_a_moving_camera_but_not_the_object():
    flow = plane(240, 320)
    flow[60:140, 80:160] += (4, -3)
    rest = magnitude_of(residual_flow(flow, "homography"))
    inside = np.zeros((240, 320), bool)
    inside[60:140, 80:160] = True
    assert rest[~inside].max() < 0.05
    np.testing.assert_allclose(rest[inside], 5, atol=0.05)
    assert magnitude_of(residual_flow(flow, "mean"))[~inside].max() > 1


def test_a_homography_is_the_same_each_time():
    flow = plane(120, 160) + np.random.default_rng(0).normal(0, 0.5, (120, 160, 2)).astype(np.float32)
    first, second = (residual_flow(flow, "homography") for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (2, 400), (12, 12)])
def test_tiny_flow_is_compensated_too(size):
    flow = np.random.default_rng(0).normal(0, 3, (*size, 2)).astype(np.float32)
    for camera in ("none", "mean", "median", "homography"):
        found = residual_flow(flow, camera)
        assert found.shape == flow.shape
        assert np.isfinite(found).all()


@given(st.floats(-30, 30), st.floats(-30, 30), st.floats(1, 8))
def test_maps_depend_neither_on_the_camera_nor_on_the_frame_rate(u, v, speed):
    flow = np.zeros((48, 64, 2), np.float32)
    flow[10:30, 20:40] = 2
    other = (flow * np.float32(speed) + np.array((u, v), np.float32)).astype(np.float32)
    np.testing.assert_allclose(motion_map(other), motion_map(flow), atol=1e-3)


def test_still_frames_are_dark():
    noise = np.random.default_rng(0).normal(0, 0.02, (480, 64, 2)).astype(np.float32)
    assert motion_map(noise).max() < 0.2
    assert not motion_map(np.zeros((48, 64, 2), np.float32)).any()


@pytest.mark.parametrize("directions", ["backward", "forward", "both"])
@pytest.mark.parametrize("form", ["map", "vectors"])
def test_channels_have_the_size_of_the_input(directions, form):
    spec = MotionSpec(directions=directions, form=form)
    flow = np.random.default_rng(0).normal(0, 3, (40, 60, 2)).astype(np.float32)
    for size in ((40, 60), (20, 30), (13, 17), (80, 120)):
        found = motion_channels(flow, -flow, spec, size)
        assert found.shape == (spec.num_channels, *size)
        assert found.dtype == np.float32
    assert not motion_channels(None, None, spec, (20, 30)).any()


def test_vectors_are_pixels_of_the_input():
    spec = MotionSpec(camera="none", directions="both", form="vectors")
    flow = np.broadcast_to(np.float32((4, 2)), (40, 60, 2))
    found = motion_channels(flow, 3 * flow, spec, (20, 60))
    np.testing.assert_allclose(found[:, 0, 0], (4, 1, 12, 3))


def test_a_missing_direction_is_the_other_one_turned_round():
    flow = np.broadcast_to(np.float32((4, 2)), (8, 8, 2))
    both = MotionSpec(camera="none", directions="both", form="vectors")
    np.testing.assert_allclose(motion_channels(flow, None, both, (8, 8))[:, 0, 0], (4, 2, -4, -2))
    forward = MotionSpec(camera="none", directions="forward", form="vectors")
    np.testing.assert_allclose(motion_channels(None, flow, forward, (8, 8))[:, 0, 0], (-4, -2))


def test_the_minimum_of_both_directions_has_no_halo():
    frames, masks = moving_square(3)
    forward, backward = Dis()(frames[1], frames[2]), Dis()(frames[1], frames[0])
    maps = {
        name: motion_channels(
            forward, backward, MotionSpec(camera="homography", directions=name), masks.shape[1:]
        )[0]
        for name in ("forward", "backward", "both")
    }
    halo = {name: float(found[~masks[1]].sum()) for name, found in maps.items()}
    assert halo["both"] < 0.9 * min(halo["forward"], halo["backward"])
    assert np.median(maps["both"][masks[1]]) > 0.7


def test_settings_are_checked():
    with pytest.raises(ValueError, match="camera must be one of"):
        MotionSpec(camera="affine")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="estimator must be one of"):
        MotionSpec(estimator="dis")
    with pytest.raises(ValueError, match="short_side"):
        MotionSpec(short_side=0)
