import pytest
import torch

from deixis.backbones import build


@pytest.mark.parametrize("size", [(32, 48), (37, 45)])
def test_maps_of_single_frames(size):
    torch.manual_seed(0)
    backbone = build("image-conv-tiny").eval()
    frames = torch.randn(1, 3, 3, *size)
    with torch.no_grad():
        maps = backbone(frames)
        for stride, channels, one in zip(backbone.strides, backbone.channels, maps, strict=True):
            assert one.shape == (1, 3, channels, *(-(-side // stride) for side in size))
        kept = backbone(frames, keep=(2,))
        added = torch.zeros(3, backbone.stem.out_channels, *maps[0].shape[-2:])
        added[1] = 1
        moved = backbone(frames, added=added)
    for every, some, other in zip(maps, kept, moved, strict=True):
        torch.testing.assert_close(some[:, 0], every[:, 2], atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(other[:, 0], every[:, 0], atol=1e-5, rtol=1e-4)
        assert not torch.allclose(other[:, 1], every[:, 1])
