"""Convolutions of 1x1 cells as linear layers, and norms folded into the convolutions before them.

On a CPU with one thread PyTorch has no fast kernel for the first; the second saves a pass over the maps.

Axes: n maps, i inputs, o outputs, h w cells.
"""

from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.ops.misc import FrozenBatchNorm2d

from deixis.layers.linear import linear
from deixis.layers.norm import BatchNorm2d


def convolve_cells(
    x: Float[Tensor, "n i h w"], weight: Float[Tensor, "o i 1 1"], bias: Float[Tensor, "o"] | None = None
) -> Float[Tensor, "n o h w"]:
    """Convolve with a 1x1 kernel; on a CPU without gradients the result is channels last in memory."""
    if x.device.type != "cpu" or torch.is_grad_enabled():
        return F.conv2d(x, weight, bias)
    return linear(x.permute(0, 2, 3, 1), weight.flatten(1), bias).permute(0, 3, 1, 2)


def convolve_and_normalise(
    x: Float[Tensor, "n i h w"],
    convolution: nn.Conv2d,
    norm: FrozenBatchNorm2d | nn.BatchNorm2d,
    *,
    with_relu: bool = False,
    added: Float[Tensor, "n o _h _w"] | None = None,
) -> Float[Tensor, "n o _h _w"]:
    """Convolve and normalise; a norm of constants is folded into weights and bias.

    Args:
        x: input maps.
        convolution: with a bias or without.
        norm: frozen, in evaluation mode, or (the only one that is not folded) in training.
        with_relu: set what is below 0 to 0.
        added: to what the convolution gives, before the norm.
    """
    if isinstance(norm, nn.BatchNorm2d) and norm.training:
        y = convolution(x)
        y = norm(y if added is None else y + added)
        return F.relu(y, inplace=True) if with_relu else y
    gain, offset, mean, variance = (
        cast(Tensor, value) for value in (norm.weight, norm.bias, norm.running_mean, norm.running_var)
    )
    scale = gain * (variance + norm.eps).rsqrt()
    shift = offset - (mean if convolution.bias is None else mean - convolution.bias) * scale
    weight = convolution.weight * scale[:, None, None, None]
    if convolution.kernel_size == (1, 1):
        strides = convolution.stride
        y = convolve_cells(x[..., :: strides[0], :: strides[1]], weight, shift)
    else:
        y = F.conv2d(x, weight, shift, convolution.stride, convolution.padding, convolution.dilation)
    if added is not None:
        y = y + added * scale[:, None, None]
    return F.relu(y, inplace=True) if with_relu else y


class CellConvolution(nn.Conv2d):
    """A 1x1 convolution, computed by :func:`convolve_cells`."""

    def __init__(self, inputs: int, outputs: int, *, bias: bool = True) -> None:
        """Build with PyTorch's initial weights."""
        super().__init__(inputs, outputs, 1, bias=bias)

    def forward(self, input: Float[Tensor, "n i h w"]) -> Float[Tensor, "n o h w"]:
        """Map the channels of every cell."""
        return convolve_cells(input, self.weight, self.bias)


class ConvNorm(nn.Module):
    """A convolution without bias that keeps the size (or divides it by the stride), batch norm and ReLU."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int = 1, *, stride: int = 1, dilation: int = 1
    ) -> None:
        """Build with Kaiming-normal weights (fan-out)."""
        super().__init__()
        padding = dilation * (kernel - 1) // 2
        self.convolution = nn.Conv2d(
            inputs, outputs, kernel, stride=stride, padding=padding, dilation=dilation, bias=False
        )
        self.norm = BatchNorm2d(outputs)
        nn.init.kaiming_normal_(self.convolution.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Float[Tensor, "n i h w"]) -> Float[Tensor, "n o _h _w"]:
        """Return the maps."""
        return convolve_and_normalise(x, self.convolution, self.norm, with_relu=True)
