"""The fusion of a map and a sentence by multiplication, as in RefVOS and at each level of HINet.

Axes: n maps, e expressions, t frames, c channels, d channels of the sentence, h w cells.
"""

from jaxtyping import Float
from torch import Tensor, nn

from deixis.layers.convolution import ConvNorm
from deixis.layers.linear import Linear
from deixis.layers.norm import BatchNorm1d


class SentenceFusion(nn.Module):
    """Weigh the channels of a map by what the sentence says, then mix them."""

    def __init__(self, sentence_channels: int, channels: int, dropout: float = 0.0) -> None:
        """Build for maps of ``channels``."""
        super().__init__()
        self.embedding = Linear(sentence_channels, channels)
        self.embedding_norm = BatchNorm1d(channels)
        self.project = ConvNorm(channels, channels)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, maps: Float[Tensor, "_e t c h w"], sentences: Float[Tensor, "e d"]
    ) -> Float[Tensor, "e t c h w"]:
        """Return one map for each expression and frame.

        Args:
            maps: of each expression's clip, or of the one clip (``_e == 1``) of all.
            sentences: one vector an expression.

        Raises:
            ValueError: in training there is a single sentence, of which a batch norm cannot learn.
        """
        if self.training and len(sentences) < 2 and not self.embedding_norm.is_synced:
            raise ValueError(
                "the batch norm over sentences needs 2 expressions or more in each step of each process; "
                "enlarge the batch, use fewer processes or parts, or share the norm (sync_batch_norm)"
            )
        weights = self.embedding_norm(self.embedding(sentences))  # e c
        weighted = maps * weights[:, None, :, None, None]  # e t c h w
        fused = self.dropout(self.project(weighted.flatten(0, 1)))
        return fused.unflatten(0, weighted.shape[:2])
