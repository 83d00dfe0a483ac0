"""Multi-head attention over padded sequences, fused, with the projections open to callers that share them.

Axes: n sequences, q queries, k keys, c channels, a heads, d channels a head.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from deixis.layers.linear import Linear, batched_linear, linear


@dataclass(frozen=True)
class FoldedKeys:
    """Keys and values ready for queries and results without projections of their own.

    Attributes:
        keys: ``float [n, (a k), c]``; their product with a query, plus the offset, is the attention logit.
        offsets: ``float [n, (a k)]``, minus infinity on padding.
        values: ``float [n, c, (a k)]``.
    """

    keys: Float[Tensor, "n ak c"]
    offsets: Float[Tensor, "n ak"]
    values: Float[Tensor, "n c ak"]


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

    def read_few(
        self,
        query: Float[Tensor, "_n q c"],
        key: Float[Tensor, "n k c"],
        value: Float[Tensor, "n k c"],
        padding_mask: Bool[Tensor, "n k"] | None = None,
    ) -> Float[Tensor, "n q c"]:
        """Attend as :meth:`forward` from many queries to few keys, such as from pixels to words.

        The projection of the queries is folded into the keys and that of the results into the values: two
        products with ``a k`` columns in the place of two with ``c``. One sequence of queries may serve all
        (``_n == 1``).
        """
        return self.read_folded(query, self.fold(key, value, padding_mask))

    def fold(
        self,
        key: Float[Tensor, "n k c"],
        value: Float[Tensor, "n k c"],
        padding_mask: Bool[Tensor, "n k"] | None = None,
    ) -> FoldedKeys:
        """Fold keys and values with the projections of queries and results, for :meth:`read_folded`."""
        weights, biases = self.in_projection.weight.chunk(3), self.in_projection.bias.chunk(3)
        k, v = (
            linear(x, weight, bias).unflatten(-1, (self.num_heads, -1))
            for x, weight, bias in zip((key, value), weights[1:], biases[1:], strict=True)
        )  # n k a d
        return fold_heads(k, v, (weights[0], biases[0]), self.out_projection.weight, padding_mask)

    def read_folded(self, query: Float[Tensor, "_n q c"], folded: FoldedKeys) -> Float[Tensor, "n q c"]:
        """Attend to keys and values that :meth:`fold` made ready."""
        dropout = self.dropout if self.training else 0.0
        return read_folded(query, folded, self.num_heads, self.out_projection.bias, dropout)

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


def fold_heads(
    keys: Float[Tensor, "n k a d"],
    values: Float[Tensor, "n k a d"],
    query_projection: tuple[Float[Tensor, "ad c"], Float[Tensor, "ad"]],
    out_weight: Float[Tensor, "c ad"],
    padding_mask: Bool[Tensor, "n k"] | None = None,
) -> FoldedKeys:
    """Fold projected keys and values with the projections of queries and results.

    Args:
        keys: by heads, not yet scaled.
        values: by heads.
        query_projection: weight and bias that the queries will not go through.
        out_weight: weight that the results will not go through.
        padding_mask: True on keys that are hidden.
    """
    num_heads = keys.shape[2]
    k = keys * keys.shape[-1] ** -0.5
    weight, bias = (part.unflatten(0, (num_heads, -1)).to(k.dtype) for part in query_projection)  # a d c, a d
    offsets = torch.einsum("nkad,ad->nak", k, bias)
    if padding_mask is not None:
        offsets = offsets.masked_fill(padding_mask[:, None], -torch.inf)
    results = out_weight.unflatten(1, (num_heads, -1)).to(values.dtype)  # c a d
    return FoldedKeys(
        keys=torch.einsum("nkad,adc->nakc", k, weight).flatten(1, 2),
        offsets=offsets.flatten(1),
        values=torch.einsum("nkad,cad->ncak", values, results).flatten(2),
    )


def read_folded(
    query: Float[Tensor, "_n q c"],
    folded: FoldedKeys,
    num_heads: int,
    out_bias: Float[Tensor, "c"],
    dropout: float = 0.0,
) -> Float[Tensor, "n q c"]:
    """Attend to what :func:`fold_heads` made; ``dropout`` acts on the attention weights."""
    scores = batched_linear(query, folded.keys, folded.offsets)  # n q (a k)
    shares = scores.unflatten(-1, (num_heads, -1)).softmax(dim=-1)
    shares = F.dropout(shares, dropout, dropout > 0).flatten(2).to(folded.values.dtype)
    biases = out_bias.to(folded.values.dtype).expand(len(folded.values), -1)
    return batched_linear(shares, folded.values, biases)
