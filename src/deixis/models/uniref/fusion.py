"""UniFusion: pixels read from references of any kind, by one module for all levels (UniRef++, section 3.2).

Values are not normalised, keys are; heads are as wide as the tokens. What was read is shifted, scaled and
gated by numbers made of the reference's embedding, which begin as zeros (as in DiT).

For one frame of 480x864, an object and two reference frames: 367 GMAC, 94 % of them in the finest level
(6,480 cells x 12,960 tokens x 8 heads x 256 channels, twice), where 672 million attention scores stand
between, 2.7 GB. Projections of queries, keys, values and results are 27 GMAC. On a CPU, pixels are compared
with what all heads share, the normalised tokens, and mix what all heads and objects share, the values: the
projections of keys are folded into those of queries, those of values into those of results (9 GMAC are left;
nothing of a reference is projected), scores are made for some pixels at a time, and each further object costs
the mixing alone, half.

Axes: b maps of pixels, e expressions or objects, n cells of a level, m some of them, k tokens of a reference,
a heads, d channels a head, c channels.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from deixis.layers.attention import FoldedKeys, fold_heads, read_folded
from deixis.layers.linear import Linear, linear
from deixis.layers.transformer import in_rows
from deixis.models.uniref.config import Fusion, Order
from deixis.models.uniref.reference import MaskReference
from deixis.structures import TextFeatures

SCORES_AT_ONCE = 1 << 22
"""Attention scores that are held at a time on a CPU: with their exponentials, as much as its cache holds."""
SCORES_AT_ONCE_ELSEWHERE = 1 << 25

_SHARPER = 2.0
"""Times the usual size of weights: a pixel is then compared with itself some thousand times as well as with
another one."""

Branch = Callable[[Float[Tensor, "b n c"]], Float[Tensor, "e n c"]]
"""From normalised pixels to what they read of a reference, modulated."""


@dataclass(frozen=True)
class FoldedProjections:
    """The projections of a fusion for references that are not projected themselves.

    Attributes:
        query_weight, query_bias: ``float [(a c), c]``, ``[(a c)]``: from normalised pixels to what normalised
            tokens are compared with.
        result_weight, result_bias: ``float [c, (a c)]``, ``[c]``: from mixed values to what was read.
    """

    query_weight: Float[Tensor, "ac c"]
    query_bias: Float[Tensor, "ac"]
    result_weight: Float[Tensor, "c ac"]
    result_bias: Float[Tensor, "c"]


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
        folded = None if text is None else self._fold_words(text)
        projections = None if masks is None else self._fold_projections(levels[0], masks)
        fused = []
        for index, pixels in enumerate(levels):
            branches: dict[str, Branch] = {}
            if text is not None and folded is not None:
                assert text.sentence is not None
                branches["language"] = partial(self._read_words, folded=folded, sentence=text.sentence)
            if masks is not None:
                branches["mask"] = partial(
                    self._read_masks, masks=masks, level=index, projections=projections
                )
            fused.append(self._fuse(pixels, branches))
        return fused

    def look_for_alike(self) -> None:
        """Start from keys that are the queries of the same pixels, and pass on what is found so."""
        with torch.no_grad():
            for name, start in self.queries.named_parameters():
                start *= _SHARPER
                self.keys.get_parameter(name).copy_(start)
            if self.modulation is not None:
                self.modulation.bias[-self.modulation.bias.numel() // 3 :] = 1  # the gate

    def normalise(self, tokens: Float[Tensor, "*n c"]) -> Float[Tensor, "*n c"]:
        """Make tokens of another frame ready to be compared with."""
        return self.reference_norm(tokens)

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

    def _fold_words(self, text: TextFeatures) -> FoldedKeys:
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

    def _fold_projections(
        self, pixels: Float[Tensor, "b n c"], masks: MaskReference
    ) -> FoldedProjections | None:
        """Fold the projections for masks, where that is the quicker way.

        A bias of keys weighs nothing in a softmax; one of values is read in full, as weights sum up to one.
        """
        is_plain_cpu = pixels.device.type == "cpu" and pixels.dtype == torch.float32
        if torch.is_grad_enabled() or self.training or not (is_plain_cpu or masks.num_objects > 1):
            return None
        queries, keys, values = (
            part.weight.unflatten(0, (self.num_heads, -1)) for part in (self.queries, self.keys, self.values)
        )  # a d c
        bias = self.queries.bias.unflatten(0, (self.num_heads, -1))  # a d
        keys = keys * keys.shape[1] ** -0.5
        results = self.out.weight.unflatten(1, (self.num_heads, -1))  # c a d
        return FoldedProjections(
            query_weight=torch.einsum("adk,adc->akc", keys, queries).flatten(0, 1),
            query_bias=torch.einsum("adk,ad->ak", keys, bias).flatten(),
            result_weight=torch.einsum("oad,adc->oac", results, values).flatten(1),
            result_bias=self.out.bias + self.out.weight @ self.values.bias,
        )

    def _read_masks(
        self,
        pixels: Float[Tensor, "b n c"],
        *,
        masks: MaskReference,
        level: int,
        projections: FoldedProjections | None,
    ) -> Float[Tensor, "e n c"]:
        keys, hidden, values = masks.keys[level], masks.hidden[level], masks.values[level]
        if projections is None:
            read = self._attend(pixels, keys, values, hidden)
        elif len(keys) == len(pixels) == 1:
            read = read_values(pixels, projections, keys[0], values, hidden[0])
        else:
            pixels, keys, hidden = (
                part.expand(len(values), -1, -1) for part in (pixels, keys, hidden[:, None])
            )
            read = torch.cat(
                [
                    read_values(
                        pixels[row : row + 1], projections, keys[row], values[row : row + 1], hidden[row, 0]
                    )
                    for row in range(len(values))
                ]
            )
        return self._modulate(read, masks.embeddings[level])

    def _attend(
        self,
        pixels: Float[Tensor, "b n c"],
        keys: Float[Tensor, "_e k c"],
        values: Float[Tensor, "e k c"],
        hidden: Bool[Tensor, "_e k"],
    ) -> Float[Tensor, "e n c"]:
        """Read of ``values`` for pixels, all of which are projected."""
        query, keys, values = (
            part.unflatten(-1, (self.num_heads, -1)).transpose(1, 2)
            for part in (self.queries(pixels), self.keys(keys), self.values(values))
        )  # _ a _ d
        visible = ~hidden[:, None, None] if hidden.any() else None  # _e 1 1 k
        n = max(len(query), len(values))
        query, keys, values = (part.expand(n, -1, -1, -1) for part in (query, keys, values))
        dropout = self.dropout if self.training else 0.0
        mixed = F.scaled_dot_product_attention(query, keys, values, attn_mask=visible, dropout_p=dropout)
        return self.out(mixed.transpose(1, 2).flatten(2))

    def _modulate(
        self, read: Float[Tensor, "e n c"], embedding: Float[Tensor, "_e c"]
    ) -> Float[Tensor, "e n c"]:
        if self.modulation is None:
            return read
        shift, scale, gate = self.modulation(F.silu(embedding))[:, None].chunk(3, dim=-1)  # _e 1 c
        return gate * (read * (1 + scale) + shift)


def read_values(
    pixels: Float[Tensor, "1 n c"],
    projections: FoldedProjections,
    keys: Float[Tensor, "k c"],
    values: Float[Tensor, "e k c"],
    hidden: Bool[Tensor, "k"],
) -> Float[Tensor, "e n c"]:
    """Read values of ``e`` objects with the same attention weights, which are made once, some at a time."""
    if hidden.any():
        keys, values = keys[~hidden], values[:, ~hidden]
    e, k, c = values.shape
    num_heads = len(projections.query_bias) // c
    columns = values.transpose(1, 2).flatten(0, 1).contiguous()  # (e c) k
    at_once = SCORES_AT_ONCE if pixels.device.type == "cpu" else SCORES_AT_ONCE_ELSEWHERE
    rows = num_heads * max(1, at_once // (num_heads * k))

    def read_rows(pixels: Float[Tensor, "1 m c"]) -> Float[Tensor, "e m c"]:
        queries = linear(pixels, projections.query_weight, projections.query_bias).view(-1, c)  # (m a) c
        parts = [linear(linear(part, keys).softmax(dim=-1), columns) for part in queries.split(rows)]
        mixed = torch.cat(parts).view(-1, num_heads, e, c).permute(2, 0, 1, 3).flatten(2)  # e m (a c)
        return linear(mixed, projections.result_weight, projections.result_bias)

    return in_rows(read_rows, pixels)
