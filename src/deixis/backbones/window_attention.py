"""Attention inside 3-D windows with relative position biases, over real tokens only.

All padded tokens of a window are zero before the query-key-value layer, so they share one key and one
value: the layer's biases. Attention over them is attention over a single key whose position bias is the
log-sum-exp of theirs (their region masks included), and nobody needs their results. So padding costs one
key a window, exactly.

Axes: b videos, w windows, n real tokens of a window, q queries of a window, m places of a window, a heads,
c channels.
"""

import math
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from deixis.layers.linear import Linear, linear

from .window_plan import VIDEO, WindowGroup

APART = -100.0
"""Added to the logits of two tokens of a window that are no neighbours in the map (not minus infinity)."""


@dataclass(frozen=True)
class BiasCache:
    """The biases of one plan, and the table they were made from."""

    plan: tuple[WindowGroup, ...]
    table: Float[Tensor, "r a"]
    biases: tuple[Float[Tensor, "a _q _k"], ...]


class WindowAttention(nn.Module):
    """Multi-head attention of every token over the tokens of its window."""

    relative_position_index: Int[Tensor, "m m"]

    def __init__(self, channels: int, num_heads: int, window: tuple[int, int, int] = VIDEO.extent) -> None:
        """Build with a table of one bias a head for every offset between two places of a full ``window``."""
        super().__init__()
        self.num_heads = num_heads
        self.qkv = Linear(channels, 3 * channels)
        self.projection = Linear(channels, channels)
        rows = math.prod(2 * extent - 1 for extent in window)
        self.relative_position_bias_table = nn.Parameter(torch.empty(rows, num_heads))
        nn.init.trunc_normal_(self.relative_position_bias_table, std=0.02)
        self.register_buffer("relative_position_index", position_index(window), persistent=False)
        self._cache: BiasCache | None = None

    def forward(
        self, x: Float[Tensor, "b w n c"], group: WindowGroup, bias: Float[Tensor, "a q k"]
    ) -> Float[Tensor, "b w q c"]:
        """Attend inside windows of one kind.

        Args:
            x: the real tokens of each window, normalised.
            group: the kind of the windows.
            bias: of every query (row) to every real token and, where the windows have padding, to all of that
                (last column); from :meth:`biases`.
        """
        b, w, n, c = x.shape
        if bias.shape[2] > n:
            x = F.pad(x, (0, 0, 0, 1))  # a zero token stands for all padding
        if group.queries is None:
            q, k, v = (
                self.qkv(x).view(b * w, -1, 3, self.num_heads, c // self.num_heads).permute(2, 0, 3, 1, 4)
            )
            q = q[:, :, :n]  # (b w) a q d
        else:
            weights, offsets = self.qkv.weight.split((c, 2 * c)), self.qkv.bias.split((c, 2 * c))
            q = linear(x[:, :, group.queries], weights[0], offsets[0])
            q = q.view(b * w, -1, self.num_heads, c // self.num_heads).transpose(1, 2)
            k, v = (
                linear(x, weights[1], offsets[1])
                .view(b * w, -1, 2, self.num_heads, c // self.num_heads)
                .permute(2, 0, 3, 1, 4)
            )
        mask = bias.to(q.dtype).expand(b * w, -1, -1, -1)
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)  # (b w) a q d
        return self.projection(y.transpose(1, 2).reshape(b, w, -1, c))

    def biases(self, plan: tuple[WindowGroup, ...]) -> tuple[Float[Tensor, "a _q _k"], ...]:
        """Return the bias of each group of ``plan``.

        On a CPU and without gradients the biases of the latest plan are kept, and used again as long as the
        table holds the same numbers. Elsewhere they are made anew: with gradients they must be, on a GPU it
        is quicker than asking whether the table has changed.
        """
        table = self.relative_position_bias_table
        if torch.is_grad_enabled() or table.device.type != "cpu" or torch.compiler.is_compiling():
            return tuple(self._make_bias(group) for group in plan)
        cache = self._cache
        if cache is None or cache.plan is not plan or not torch.equal(cache.table, table):
            cache = BiasCache(plan, table.clone(), tuple(self._make_bias(group) for group in plan))
            self._cache = cache
        return cache.biases

    def _make_bias(self, group: WindowGroup) -> Float[Tensor, "a q k"]:
        places = len(group.token_places) + len(group.padded_places)
        # The published rule for windows smaller than the full one: the first rows and columns of the index.
        index = self.relative_position_index[group.query_places, :places]
        bias = self.relative_position_bias_table.float().T.index_select(1, index.flatten())
        bias = bias.unflatten(1, index.shape)  # a q m
        if group.apart is not None:
            bias = bias + group.apart * APART
        if len(group.padded_places) == 0:
            return bias
        padding = bias[:, :, group.padded_places].logsumexp(2, keepdim=True)
        return torch.cat([bias[:, :, group.token_places], padding], dim=2)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_cache": None}


def position_index(window: tuple[int, int, int]) -> Int[Tensor, "m m"]:
    """Return the row of the bias table for each query (row) and key (column) of a full window."""
    axes = [torch.arange(extent) for extent in window]
    places = torch.stack(torch.meshgrid(*axes, indexing="ij")).flatten(1)  # 3 m
    offsets = places[:, :, None] - places[:, None, :]
    dt, dh, dw = (offset + extent - 1 for offset, extent in zip(offsets, window, strict=True))
    return (dt * (2 * window[1] - 1) + dh) * (2 * window[2] - 1) + dw
