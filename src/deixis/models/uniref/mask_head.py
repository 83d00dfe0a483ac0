"""Mask features of a few channels at stride 4, from the encoder's memory and the finest map (CondInst).

Axes: m maps, c channels, d channels of the mask features, h w cells.
"""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from deixis.layers.convolution import CellConvolution


class MaskHead(nn.Module):
    """Sums up the levels from coarse to fine, then joins the finest map."""

    def __init__(self, width: int, finest_channels: int, mask_channels: int, num_levels: int) -> None:
        """Build for ``num_levels`` of ``width`` and a finest map of ``finest_channels``."""
        super().__init__()
        self.levels = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1) for _ in range(num_levels))
        narrow = max(width // 4, mask_channels)
        self.narrow = nn.Conv2d(width, narrow, 3, padding=1)
        self.narrowest = nn.Conv2d(narrow, mask_channels, 3, padding=1)
        self.lateral = CellConvolution(finest_channels, mask_channels)
        self.smooth = nn.Conv2d(mask_channels, mask_channels, 3, padding=1)
        self.out = CellConvolution(mask_channels, mask_channels)

    def forward(
        self, levels: Sequence[Float[Tensor, "m c _h _w"]], finest: Float[Tensor, "m d h w"]
    ) -> Float[Tensor, "m d h w"]:
        """Return the mask features.

        Args:
            levels: of the encoder's memory, from fine to coarse (strides 8, 16, ...).
            finest: the backbone's finest map after ``lateral``, which has no reference in it.
        """
        y = F.relu(self.levels[0](levels[-1]))
        for convolution, level in zip(self.levels[1:], levels[-2::-1], strict=True):
            y = F.relu(convolution(level + F.interpolate(y, size=level.shape[-2:], mode="nearest")))
        y = F.relu(self.narrowest(F.relu(self.narrow(y))))
        y = F.interpolate(y, size=finest.shape[-2:], mode="bilinear", align_corners=False)
        return self.out(F.relu(self.smooth(finest + y)))
