"""Parts of which encoders of frames with masks are made (STCN; UniRef).

Axes: k objects, i o s c channels, h w cells.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from deixis.layers.convolution import convolve_and_normalise
from deixis.layers.norm import BatchNorm2d


def serve(shared: Float[Tensor, "_b c h w"], count: int) -> Float[Tensor, "k c h w"]:
    """Repeat each map for the objects of its frame, ``count`` in all and an equal number a frame.

    They stand together; one map for all is not copied.
    """
    if len(shared) == count:
        return shared
    if len(shared) == 1:
        return shared.expand(count, -1, -1, -1)
    return shared.repeat_interleave(count // len(shared), dim=0)


class ResBlock(nn.Module):
    """Two convolutions with ReLU before each and none after, without norms, added to their input.

    Where the input has ``shared`` channels that are the same for all objects, what is made of them is made
    once: convolutions are linear and ReLU works on each channel by itself.
    """

    def __init__(self, inputs: int, outputs: int, *, shared: int = 0) -> None:
        """Build a block of ``inputs`` channels an object and ``shared`` ones that come after them."""
        super().__init__()
        self.inputs = inputs
        is_same = inputs + shared == outputs
        self.shortcut = None if is_same else nn.Conv2d(inputs + shared, outputs, 3, padding=1)
        self.first = nn.Conv2d(inputs + shared, outputs, 3, padding=1)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1)

    def forward(
        self, x: Float[Tensor, "k _i h w"], shared: Float[Tensor, "_k _s h w"] | None = None
    ) -> Float[Tensor, "k o h w"]:
        """Return the maps of all objects; a map of ``shared`` channels may serve several (:func:`serve`)."""
        y = self._convolve(self.first, F.relu(x), None if shared is None else F.relu(shared))
        y = self.second(F.relu(y, inplace=True))
        return y + (x if self.shortcut is None else self._convolve(self.shortcut, x, shared))

    def _convolve(
        self, convolution: nn.Conv2d, x: Float[Tensor, "k _i h w"], shared: Float[Tensor, "_k _s h w"] | None
    ) -> Float[Tensor, "k o h w"]:
        if shared is None:
            return convolution(x)
        own, common = convolution.weight[:, : self.inputs], convolution.weight[:, self.inputs :]
        return F.conv2d(x, own, padding=1) + serve(
            F.conv2d(shared, common, convolution.bias, padding=1), len(x)
        )


class BasicBlock(nn.Module):
    """The block of ResNet-18, with biases in its convolutions."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        """Build a block that divides the size by ``stride``."""
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1)
        self.bn1 = BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.bn2 = BatchNorm2d(outputs)
        self.shortcut = None
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Conv2d(inputs, outputs, 1, stride)
            self.shortcut_norm = BatchNorm2d(outputs)

    def forward(self, x: Float[Tensor, "k i h w"]) -> Float[Tensor, "k o _h _w"]:
        """Return the maps."""
        y = convolve_and_normalise(x, self.conv1, self.bn1, with_relu=True)
        y = convolve_and_normalise(y, self.conv2, self.bn2)
        if self.shortcut is not None:
            x = convolve_and_normalise(x, self.shortcut, self.shortcut_norm)
        return F.relu(x + y, inplace=True)


class Cbam(nn.Module):
    """Gates on the channels, then on the cells of a map (Woo et al., ECCV 2018), without batch norm."""

    def __init__(self, channels: int, reduction: int = 16) -> None:
        """Build the two gates."""
        super().__init__()
        self.reduce = nn.Linear(channels, channels // reduction)
        self.expand = nn.Linear(channels // reduction, channels)
        self.cells = nn.Conv2d(2, 1, 7, padding=3)

    def forward(self, x: Float[Tensor, "k c h w"]) -> Float[Tensor, "k c h w"]:
        """Return the gated map; a residual is added by whoever wants one."""
        means, peaks = x.mean((-2, -1)), x.amax((-2, -1))
        gate = self._channels(means) + self._channels(peaks)  # k c
        x = x * gate.sigmoid()[..., None, None]
        seen = torch.cat((x.amax(1, keepdim=True), x.mean(1, keepdim=True)), dim=1)  # k 2 h w
        return x * self.cells(seen).sigmoid()

    def _channels(self, pooled: Float[Tensor, "k c"]) -> Float[Tensor, "k c"]:
        return self.expand(F.relu(self.reduce(pooled)))
