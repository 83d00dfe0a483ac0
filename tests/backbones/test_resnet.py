import pytest
import torch
from torchvision.models.resnet import Bottleneck
from torchvision.models.resnet import ResNet as Reference
from torchvision.ops.misc import FrozenBatchNorm2d

from deixis.backbones import build
from deixis.backbones.resnet import ResNet, imagenet_state_dict
from deixis.layers.norm import BatchNorm2d


@pytest.fixture(scope="module")
def pair() -> tuple[ResNet, Reference]:
    """Ours of two blocks in the first stage, and the torchvision network that it shares its parts with."""
    torch.manual_seed(0)
    reference = Reference(Bottleneck, [2, 1, 1, 1], norm_layer=FrozenBatchNorm2d)
    for module in reference.modules():
        if isinstance(module, FrozenBatchNorm2d):
            module.weight.uniform_(0.5, 1.5)
            module.bias.normal_()
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 1.5)
    return ResNet(reference).eval(), reference.eval()


def maps_of(reference: Reference, frames: torch.Tensor) -> list[torch.Tensor]:
    x = reference.maxpool(reference.relu(reference.bn1(reference.conv1(frames))))
    maps = []
    for stage in (reference.layer1, reference.layer2, reference.layer3, reference.layer4):
        x = stage(x)
        maps.append(x)
    return maps


@pytest.mark.parametrize("with_gradients", [False, True])
@pytest.mark.parametrize("size", [(32, 64), (37, 45)])
def test_maps_are_torchvisions(pair, size, with_gradients):
    ours, reference = pair
    frames = torch.randn(1, 2, 3, *size)
    with torch.set_grad_enabled(with_gradients):
        maps = ours(frames)
        expected = maps_of(reference, frames[0])
    for channels, left, right in zip(ours.channels, maps, expected, strict=True):
        assert left.shape[2] == channels
        assert left.requires_grad == (with_gradients and channels > 256)
        bound = 1e-4 * float(right.detach().abs().max())
        torch.testing.assert_close(left[0], right, atol=bound, rtol=1e-3)


def test_kept_frames_are_those_of_all_frames(pair):
    ours, _ = pair
    frames = torch.randn(1, 3, 3, 32, 32)
    with torch.no_grad():
        every, some = ours(frames), ours(frames, keep=(2, 0))
    for left, right in zip(some, every, strict=True):
        torch.testing.assert_close(left, right[:, [2, 0]], atol=1e-4, rtol=1e-3)


def test_what_is_not_trained(pair):
    trained = {name.split(".")[0] for name, p in pair[0].named_parameters() if p.requires_grad}
    assert trained == {"layer2", "layer3", "layer4"}


def test_imagenet_weights_fit(pair):
    ours, reference = pair
    published = {**reference.state_dict(), "bn1.num_batches_tracked": torch.tensor(0)}
    ours.load_state_dict(imagenet_state_dict(published), strict=True)


@pytest.mark.parametrize("is_training", [True, False])
@pytest.mark.parametrize("size", [(32, 64), (37, 45)])
def test_dilated_maps_are_torchvisions_and_norms_are_trained(size, is_training):
    torch.manual_seed(0)
    dilations = [False, True, True]
    reference = Reference(Bottleneck, [1, 1, 2, 2], replace_stride_with_dilation=dilations)
    own = Reference(Bottleneck, [1, 1, 2, 2], norm_layer=BatchNorm2d, replace_stride_with_dilation=dilations)
    ours = ResNet(own, (4, 8, 8, 8))
    ours.load_state_dict(imagenet_state_dict(reference.state_dict()), strict=True)
    assert all(parameter.requires_grad for parameter in ours.parameters())
    reference.train(is_training)
    ours.train(is_training)
    frames = torch.randn(1, 2, 3, *size)
    with torch.no_grad():
        maps, expected = ours(frames), maps_of(reference, frames[0])
    for stride, left, right in zip(ours.strides, maps, expected, strict=True):
        assert left.shape[-2:] == tuple(-(-side // stride) for side in size)
        bound = 1e-4 * float(right.abs().max())
        torch.testing.assert_close(left[0], right, atol=bound, rtol=1e-3)


def test_what_is_added_joins_the_first_convolution(pair):
    ours, reference = pair
    frames, added = torch.randn(1, 2, 3, 32, 64), torch.randn(2, 64, 16, 32)
    x = reference.maxpool(reference.bn1(reference.conv1(frames[0]) + added).relu())
    expected = reference.layer1(x)
    with torch.no_grad():
        finest = ours(frames, added=added)[0][0]
    torch.testing.assert_close(finest, expected, atol=1e-4 * float(expected.abs().max()), rtol=1e-3)


@pytest.mark.parametrize("stride, dilation", [(8, 4), (16, 2)])
def test_strides_of_the_dilated_networks(stride, dilation):
    with torch.device("meta"):
        backbone = build(f"resnet-101-stride{stride}")
        maps = backbone(torch.zeros(1, 1, 3, 96, 128))
    assert backbone.strides[-1] == stride
    assert maps[-1].shape == (1, 1, 2048, 96 // stride, 128 // stride)
    assert backbone.get_submodule("layer4.2.conv2").dilation == (dilation, dilation)
