import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from deixis.backbones.video_conv import VideoConv


@pytest.fixture(scope="module")
def backbone() -> VideoConv:
    torch.manual_seed(0)
    return VideoConv(widths=(8, 16, 24), depths=(1, 1, 1), dilations=((1,), (1,), (1, 2))).eval()


@settings(max_examples=15, deadline=None)
@given(height=st.integers(5, 50), width=st.integers(5, 50), num_frames=st.integers(1, 5))
def test_maps_have_the_size_rounded_up_at_every_stride(height: int, width: int, num_frames: int) -> None:
    backbone = VideoConv(widths=(8, 8, 8), depths=(1, 1, 1), dilations=((1,), (), (2,))).eval()
    with torch.no_grad():
        maps = backbone(torch.rand(2, num_frames, 3, height, width))
    for stride, channels, features in zip(backbone.strides, backbone.channels, maps, strict=True):
        assert features.shape == (2, num_frames, channels, -(-height // stride), -(-width // stride))


def test_kept_frames_are_those_of_the_whole_clip(backbone: VideoConv) -> None:
    frames = torch.rand(1, 6, 3, 32, 48)
    with torch.no_grad():
        whole, kept = backbone(frames), backbone(frames, keep=(1, 4))
    for full, some in zip(whole, kept, strict=True):
        assert torch.equal(full[:, [1, 4]], some)


def test_frames_see_one_another_and_videos_do_not(backbone: VideoConv) -> None:
    frames = torch.rand(2, 4, 3, 32, 32)
    changed = frames.clone()
    changed[0, 2] += 1.0
    with torch.no_grad():
        before, after = backbone(frames)[-1], backbone(changed)[-1]
    assert not torch.allclose(before[0, 1], after[0, 1])
    assert torch.equal(before[1], after[1])


def test_the_order_of_frames_matters(backbone: VideoConv) -> None:
    frames = torch.rand(1, 3, 3, 32, 32)
    with torch.no_grad():
        forward, backward = backbone(frames)[-1], backbone(frames.flip(1))[-1].flip(1)
    assert not torch.allclose(forward, backward, atol=1e-4)
