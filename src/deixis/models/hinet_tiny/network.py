"""The network of hinet-tiny: a U-Net of a million parameters over colours and cues.

At half the size of its input; 1.1 M parameters and 2.6 GMAC a frame of 192x336.

Axes: n frames, c channels, h w cells, H W pixels.
"""

from collections.abc import Sequence
from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from deixis.layers.convolution import CellConvolution, ConvNorm, convolve_and_normalise
from deixis.layers.norm import BatchNorm2d


class Block(nn.Module):
    """A residual block of two 3x3 convolutions."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = ConvNorm(width, width, 3)
        self.second = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm = BatchNorm2d(width)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """Add what the two convolutions find."""
        return F.relu(x + convolve_and_normalise(self.first(x), self.second, self.norm), inplace=True)


class MoverNet(nn.Module):
    """Colours and cues to logits of "belongs to something that moves"."""

    def __init__(self, num_channels: int, widths: Sequence[int]) -> None:
        """Build with levels at strides 2, 4, 8, ... of these ``widths``."""
        super().__init__()
        self.stride = 2 ** len(widths)
        self.stem = ConvNorm(num_channels, widths[0], 5, stride=2)
        self.reductions = nn.ModuleList(
            ConvNorm(wide, wider, 3, stride=2) for wide, wider in pairwise(widths)
        )
        self.blocks = nn.ModuleList(Block(width) for width in widths)
        self.whole = nn.Sequential(
            nn.Linear(widths[-1], widths[-1]), nn.ReLU(), nn.Linear(widths[-1], widths[-1])
        )
        self.rises = nn.ModuleList(CellConvolution(wider, wide) for wide, wider in pairwise(widths))
        self.merges = nn.ModuleList(ConvNorm(width, width, 3) for width in widths[:-1])
        self.movers = nn.Conv2d(widths[0], 4, 3, padding=1)

    def forward(self, x: Float[Tensor, "n c H W"]) -> Float[Tensor, "n H W"]:
        """Return the logits, at the size of the input."""
        height, width = x.shape[-2:]
        x = F.pad(x, (0, -width % self.stride, 0, -height % self.stride), mode="replicate")
        x = self.blocks[0](self.stem(x))
        maps = [x]
        for reduction, block in zip(self.reductions, self.blocks[1:], strict=True):
            x = block(reduction(x))
            maps.append(x)
        x = x + self.whole(x.mean(dim=(2, 3)))[:, :, None, None]
        for level in reversed(range(len(self.merges))):
            wider = F.interpolate(
                self.rises[level](x), size=maps[level].shape[-2:], mode="bilinear", align_corners=False
            )
            x = self.merges[level](maps[level] + wider)
        return F.pixel_shuffle(self.movers(x), 2)[:, 0, :height, :width]
