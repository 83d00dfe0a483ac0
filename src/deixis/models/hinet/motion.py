"""The motion branch of HINet: from a map of motion to gates on the channels of fused maps (ours).

Axes: n frames, m motion channels, c channels, h w cells, H W pixels.
"""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from deixis.layers.convolution import CellConvolution, ConvNorm


class MotionGates(nn.Module):
    """One gate a level: factors in (0, 2) that highlight or suppress each channel in each cell.

    They are 1 everywhere before training, so a model begins as the one without them.
    """

    def __init__(self, num_channels: int, widths: Sequence[int], gated: Mapping[int, int]) -> None:
        """Build for ``num_channels`` of motion.

        Args:
            num_channels: of the map of motion.
            widths: of the encoder at strides 2, 4 and 8.
            gated: level -> channels of its fused map.
        """
        super().__init__()
        half, quarter, eighth = widths
        self.stem = ConvNorm(num_channels, half, 3, stride=2)
        self.stages = nn.ModuleList(
            [
                ConvNorm(half, quarter, 3, stride=2),
                ConvNorm(quarter, eighth, 3, stride=2),
                ConvNorm(eighth, eighth, 3, dilation=2),
                ConvNorm(eighth, eighth, 3, dilation=4),
            ]
        )
        inputs = (quarter, eighth, eighth, eighth)
        self.gates = nn.ModuleDict(
            {str(level): CellConvolution(inputs[level - 1], channels) for level, channels in gated.items()}
        )
        for gate in self.gates.values():
            nn.init.zeros_(gate.get_parameter("weight"))
            nn.init.zeros_(gate.get_parameter("bias"))

    def forward(
        self, motion: Float[Tensor, "n m H W"], sizes: Sequence[tuple[int, int]]
    ) -> list[Float[Tensor, "n _c _h _w"]]:
        """Return the gates of the levels, fine to coarse, at the ``sizes`` (h, w) of their maps."""
        x = self.stem(motion)
        gates = []
        for level, stage in enumerate(self.stages, start=1):
            x = stage(x)
            if str(level) in self.gates:
                gates.append(2 * torch.sigmoid(self.gates[str(level)](x)))
        return [_at_size(gate, size) for gate, size in zip(gates, sizes, strict=True)]


def _at_size(gate: Float[Tensor, "n c _h _w"], size: tuple[int, int]) -> Float[Tensor, "n c h w"]:
    if gate.shape[-2:] == size:
        return gate
    return F.interpolate(gate, size=size, mode="bilinear", align_corners=False)
