"""ResNet (He et al., CVPR 2016; strides in the 3x3 convolutions), whole or dilated.

The modules, and so the parameter names, are torchvision's. With frozen batch norms the stem and the first
stage are not trained (ReferFormer, section 3.1); the dilated ones train all, norms too (RefVOS, section 3). A
norm that is frozen or in evaluation mode is an affine map of constants, so it is folded into the convolution
before it: the same result to float rounding, one pass over the maps less, and nothing of it to keep for the
gradients.

Operations for one frame of 360x640: 19 GMAC ("resnet-50"), 37 ("resnet-101"); its largest maps, 64 and 256
channels of 90x160, take 3.7 and 15 MB. For one frame of 480x854: 278 GMAC ("resnet-101-stride8"), 82
("resnet-101-stride16").
Axes: b clips, t frames, n = b t, c channels, h w cells, H W pixels.
"""

from collections.abc import Mapping
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.resnet import Bottleneck, resnet50, resnet101
from torchvision.ops.misc import FrozenBatchNorm2d

from deixis.layers.convolution import convolve_and_normalise
from deixis.layers.norm import BatchNorm2d

STAGES = ("layer1", "layer2", "layer3", "layer4")
FROZEN = ("conv1", "layer1")


class ResNet(nn.Module):
    """Frames to the maps of the four stages, or of the first of them.

    Attributes:
        channels: width of each map, fine to coarse.
        strides: input pixels a cell of each map.
    """

    def __init__(self, network: nn.Module, strides: tuple[int, ...] = (4, 8, 16, 32)) -> None:
        """Take the parts of torchvision's ``network``, built with :class:`FrozenBatchNorm2d` or not.

        There are as many stages as ``strides``.
        """
        super().__init__()
        self.strides = strides
        self.channels = (256, 512, 1024, 2048)[: len(strides)]
        self.stages = STAGES[: len(strides)]
        for name in ("conv1", "bn1", "maxpool", *self.stages):
            self.add_module(name, network.get_submodule(name))
        for name in FROZEN if isinstance(self.get_submodule("bn1"), FrozenBatchNorm2d) else ():
            self.get_submodule(name).requires_grad_(False)

    def forward(
        self,
        frames: Float[Tensor, "b t 3 H W"],
        keep: tuple[int, ...] | None = None,
        added: Float[Tensor, "n _d _h _w"] | None = None,
    ) -> tuple[Float[Tensor, "b t_kept _c _h _w"], ...]:
        """Return the maps of all frames, or of those in ``keep``, which alone are looked at.

        ``added`` joins what the first convolution gives of these frames, before its norm.
        """
        frames = frames if keep is None else frames[:, list(keep)]
        x = frames.flatten(0, 1).contiguous(memory_format=torch.channels_last)  # n 3 H W
        norm = cast(FrozenBatchNorm2d, self.get_submodule("bn1"))
        x = convolve_and_normalise(x, self.stem, norm, with_relu=True, added=added)
        x = self.get_submodule("maxpool")(x)
        maps = []
        for name in self.stages:
            for block in cast(nn.Sequential, self.get_submodule(name)):
                x = _run_block(x, cast(Bottleneck, block))
            maps.append(x.unflatten(0, frames.shape[:2]))
        return tuple(maps)

    @property
    def stem(self) -> nn.Conv2d:
        """The first convolution."""
        return cast(nn.Conv2d, self.get_submodule("conv1"))


def _run_block(x: Float[Tensor, "n c h w"], block: Bottleneck) -> Float[Tensor, "n d _h _w"]:
    shortcut = x
    if block.downsample is not None:
        convolution, norm = cast(nn.Sequential, block.downsample)
        shortcut = convolve_and_normalise(x, cast(nn.Conv2d, convolution), cast(FrozenBatchNorm2d, norm))
    norms = [cast(FrozenBatchNorm2d, norm) for norm in (block.bn1, block.bn2, block.bn3)]
    y = convolve_and_normalise(x, block.conv1, norms[0], with_relu=True)
    y = convolve_and_normalise(y, block.conv2, norms[1], with_relu=True)
    return F.relu(convolve_and_normalise(y, block.conv3, norms[2]) + shortcut, inplace=True)


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


def resnet_101_stride8() -> ResNet:
    """Build "resnet-101-stride8" (42.5M parameters): the strides of the last two stages are dilations."""
    return _dilated(False, True, True, strides=(4, 8, 8, 8))


def resnet_101_stride16() -> ResNet:
    """Build "resnet-101-stride16": the same weights, only the last stage dilated, a third of the work."""
    return _dilated(False, False, True, strides=(4, 8, 16, 16))


def _dilated(*is_dilated: bool, strides: tuple[int, int, int, int]) -> ResNet:
    norm: Any = BatchNorm2d
    network = resnet101(weights=None, norm_layer=norm, replace_stride_with_dilation=list(is_dilated))
    return ResNet(network, strides)
