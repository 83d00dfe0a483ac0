"""Multi-head attention over padded sequences, fused, with the projections open to callers that share them.

Axes: n sequences, q queries, k keys, c channels, a heads, d channels a head.
"""

from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from deixis.layers.linear import Linear, linear


class MultiHeadAttention(nn.Module):
    """Scaled dot-product attention with ``num_heads`` heads and biases everywhere.

    The three input projections are one matrix with the rows of queries, keys and values in this order.
    Averaged attention weights are never made. A caller that shares keys and values between sequences calls
    :meth:`project` once and :meth:`attend` as often as it likes.
    """

    def __init__(self, width: int, num_heads: int, dropout: float = 0.0) -> None:
        """Build for ``width`` channels; ``dropout`` acts on the attention weights."""
        super().__init__()
        if width % num_heads:
            raise ValueError(f"width {width} cannot be split into {num_heads} heads")
        self.num_heads = num_heads
        self.dropout = dropout
        self.in_projection = Linear(width, 3 * width)
        self.out_projection = Linear(width, width)

    def forward(
        self,
        query: Float[Tensor, "n q c"],
        key: Float[Tensor, "n k c"],
        value: Float[Tensor, "n k c"],
        padding_mask: Bool[Tensor, "n k"] | None = None,
    ) -> Float[Tensor, "n q c"]:
        """Attend from ``query`` to the keys that ``padding_mask`` does not hide."""
        return self.attend(*self.project(query, key, value), padding_mask)

    def project(
        self, query: Float[Tensor, "*n q c"], key: Float[Tensor, "*n k c"], value: Float[Tensor, "*n k c"]
    ) -> tuple[Float[Tensor, "*n a q d"], Float[Tensor, "*n a k d"], Float[Tensor, "*n a k d"]]:
        """Return queries, keys and values by heads."""
        weights = self.in_projection.weight.chunk(3)
        biases = self.in_projection.bias.chunk(3)
        q, k, v = (
            linear(x, weight, bias).unflatten(-1, (self.num_heads, -1)).transpose(-3, -2)
            for x, weight, bias in zip((query, key, value), weights, biases, strict=True)
        )
        return q, k, v

    def attend(
        self,
        query: Float[Tensor, "n a q d"],
        key: Float[Tensor, "n a k d"],
        value: Float[Tensor, "n a k d"],
        padding_mask: Bool[Tensor, "n k"] | None = None,
    ) -> Float[Tensor, "n q c"]:
        """Attend with projected queries, keys and values."""
        visible = None if padding_mask is None else ~padding_mask[:, None, None, :]
        dropout = self.dropout if self.training else 0.0
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=visible, dropout_p=dropout)
        return self.out_projection(mixed.transpose(1, 2).flatten(2))
