"""The last layers of RefVOS and HINet: from fused maps to two score maps.

Axes: n maps, c channels, h w cells.
"""

from jaxtyping import Float
from torch import Tensor, nn

from deixis.layers.convolution import CellConvolution, ConvNorm


class ScoreHead(nn.Module):
    """A 3x3 convolution with norm, then the scores of background and object."""

    def __init__(self, channels: int) -> None:
        """Build for maps of ``channels``; the last layer has PyTorch's initial weights, which are small."""
        super().__init__()
        self.smooth = ConvNorm(channels, channels, 3)
        self.score = CellConvolution(channels, 2)

    def forward(self, maps: Float[Tensor, "n c h w"]) -> Float[Tensor, "n 2 h w"]:
        """Return the scores."""
        return self.score(self.smooth(maps))
