"""The pixel decoder: from the encoder memory at stride 16 and lateral maps to mask features at stride 4.

Axes: b clips, e expressions, t frames, c channels, h w cells.
"""

from collections.abc import Sequence
from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F


class PixelDecoder(nn.Module):
    """A feature pyramid that halves its width from step to step (MTTR, section 3.4: "spatial decoder")."""

    def __init__(self, width: int, lateral_channels: Sequence[int], mask_channels: int) -> None:
        """Build from the ``width`` of the memory and the channels of the lateral maps, fine to coarse."""
        super().__init__()
        coarse_to_fine = tuple(reversed(lateral_channels))
        widths = [width, *(width >> step for step in range(len(coarse_to_fine) + 2))]
        self.adapters = nn.ModuleList(
            nn.Conv2d(channels, widths[step + 2], 1) for step, channels in enumerate(coarse_to_fine)
        )
        self.convolutions = nn.ModuleList(
            nn.Conv2d(inputs, outputs, 3, padding=1) for inputs, outputs in pairwise(widths)
        )
        self.norms = nn.ModuleList(nn.GroupNorm(8, outputs) for outputs in widths[1:])
        self.out = nn.Conv2d(widths[-1], mask_channels, 3, padding=1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d) and module.bias is not None:
                nn.init.kaiming_uniform_(module.weight, a=1)
                nn.init.zeros_(module.bias)

    def adapt(
        self, maps: Sequence[Float[Tensor, "b t _c _h _w"]]
    ) -> tuple[Float[Tensor, "b t _d _h _w"], ...]:
        """Bring the lateral maps (fine to coarse) to the decoder's widths: language-free, once per clip."""
        return tuple(
            adapter(features.flatten(0, 1)).unflatten(0, features.shape[:2])
            for adapter, features in zip(reversed(self.adapters), maps, strict=True)
        )

    def forward(
        self, memory: Float[Tensor, "e t c h w"], laterals: Sequence[Float[Tensor, "b t _d _h _w"]]
    ) -> Float[Tensor, "e t d H W"]:
        """Return mask features at the size of the finest lateral map.

        Args:
            memory: the video part of the encoder memory.
            laterals: what :meth:`adapt` gave, for ``e`` clips or for one that serves all expressions.
        """
        batch = memory.shape[:2]
        x = self._step(0, memory.flatten(0, 1))
        for step, lateral in enumerate(reversed(laterals), start=1):
            x = self._step(step, x)
            x = F.interpolate(x, size=lateral.shape[-2:], mode="nearest")
            x = (x.unflatten(0, batch) + lateral).flatten(0, 1)
        x = self._step(len(laterals) + 1, x)
        return self.out(x).unflatten(0, batch)

    def _step(self, index: int, x: Float[Tensor, "et c h w"]) -> Float[Tensor, "et d h w"]:
        return F.relu(self.norms[index](self.convolutions[index](x)))
