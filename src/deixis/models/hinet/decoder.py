"""The decoder of HINet: fused maps from coarse to fine, as DeepLabv3+ joins low-level maps (ours).

Axes: n frames of expressions, c d channels, h w cells.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from deixis.layers.convolution import ConvNorm


class Decoder(nn.Module):
    """Join each finer map by a 3x3 convolution over both."""

    def __init__(self, channels: int, reduced_channels: int, num_levels: int) -> None:
        """Build for ``num_levels`` maps of ``reduced_channels`` below the coarsest one of ``channels``."""
        super().__init__()
        self.joins = nn.ModuleList(
            ConvNorm(channels + reduced_channels, channels, 3) for _ in range(num_levels)
        )

    def forward(
        self, coarsest: Float[Tensor, "n c _h _w"], finer: Sequence[Float[Tensor, "n d _h2 _w2"]]
    ) -> Float[Tensor, "n c h w"]:
        """Return one map at the size of the finest.

        Args:
            coarsest: where to begin.
            finer: from fine to coarse.
        """
        x = coarsest
        for join, maps in zip(self.joins, reversed(finer), strict=True):
            if x.shape[-2:] != maps.shape[-2:]:
                x = F.interpolate(x, size=maps.shape[-2:], mode="bilinear", align_corners=False)
            x = join(torch.cat((x, maps), dim=1))
        return x
