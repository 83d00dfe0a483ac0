"""ResNet with frozen batch norms (He et al., CVPR 2016; strides in the 3x3 convolutions).

The modules, and so the parameter names, are torchvision's. A frozen norm is an affine map of constants, so it
is folded into the convolution before it: the same result to float rounding, one pass over the maps less, and
nothing of it to keep for the gradients. The stem and the first stage are not trained (ReferFormer, section
3.1).

Operations for one frame of 360x640: 19 GMAC ("resnet-50"), 37 ("resnet-101"); its largest maps, 64 and 256
channels of 90x160, take 3.7 and 15 MB.
Axes: b clips, t frames, n = b t, c channels, h w cells, H W pixels.
"""

from collections.abc import Mapping
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.resnet import Bottleneck, resnet50, resnet101
from torchvision.ops.misc import FrozenBatchNorm2d

from deixis.layers.convolution import convolve_cells

STAGES = ("layer1", "layer2", "layer3", "layer4")
FROZEN = ("conv1", "layer1")


class ResNet(nn.Module):
    """Frames to the maps of the four stages.

    Attributes:
        channels: width of each map, fine to coarse.
        strides: input pixels a cell of each map.
    """

    channels = (256, 512, 1024, 2048)
    strides = (4, 8, 16, 32)

    def __init__(self, network: nn.Module) -> None:
        """Take the parts of torchvision's ``network``, built with :class:`FrozenBatchNorm2d`."""
        super().__init__()
        for name in ("conv1", "bn1", "maxpool", *STAGES):
            self.add_module(name, network.get_submodule(name))
        for name in FROZEN:
            self.get_submodule(name).requires_grad_(False)

    def forward(
        self, frames: Float[Tensor, "b t 3 H W"], keep: tuple[int, ...] | None = None
    ) -> tuple[Float[Tensor, "b t_kept _c _h _w"], ...]:
        """Return the maps of all frames, or of those in ``keep``, which alone are looked at."""
        frames = frames if keep is None else frames[:, list(keep)]
        x = frames.flatten(0, 1).contiguous(memory_format=torch.channels_last)  # n 3 H W
        x = self.get_submodule("maxpool")(_convolve(x, *self._stem, with_relu=True))
        maps = []
        for name in STAGES:
            for block in cast(nn.Sequential, self.get_submodule(name)):
                x = _run_block(x, cast(Bottleneck, block))
            maps.append(x.unflatten(0, frames.shape[:2]))
        return tuple(maps)

    @property
    def _stem(self) -> tuple[nn.Conv2d, FrozenBatchNorm2d]:
        return cast(nn.Conv2d, self.get_submodule("conv1")), cast(
            FrozenBatchNorm2d, self.get_submodule("bn1")
        )


def _run_block(x: Float[Tensor, "n c h w"], block: Bottleneck) -> Float[Tensor, "n d _h _w"]:
    shortcut = x
    if block.downsample is not None:
        convolution, norm = cast(nn.Sequential, block.downsample)
        shortcut = _convolve(x, cast(nn.Conv2d, convolution), cast(FrozenBatchNorm2d, norm))
    norms = [cast(FrozenBatchNorm2d, norm) for norm in (block.bn1, block.bn2, block.bn3)]
    y = _convolve(x, block.conv1, norms[0], with_relu=True)
    y = _convolve(y, block.conv2, norms[1], with_relu=True)
    return F.relu(_convolve(y, block.conv3, norms[2]) + shortcut, inplace=True)


def _convolve(
    x: Float[Tensor, "n c h w"], convolution: nn.Conv2d, norm: FrozenBatchNorm2d, *, with_relu: bool = False
) -> Float[Tensor, "n d _h _w"]:
    """Convolve with the norm folded into weights and bias."""
    gain, offset, mean, variance = (
        cast(Tensor, value) for value in (norm.weight, norm.bias, norm.running_mean, norm.running_var)
    )
    scale = gain * (variance + norm.eps).rsqrt()
    shift = offset - mean * scale
    weight = convolution.weight * scale[:, None, None, None]
    if convolution.kernel_size == (1, 1):
        strides = convolution.stride
        y = convolve_cells(x[..., :: strides[0], :: strides[1]], weight, shift)
    else:
        y = F.conv2d(x, weight, shift, convolution.stride, convolution.padding, convolution.dilation)
    return F.relu(y, inplace=True) if with_relu else y


def imagenet_state_dict(published: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Turn the weights of torchvision's ImageNet classifier into ours: the same names, without its head."""
    return {
        name: value
        for name, value in published.items()
        if not name.startswith("fc.") and not name.endswith("num_batches_tracked")
    }


def resnet_50() -> ResNet:
    """Build "resnet-50" (23M parameters)."""
    return ResNet(resnet50(weights=None, norm_layer=FrozenBatchNorm2d))


def resnet_101() -> ResNet:
    """Build "resnet-101" (42M parameters)."""
    return ResNet(resnet101(weights=None, norm_layer=FrozenBatchNorm2d))
