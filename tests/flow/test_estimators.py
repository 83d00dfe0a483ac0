import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import torchvision
from safetensors.torch import save_file

from deixis.errors import CheckpointError, UnknownNameError
from deixis.flow.dis import PRESETS, Dis
from deixis.flow.estimator import find_estimator
from deixis.flow.raft import Raft, load_raft
from moving_pictures import texture, window

SIZE = (120, 160)


def shifted(u: int, v: int, size: tuple[int, int] = SIZE) -> tuple[np.ndarray, np.ndarray]:
    picture = texture(size[0] + 40, size[1] + 40)
    return window(picture, 20, 20, size), window(picture, 20 - v, 20 - u, size)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize(("u", "v"), [(3, 0), (-2, 5)])
def test_dis_finds_a_shift_to_the_right_and_down(preset, u, v):
    flow = Dis(preset)(*shifted(u, v))
    assert flow.shape == (*SIZE, 2)
    assert flow.dtype == np.float32
    np.testing.assert_allclose(np.median(flow, axis=(0, 1)), (u, v), atol=0.2)


def test_dis_is_opencv_on_grey_frames():
    first, second = shifted(3, 1)
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in (first, second)]
    expected = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(*grey, None)
    np.testing.assert_array_equal(Dis()(first, second), expected)


def test_dis_gives_the_same_on_any_number_of_threads():
    pair, before = shifted(3, 1), cv2.getNumThreads()
    try:
        found = []
        for threads in (1, 2, 4):
            cv2.setNumThreads(threads)
            found.append(Dis()(*pair))
    finally:
        cv2.setNumThreads(before)
    for other in found[1:]:
        np.testing.assert_array_equal(other, found[0])


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize(
    "size", [(1, 1), (11, 40), (40, 11), (12, 12), (13, 300), (300, 13), (24, 300), (61, 47)]
)
def test_dis_takes_frames_of_any_size(size, preset):
    """OpenCV alone ends the process at 13x300 and 24x300."""
    flow = Dis(preset)(*shifted(2, 0, size))
    assert flow.shape == (*size, 2)
    assert np.isfinite(flow).all()
    assert flow.any() == (min(size) >= 12)


def test_pairs_that_do_not_fit_are_refused():
    first, second = shifted(1, 1)
    with pytest.raises(ValueError, match="one size"):
        Dis()(first, second[1:])
    with pytest.raises(ValueError, match="uint8"):
        Dis()(first / 255, second / 255)


def test_estimators_by_name():
    assert find_estimator("dis-fast") == Dis("fast")
    with pytest.raises(UnknownNameError, match="dis-fast"):
        find_estimator("dis-fats")
    with pytest.raises(ValueError, match="has no weights"):
        find_estimator("dis-fast", weights="x.pth")
    with pytest.raises(CheckpointError, match="C_T_SKHT_V2"):
        find_estimator("raft-large")
    with pytest.raises(CheckpointError, match="no checkpoint file"):
        find_estimator("raft-small", weights="absent.pth")


@pytest.fixture(scope="module")
def raft_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("raft") / "raft_small.pth"
    torch.save(torchvision.models.optical_flow.raft_small().state_dict(), path)
    return path


@pytest.fixture(scope="module")
def raft(raft_file: Path) -> Raft:
    return load_raft("small", raft_file, num_updates=1)


def test_raft_is_torchvision_with_its_own_preprocessing(raft, raft_file):
    torch.manual_seed(0)
    first, second = shifted(3, 1, (128, 136))
    reference = torchvision.models.optical_flow.raft_small()
    reference.load_state_dict(torch.load(raft_file, weights_only=True))
    transforms = torchvision.models.optical_flow.Raft_Small_Weights.C_T_V2.transforms()
    frames = [torch.from_numpy(frame).permute(2, 0, 1)[None] for frame in (first, second)]
    with torch.no_grad():
        expected = reference.eval()(*transforms(*frames), num_flow_updates=1)[-1][0].permute(1, 2, 0)
    torch.testing.assert_close(torch.from_numpy(raft(first, second)), expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("size", [(129, 140), (1, 3)])
def test_raft_takes_frames_of_any_size(raft, size):
    flow = raft(*shifted(1, 0, size))
    assert flow.shape == (*size, 2)
    assert np.isfinite(flow).all()


class _Shift(torch.nn.Module):
    """Says that everything moves by (8, 4) pixels of its input, and remembers the input."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.sizes: list[tuple[int, ...]] = []

    def forward(self, first: torch.Tensor, second: torch.Tensor, num_flow_updates: int) -> list[torch.Tensor]:
        self.sizes.append(tuple(first.shape))
        assert first.min() >= -1 and first.max() <= 1
        return [torch.tensor([8.0, 4.0])[None, :, None, None].expand(1, 2, *first.shape[-2:])]


def test_raft_scales_the_flow_of_enlarged_frames_back():
    raft = Raft(_Shift(), "small", "none")
    np.testing.assert_allclose(raft(*shifted(1, 0, (64, 200))), np.broadcast_to((8.0, 2.0), (64, 200, 2)))
    np.testing.assert_allclose(raft(*shifted(1, 0, (480, 854)))[0, 0], (8.0, 4.0))
    assert raft.network.sizes == [(1, 3, 128, 200), (1, 3, 480, 856)]


def test_raft_pads_by_edges_and_cuts_the_padding_off():
    class Places(_Shift):
        def forward(self, first, second, num_flow_updates):
            u = torch.arange(first.shape[-1]).float().expand(first.shape[-2:])
            assert torch.equal(first[..., 0], first[..., 1])
            return [torch.stack((u, u))[None]]

    flow = Raft(Places(), "small", "none")(*shifted(1, 0, (128, 133)))
    np.testing.assert_allclose(flow[0, :, 0], np.arange(133) + 1)


def test_weights_of_raft_name_what_is_wrong(raft_file, tmp_path):
    with pytest.raises(CheckpointError, match="does not fit"):
        load_raft("large", raft_file)
    save_file({"module.fnet.conv1.weight": torch.zeros(1)}, tmp_path / "authors.safetensors")
    with pytest.raises(CheckpointError, match="names of RAFT's authors"):
        load_raft("small", tmp_path / "authors.safetensors")
    with pytest.raises(ValueError, match="num_updates"):
        load_raft("small", raft_file, num_updates=0)


def test_a_download_that_fails_is_explained(monkeypatch):
    def fail(self, *arguments, **options):
        assert options["weights_only"] is True
        raise OSError("no route to host")

    monkeypatch.setattr(torchvision.models.optical_flow.Raft_Small_Weights, "get_state_dict", fail)
    with pytest.raises(CheckpointError, match="C_T_V2 of RAFT cannot be fetched"):
        load_raft("small", "C_T_V2")


def test_descriptions_tell_settings_apart(raft, raft_file):
    descriptions = [
        Dis("fast").describe(),
        Dis("medium").describe(),
        raft.describe(),
        load_raft("small", raft_file, num_updates=3).describe(),
    ]
    assert len({hashlib.sha256(repr(one).encode()).digest() for one in descriptions}) == 4
