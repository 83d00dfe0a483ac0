"""Transformer layers as DETR has them: norm after the residual sum, positions on queries and keys only.

Axes: n sequences, k tokens, q queries, c channels, a heads, d channels a head.
"""

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float, Shaped
from torch import Tensor, nn

from deixis.layers.attention import MultiHeadAttention
from deixis.layers.linear import Linear, linear

ROWS = 512
"""Tokens a thread takes through a feed-forward at once (without gradients, on a CPU)."""

Heads = tuple[Float[Tensor, "n a k d"], Float[Tensor, "n a k d"], Float[Tensor, "n a k d"]]


def in_rows(
    function: Callable[..., Float[Tensor, "n _m c"]], *tokens: Float[Tensor, "_n m c"]
) -> Float[Tensor, "n m c"]:
    """Apply a function of each token on its own, on a CPU without gradients to some tokens at a time.

    What stands between the steps of the function, such as the wide values inside a feed-forward, then stays
    in the processor's cache.
    """
    rows = ROWS * torch.get_num_threads()
    if torch.is_grad_enabled() or tokens[0].device.type != "cpu" or tokens[0].shape[1] <= rows:
        return function(*tokens)
    parts = zip(*(values.split(rows, dim=1) for values in tokens), strict=True)
    return torch.cat([function(*part) for part in parts], dim=1)


def in_maps(
    function: Callable[..., Float[Tensor, "n *_m"]], *maps: Shaped[Tensor, "_n *_k"]
) -> Float[Tensor, "n *_m"]:
    """Apply a function of each map on its own, on a CPU without gradients to one map at a time.

    One map of an argument may serve all. Large tensors cost more than their numbers there: their memory comes
    from the system page by page.
    """
    n = max(len(each) for each in maps)
    maps = tuple(each.expand(n, *each.shape[1:]) for each in maps)
    if torch.is_grad_enabled() or maps[0].device.type != "cpu" or n == 1:
        return function(*maps)
    return torch.cat([function(*part) for part in zip(*(each.split(1) for each in maps), strict=True)])


class FeedForward(nn.Module):
    """Two linear layers with ReLU and dropout between them."""

    def __init__(self, width: int, inner: int, dropout: float) -> None:
        super().__init__()
        self.expand = Linear(width, inner)
        self.dropout = nn.Dropout(dropout)
        self.reduce = Linear(inner, width)

    def forward(self, x: Float[Tensor, "*n c"]) -> Float[Tensor, "*n c"]:
        """Apply both layers to the last axis."""
        return in_rows(self._apply_to_rows, x.flatten(0, -2)[None]).view(x.shape)

    def _apply_to_rows(self, x: Float[Tensor, "*n c"]) -> Float[Tensor, "*n c"]:
        inner = linear(x, self.expand.weight, self.expand.bias, with_relu=True)
        return self.reduce(self.dropout(inner))


class EncoderLayer(nn.Module):
    """Self-attention and feed-forward over tokens."""

    def __init__(self, width: int, num_heads: int, inner: int, dropout: float) -> None:
        """Build for ``width`` channels with a feed-forward of ``inner``."""
        super().__init__()
        self.attention = MultiHeadAttention(width, num_heads, dropout)
        self.attention_norm = nn.LayerNorm(width)
        self.feedforward = FeedForward(width, inner, dropout)
        self.feedforward_norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self,
        tokens: Float[Tensor, "n k c"],
        positions: Float[Tensor, "n k c"],
        padding_mask: Bool[Tensor, "n k"] | None = None,
        heads: Heads | None = None,
    ) -> Float[Tensor, "n k c"]:
        """Return the tokens after one layer.

        Args:
            tokens: what attends and is attended to.
            positions: added to queries and keys.
            padding_mask: True on tokens that nobody may attend to.
            heads: queries, keys and values from :meth:`project`, where the caller has them already.
        """
        if heads is None:
            heads = self.project(tokens, positions)
        tokens = self.attention_norm(tokens + self.dropout(self.attention.attend(*heads, padding_mask)))
        return self.feedforward_norm(tokens + self.dropout(self.feedforward(tokens)))

    def project(
        self, tokens: Float[Tensor, "*n k c"], positions: Float[Tensor, "*n k c"] | None
    ) -> tuple[Float[Tensor, "*n a k d"], Float[Tensor, "*n a k d"], Float[Tensor, "*n a k d"]]:
        """Return the queries, keys and values of ``tokens`` by heads; None for positions is zero."""
        placed = tokens if positions is None else tokens + positions
        return self.attention.project(placed, placed, tokens)


class DecoderLayer(nn.Module):
    """Self-attention of queries, cross-attention to the encoder memory, feed-forward."""

    def __init__(self, width: int, num_heads: int, inner: int, dropout: float) -> None:
        """Build for ``width`` channels with a feed-forward of ``inner``."""
        super().__init__()
        self.attention = MultiHeadAttention(width, num_heads, dropout)
        self.attention_norm = nn.LayerNorm(width)
        self.cross_attention = MultiHeadAttention(width, num_heads, dropout)
        self.cross_attention_norm = nn.LayerNorm(width)
        self.feedforward = FeedForward(width, inner, dropout)
        self.feedforward_norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self,
        queries: Float[Tensor, "m q c"],
        query_positions: Float[Tensor, "q c"],
        memory: Float[Tensor, "n k c"],
        positions: Float[Tensor, "n k c"],
        padding_mask: Bool[Tensor, "n k"] | None = None,
    ) -> Float[Tensor, "n q c"]:
        """Return the queries after one layer.

        Args:
            queries: of ``n`` sequences, or of one (``m == 1``): queries that are still the same for all
                sequences attend to one another once.
            query_positions: the learned queries, the same for all sequences.
            memory: tokens of the encoder.
            positions: of the memory, added to its keys.
            padding_mask: True on memory tokens that nobody may attend to.
        """
        placed = queries + query_positions
        queries = self.attention_norm(queries + self.dropout(self.attention(placed, placed, queries)))
        placed = (queries + query_positions).expand(len(memory), -1, -1)
        seen = self.cross_attention(placed, memory + positions, memory, padding_mask)
        queries = self.cross_attention_norm(queries + self.dropout(seen))
        return self.feedforward_norm(queries + self.dropout(self.feedforward(queries)))
