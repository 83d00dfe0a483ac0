"""From a backbone's maps to the tokens of a deformable transformer.

Axes: b clips, t frames, n cells of a map, c channels, h w cells.
"""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from deixis.layers.convolution import CellConvolution

GROUPS = 32
"""Of the norms after the projections."""


def level_projections(channels: Sequence[int], width: int) -> nn.ModuleList:
    """Build the projections of maps of these ``channels``, and that of a level coarser still.

    The last one halves the coarsest map once more. Batch padding enters the group norms, as published.
    """
    layers: list[nn.Conv2d] = [CellConvolution(inputs, width) for inputs in channels]
    layers.append(nn.Conv2d(channels[-1], width, 3, stride=2, padding=1))
    for layer in layers:
        nn.init.xavier_uniform_(layer.weight)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
    return nn.ModuleList(nn.Sequential(layer, nn.GroupNorm(GROUPS, width)) for layer in layers)


def cells_of(maps: Float[Tensor, "b t c h w"]) -> Float[Tensor, "b t n c"]:
    """Return the cells of maps one after another: without a copy where channels are last in memory."""
    return maps.permute(0, 1, 3, 4, 2).flatten(2, 3)
