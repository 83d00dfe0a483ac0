"""Early fusion: words and pixels before the encoder (ReferFormer, section 3.2).

Axes: e expressions, t frames, n cells of a frame in all levels, s words, c channels.
"""

from jaxtyping import Bool, Float
from torch import Tensor, nn

from deixis.layers.attention import MultiHeadAttention


class Fusion(nn.Module):
    """Early fusion: every pixel is multiplied by what it reads from the words (ReferFormer, section 3.2)."""

    def __init__(self, width: int, num_heads: int) -> None:
        super().__init__()
        self.attention = MultiHeadAttention(width, num_heads)

    def forward(
        self,
        pixels: Float[Tensor, "_e t n c"],
        words: Float[Tensor, "e s c"],
        word_positions: Float[Tensor, "e s c"],
        word_padding: Bool[Tensor, "e s"],
    ) -> Float[Tensor, "e t n c"]:
        """Fuse the pixels of ``e`` clips, or of one clip for all expressions."""
        read = self.attention.read_few(pixels.flatten(1, 2), words + word_positions, words, word_padding)
        return pixels * read.unflatten(1, pixels.shape[1:3])
