"""MobileNetV2 (Sandler et al., CVPR 2018) as CFBI has it: padded before each block, of stride 16.

Axes: b frames, c channels, H W pixels, h w cells.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from deixis.layers.convolution import convolve_and_normalise
from deixis.layers.norm import BatchNorm2d

_GROUPS = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
"""Expansion, channels, blocks and stride of each group."""
_LOW_LEVEL = 4
"""Layers up to the map of stride 4."""


class MobileNet(nn.Module):
    """Frames to the maps of strides 4 and 16."""

    def __init__(self) -> None:
        """Build with PyTorch's initial weights."""
        super().__init__()
        self.stem = nn.Conv2d(3, 32, 3, stride=2, padding=1, bias=False)
        self.stem_norm = BatchNorm2d(32)
        blocks, inputs, stride, dilation = [], 32, 2, 1
        for expansion, channels, count, step in _GROUPS:
            wanted = step if stride * step <= 16 else 1
            rise = step // wanted
            stride *= wanted
            for place in range(count):
                blocks.append(Block(inputs, channels, expansion, wanted if place == 0 else 1, dilation))
                inputs = channels
                dilation *= rise if place == 0 else 1
        self.blocks = nn.ModuleList(blocks)

    def forward(
        self, frames: Float[Tensor, "b 1 3 H W"]
    ) -> tuple[Float[Tensor, "b 1 24 _h _w"], Float[Tensor, "b 1 320 h w"]]:
        """Return the two maps."""
        x = convolve_and_normalise(frames[:, 0], self.stem, self.stem_norm)
        x = F.hardtanh(x, 0, 6)
        maps = []
        for place, block in enumerate(self.blocks, start=2):
            x = block(x)
            if place == _LOW_LEVEL:
                maps.append(x)
        return maps[0][:, None], x[:, None]


class Block(nn.Module):
    """Expand, convolve each channel by itself, reduce; the padding goes through the expansion."""

    def __init__(self, inputs: int, outputs: int, expansion: int, stride: int, dilation: int) -> None:
        """Build a block; it adds its input where sizes allow."""
        super().__init__()
        width = inputs * expansion
        self.dilation = dilation
        self.is_residual = stride == 1 and inputs == outputs
        self.expand = nn.Conv2d(inputs, width, 1, bias=False) if expansion > 1 else None
        if expansion > 1:
            self.expand_norm = BatchNorm2d(width)
        self.depthwise = nn.Conv2d(width, width, 3, stride, dilation=dilation, groups=width, bias=False)
        self.depthwise_norm = BatchNorm2d(width)
        self.reduce = nn.Conv2d(width, outputs, 1, bias=False)
        self.reduce_norm = BatchNorm2d(outputs)

    def forward(self, x: Float[Tensor, "b i h w"]) -> Float[Tensor, "b o _h _w"]:
        """Return the map."""
        y = F.pad(x, (self.dilation,) * 4)
        if self.expand is not None:
            y = F.hardtanh(convolve_and_normalise(y, self.expand, self.expand_norm), 0, 6)
        y = F.conv2d(
            y,
            *_folded(self.depthwise, self.depthwise_norm),
            self.depthwise.stride,
            0,
            self.dilation,
            y.shape[1],
        )
        y = convolve_and_normalise(F.hardtanh(y, 0, 6), self.reduce, self.reduce_norm)
        return x + y if self.is_residual else y


def _folded(convolution: nn.Conv2d, norm: BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Return weight and bias of a convolution of single channels with its norm in them."""
    assert norm.running_mean is not None and norm.running_var is not None
    scale = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
    return convolution.weight * scale[:, None, None, None], norm.bias - norm.running_mean * scale
