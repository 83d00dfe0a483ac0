"""Atrous spatial pyramid pooling (DeepLabv3: Chen et al., 2017), as in RefVOS and HINet.

Axes: n maps, i inputs, o outputs, h w cells.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from deixis.layers.convolution import ConvNorm


class Aspp(nn.Module):
    """Look at every cell through 1x1 and dilated 3x3 convolutions and at the whole map at once."""

    def __init__(self, inputs: int, channels: int, rates: Sequence[int], dropout: float) -> None:
        """Build one branch of ``channels`` for each of the dilation ``rates``, and two more."""
        super().__init__()
        dilated = (ConvNorm(inputs, channels, 3, dilation=rate) for rate in rates)
        self.branches = nn.ModuleList([ConvNorm(inputs, channels), *dilated])
        self.pooling = ConvNorm(inputs, channels)
        self.project = ConvNorm((len(rates) + 2) * channels, channels)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Float[Tensor, "n i h w"]) -> Float[Tensor, "n o h w"]:
        """Return the map of all branches together."""
        pooled = self.pooling(x.mean(dim=(2, 3), keepdim=True))  # n o 1 1
        seen = [branch(x) for branch in self.branches]
        return self.dropout(self.project(torch.cat([*seen, pooled.expand_as(seen[0])], dim=1)))
