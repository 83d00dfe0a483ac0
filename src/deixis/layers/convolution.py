"""Convolutions of 1x1 cells as linear layers: on a CPU with one thread PyTorch has no fast kernel for them.

Axes: n maps, i inputs, o outputs, h w cells.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from deixis.layers.linear import linear


def convolve_cells(
    x: Float[Tensor, "n i h w"], weight: Float[Tensor, "o i 1 1"], bias: Float[Tensor, "o"] | None = None
) -> Float[Tensor, "n o h w"]:
    """Convolve with a 1x1 kernel; on a CPU without gradients the result is channels last in memory."""
    if x.device.type != "cpu" or torch.is_grad_enabled():
        return F.conv2d(x, weight, bias)
    return linear(x.permute(0, 2, 3, 1), weight.flatten(1), bias).permute(0, 3, 1, 2)


class CellConvolution(nn.Conv2d):
    """A 1x1 convolution, computed by :func:`convolve_cells`."""

    def __init__(self, inputs: int, outputs: int, *, bias: bool = True) -> None:
        """Build with PyTorch's initial weights."""
        super().__init__(inputs, outputs, 1, bias=bias)

    def forward(self, input: Float[Tensor, "n i h w"]) -> Float[Tensor, "n o h w"]:
        """Map the channels of every cell."""
        return convolve_cells(input, self.weight, self.bias)
