"""UniFusion: pixels read from references of any kind, by one module for all levels (UniRef++, section 3.2).

Values are not normalised, keys are; heads are as wide as the tokens. What was read is shifted, scaled and
gated by numbers made of the reference's embedding, which begin as zeros (as in DiT).

Axes: b maps of pixels, e expressions or objects, n cells of a level, k tokens of a reference, a heads,
d channels a head, c channels.
"""

from collections.abc import Callable, Sequence
from functools import partial

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from deixis.layers.attention import FoldedKeys, fold_heads, read_folded
from deixis.layers.linear import Linear
from deixis.models.uniref.config import Fusion, Order
from deixis.models.uniref.reference import MaskReference
from deixis.structures import TextFeatures

SCORES_AT_ONCE = 1 << 25
"""Attention scores that are held in memory where objects share them."""

Branch = Callable[[Float[Tensor, "b n c"]], Float[Tensor, "e n c"]]
"""From normalised pixels to what they read of a reference, modulated."""


class UniFusion(nn.Module):
    """Fuses the pixels of every level with words, with masks of other frames, or with both."""

    def __init__(
        self, width: int, num_heads: int, head_width: int, dropout: float, fusion: Fusion, order: Order
    ) -> None:
        """Build for tokens of ``width``; ``fusion`` and ``order`` as the configuration has them."""
        super().__init__()
        self.num_heads, self.dropout, self.fusion, self.order = num_heads, dropout, fusion, order
        inner = num_heads * head_width
        self.pixel_norm = nn.LayerNorm(width)
        self.reference_norm = nn.LayerNorm(width)
        self.queries = Linear(width, inner)
        self.keys = Linear(width, inner)
        self.values = Linear(width, inner)
        self.out = Linear(inner, width)
        self.modulation = Linear(width, 3 * width) if fusion == "add" else None
        if self.modulation is not None:
            nn.init.zeros_(self.modulation.weight)
            nn.init.zeros_(self.modulation.bias)

    def forward(
        self,
        levels: Sequence[Float[Tensor, "b _n c"]],
        text: TextFeatures | None,
        masks: MaskReference | None,
    ) -> list[Float[Tensor, "e _n c"]]:
        """Fuse every level; without any reference, pixels stay what they are.

        Args:
            levels: pixels of ``e`` maps, or of one for all expressions and objects.
            text: ``e`` expressions, their sentences as embeddings.
            masks: of ``e`` objects.
        """
        folded = None if text is None else self._fold(text)
        fused = []
        for index, pixels in enumerate(levels):
            branches: dict[str, Branch] = {}
            if text is not None and folded is not None:
                assert text.sentence is not None
                branches["language"] = partial(self._read_words, folded=folded, sentence=text.sentence)
            if masks is not None:
                branches["mask"] = partial(self._read_masks, masks=masks, level=index)
            fused.append(self._fuse(pixels, branches))
        return fused

    def _fuse(self, pixels: Float[Tensor, "b n c"], branches: dict[str, Branch]) -> Float[Tensor, "e n c"]:
        if not branches:
            return pixels
        if self.order == "parallel":
            return self._join(pixels, list(branches.values()))
        for name in sorted(branches, reverse=self.order == "mask-first"):
            pixels = self._join(pixels, [branches[name]])
        return pixels

    def _join(self, pixels: Float[Tensor, "b n c"], branches: list[Branch]) -> Float[Tensor, "e n c"]:
        """Let all ``branches`` read for the same pixels, and join what they read."""
        normalised = self.pixel_norm(pixels)
        if self.fusion == "add":
            for branch in branches:
                pixels = pixels + branch(normalised)
            return pixels
        product = pixels * branches[0](normalised)
        for branch in branches[1:]:
            product = product * (pixels * branch(normalised))
        return product

    def _fold(self, text: TextFeatures) -> FoldedKeys:
        """Fold the words with the projections of queries and results: few tokens, for many pixels."""
        keys, values = (
            part.unflatten(-1, (self.num_heads, -1))
            for part in (self.keys(self.reference_norm(text.words)), self.values(text.words))
        )  # e k a d
        query = (self.queries.weight, self.queries.bias)
        return fold_heads(keys, values, query, self.out.weight, text.padding_mask)

    def _read_words(
        self, pixels: Float[Tensor, "b n c"], *, folded: FoldedKeys, sentence: Float[Tensor, "e c"]
    ) -> Float[Tensor, "e n c"]:
        dropout = self.dropout if self.training else 0.0
        return self._modulate(read_folded(pixels, folded, self.num_heads, self.out.bias, dropout), sentence)

    def _read_masks(
        self, pixels: Float[Tensor, "b n c"], *, masks: MaskReference, level: int
    ) -> Float[Tensor, "e n c"]:
        keys, values = self.keys(self.reference_norm(masks.keys[level])), self.values(masks.values[level])
        query, keys, values = (
            part.unflatten(-1, (self.num_heads, -1)).transpose(1, 2)
            for part in (self.queries(pixels), keys, values)
        )  # _ a _ d
        hidden = masks.hidden[level]
        visible = ~hidden[:, None, None] if hidden.any() else None  # _e 1 1 k
        if len(values) > len(keys) == len(query) == 1 and not torch.is_grad_enabled():
            mixed = attend_for_all(query, keys, values, visible)
        else:
            n = max(len(query), len(values))
            query, keys = query.expand(n, -1, -1, -1), keys.expand(n, -1, -1, -1)
            dropout = self.dropout if self.training else 0.0
            mixed = F.scaled_dot_product_attention(
                query, keys, values.expand(n, -1, -1, -1), attn_mask=visible, dropout_p=dropout
            )
        return self._modulate(self.out(mixed.transpose(1, 2).flatten(2)), masks.embeddings[level])

    def _modulate(
        self, read: Float[Tensor, "e n c"], embedding: Float[Tensor, "_e c"]
    ) -> Float[Tensor, "e n c"]:
        if self.modulation is None:
            return read
        shift, scale, gate = self.modulation(F.silu(embedding))[:, None].chunk(3, dim=-1)  # _e 1 c
        return gate * (read * (1 + scale) + shift)


def attend_for_all(
    query: Float[Tensor, "1 a n d"],
    keys: Float[Tensor, "1 a k d"],
    values: Float[Tensor, "e a k d"],
    visible: Bool[Tensor, "1 1 1 k"] | None = None,
) -> Float[Tensor, "e a n d"]:
    """Attend for objects that share queries and keys: the attention weights are made once for all of them.

    Some queries at a time, so that the weights stay small.
    """
    a, k = keys.shape[1:3]
    rows = max(1, SCORES_AT_ONCE // (a * k))
    scaled = keys[0].transpose(1, 2) * keys.shape[-1] ** -0.5  # a d k
    parts = []
    for part in query[0].split(rows, dim=1):
        scores = part @ scaled  # a m k
        if visible is not None:
            scores = scores.masked_fill(~visible[0], -torch.inf)
        parts.append(scores.softmax(dim=-1) @ values)  # e a m d
    return torch.cat(parts, dim=2)
