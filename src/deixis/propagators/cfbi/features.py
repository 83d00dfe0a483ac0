"""The features of CFBI: DeepLabv3+ of a frame, and the embedding that is compared (propagation, 2.2 and 2.3).

Axes: b frames, c channels, H W pixels, h w cells of 4 pixels.
"""

from dataclasses import dataclass
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.resnet import Bottleneck, resnet101

from deixis.backbones.resnet import ResNet
from deixis.layers.aspp import Aspp
from deixis.layers.convolution import ConvNorm
from deixis.layers.norm import BatchNorm2d

from .mobilenet import MobileNet

EMBEDDING = 100


@dataclass(frozen=True)
class FrameFeatures:
    """What a frame is without any mask.

    Attributes:
        embeddings: compared with those of other frames; of stride 4, and of CFBI+ of strides 8 and 16, too.
        low_level: the backbone's map of stride 4.
    """

    embeddings: tuple[Float[Tensor, "_d _h _w"], ...]
    low_level: Float[Tensor, "_c h w"]


class DeepLab(nn.Module):
    """Backbone, pyramid pooling at stride 16, decoder at stride 4."""

    def __init__(self, backbone: str) -> None:
        """Build with PyTorch's initial weights."""
        super().__init__()
        self.backbone = MobileNet() if backbone == "mobilenet-v2" else _resnet()
        low, deep = (24, 320) if backbone == "mobilenet-v2" else (256, 2048)
        self.low_channels = low
        self.aspp = Aspp(deep, 256, (6, 12, 18), dropout=0.1)
        self.reduce = ConvNorm(low, 48)
        self.join = ConvNorm(256 + 48, 256, 3)
        self.smooth = ConvNorm(256, 256, 3)

    def forward(
        self, frames: Float[Tensor, "b 3 H W"]
    ) -> tuple[Float[Tensor, "b 256 h w"], Float[Tensor, "b 256 _h _w"], tuple[Tensor, ...]]:
        """Return the decoder's map, that of the pooling at stride 16, and those of the backbone."""
        maps = tuple(found[:, 0] for found in self.backbone(frames[:, None]))
        low, pooled = maps[0], self.aspp(maps[-1])
        x = F.interpolate(pooled, low.shape[-2:], mode="bilinear", align_corners=True)
        return self.smooth(self.join(torch.cat((x, self.reduce(low)), dim=1))), pooled, maps


class Embedding(nn.Module):
    """A depth-wise and a point-wise convolution to what is compared."""

    def __init__(self) -> None:
        """Build the layers."""
        super().__init__()
        self.depthwise = nn.Conv2d(256, 256, 3, padding=1, groups=256)
        self.depthwise_norm = nn.GroupNorm(32, 256)
        self.pointwise = nn.Conv2d(256, EMBEDDING, 1)
        self.pointwise_norm = nn.GroupNorm(25, EMBEDDING)

    def forward(self, x: Float[Tensor, "b 256 h w"]) -> Float[Tensor, "b 100 h w"]:
        """Return the embedding."""
        x = F.relu(self.depthwise_norm(self.depthwise(x)))
        return F.relu(self.pointwise_norm(self.pointwise(x)))


def _resnet() -> ResNet:
    """Build ResNet-101 of stride 16: in place of its last stride, the dilations of its last blocks rise."""
    norm: Any = BatchNorm2d
    network = resnet101(weights=None, norm_layer=norm, replace_stride_with_dilation=[False, False, True])
    for block, dilation in zip(network.layer4, (2, 4, 8), strict=True):
        convolution = cast(Bottleneck, block).conv2
        convolution.dilation = convolution.padding = (dilation, dilation)
    return ResNet(network, (4, 8, 16, 16))
