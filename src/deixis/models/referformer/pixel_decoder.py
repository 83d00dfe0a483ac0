"""The cross-modal feature pyramid: mask features from the encoder memory, the finest map and the words.

At every stride the frames of the clip attend to one another (at the stride of the coarsest map, whatever
their own), then each cell attends to the words; maps are added up from coarse to fine (ReferFormer, section
3.3).

Axes: b clips, e expressions, t frames, n cells of a map, s words, c channels, h w cells.
"""

from collections.abc import Sequence
from functools import partial
from typing import cast

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from deixis.layers.attention import FoldedKeys, MultiHeadAttention
from deixis.layers.convolution import CellConvolution
from deixis.layers.transformer import FeedForward, in_maps, in_rows

GROUPS = 8
"""Of the norms after convolutions."""


class PixelDecoder(nn.Module):
    """Adapters, vision-language blocks and smoothing convolutions, all indexed from fine to coarse."""

    def __init__(
        self,
        width: int,
        finest_channels: int,
        reductions: Sequence[int],
        num_heads: int,
        inner: int,
        dropout: float,
    ) -> None:
        """Build for maps of ``width`` channels.

        Args:
            width: of everything but the finest input.
            finest_channels: of the backbone's finest map; the others come from the encoder.
            reductions: how much smaller each map is when its frames attend to one another, fine to coarse.
            num_heads: of the attention.
            inner: of the feed-forwards.
            dropout: in the blocks.
        """
        super().__init__()
        inputs = [finest_channels] + [width] * (len(reductions) - 1)
        self.adapters = nn.ModuleList(ConvolutionNorm(channels, width, 1) for channels in inputs)
        self.blocks = nn.ModuleList(
            VisionLanguageBlock(width, num_heads, inner, dropout, reduction) for reduction in reductions
        )
        self.smoothings = nn.ModuleList(ConvolutionNorm(width, width, 3, with_relu=True) for _ in reductions)
        self.mask_features = nn.Conv2d(width, width, 3, padding=1)
        nn.init.kaiming_uniform_(self.mask_features.weight, a=1)
        nn.init.zeros_(cast(Tensor, self.mask_features.bias))

    def look_at_finest(
        self,
        features: Float[Tensor, "b t _c h w"],
        positions: Float[Tensor, "b t n c"],
        padding_mask: Bool[Tensor, "b t h w"],
    ) -> Float[Tensor, "b t n c"]:
        """Adapt the backbone's finest map and let its frames attend to one another: no language in it."""
        return self._look(0, features, positions, padding_mask)

    def forward(
        self,
        finest: Float[Tensor, "_e t n c"],
        memory: Sequence[Float[Tensor, "e t c _h _w"]],
        positions: Sequence[Float[Tensor, "_e t _n c"]],
        padding_masks: Sequence[Bool[Tensor, "_e t _h _w"]],
        words: Float[Tensor, "e s c"],
        word_positions: Float[Tensor, "e s c"],
        word_padding: Bool[Tensor, "e s"],
    ) -> Float[Tensor, "e t c h w"]:
        """Return the finest map of the pyramid, before the convolution that makes mask features of it.

        Args:
            finest: what :meth:`look_at_finest` gave, for ``e`` clips or for one that serves all.
            memory: maps of the encoder, fine to coarse.
            positions: of the finest map and of those of the encoder.
            padding_masks: likewise.
            words: of the expressions.
            word_positions: added to the words as keys.
            word_padding: True on padding.
        """
        batch = words.shape[0], finest.shape[1]
        y: Tensor | None = None
        for index in reversed(range(len(self.blocks))):
            seen = finest
            if index > 0:
                mask = padding_masks[index].expand(len(words), -1, -1, -1)
                seen = self._look(index, memory[index - 1], positions[index], mask)
            x = self.blocks[index](seen, positions[index], words, word_positions, word_padding)
            x = x.unflatten(2, padding_masks[index].shape[-2:]).permute(0, 1, 4, 2, 3).flatten(0, 1)
            coarser = [] if y is None else [y]
            y = in_maps(partial(_add_and_smooth, self.smoothings[index]), x, *coarser)
        assert y is not None
        return y.unflatten(0, batch)

    def _look(
        self,
        index: int,
        features: Float[Tensor, "b t _c h w"],
        positions: Float[Tensor, "_b t n c"],
        padding_mask: Bool[Tensor, "b t h w"],
    ) -> Float[Tensor, "b t n c"]:
        x = self.adapters[index](features.flatten(0, 1)).unflatten(0, features.shape[:2])
        block = self.blocks[index]
        assert isinstance(block, VisionLanguageBlock)
        return block.look(x.permute(0, 1, 3, 4, 2).contiguous(), positions, padding_mask)


class ConvolutionNorm(nn.Module):
    """A convolution without bias, a group norm and perhaps ReLU."""

    def __init__(self, inputs: int, outputs: int, size: int, *, with_relu: bool = False) -> None:
        super().__init__()
        self.convolution: nn.Conv2d = (
            CellConvolution(inputs, outputs, bias=False)
            if size == 1
            else nn.Conv2d(inputs, outputs, size, padding=size // 2, bias=False)
        )
        self.norm = nn.GroupNorm(GROUPS, outputs)
        self.with_relu = with_relu
        nn.init.kaiming_uniform_(self.convolution.weight, a=1)

    def forward(self, x: Float[Tensor, "n _c h w"]) -> Float[Tensor, "n c h w"]:
        """Apply the parts in order."""
        x = self.norm(self.convolution(x))
        return F.relu(x, inplace=True) if self.with_relu else x


class VisionLanguageBlock(nn.Module):
    """Cells of all frames attend to one another (:meth:`look`), then to the words (:meth:`forward`)."""

    def __init__(self, width: int, num_heads: int, inner: int, dropout: float, reduction: int) -> None:
        super().__init__()
        self.reduction = reduction
        self.attention = MultiHeadAttention(width, num_heads, dropout)
        self.attention_norm = nn.LayerNorm(width)
        self.cross_attention = MultiHeadAttention(width, num_heads, dropout)
        self.cross_attention_norm = nn.LayerNorm(width)
        self.feedforward = FeedForward(width, inner, dropout)
        self.feedforward_norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)

    def look(
        self,
        x: Float[Tensor, "b t h w c"],
        positions: Float[Tensor, "_b t n c"],
        padding_mask: Bool[Tensor, "b t h w"],
    ) -> Float[Tensor, "b t n c"]:
        """Attend over all frames of the clip, on a map that is ``reduction`` times smaller.

        Every ``reduction``-th cell is taken (nearest); what it read is brought back to the full size
        (bilinear).
        """
        b, t, h, w, _ = x.shape
        small = max(h // self.reduction, 1), max(w // self.reduction, 1)
        cells = _nearest((h, w), small, x.device)
        values = x.flatten(2, 3).index_select(2, cells)  # b t m c
        placed = values + positions.index_select(2, cells)
        hidden = padding_mask.flatten(2).index_select(2, cells).flatten(1)  # b (t m)
        values, placed = values.flatten(1, 2), placed.flatten(1, 2)
        read = self.attention(placed, placed, values, hidden)
        if small != (h, w):
            maps = read.unflatten(1, (t, *small)).flatten(0, 1).permute(0, 3, 1, 2)  # (b t) c h' w'
            maps = F.interpolate(maps, size=(h, w), mode="bilinear", align_corners=False)
            read = maps.permute(0, 2, 3, 1)
        return self.attention_norm(x.flatten(2, 3) + self.dropout(read.reshape(b, t, h * w, -1)))

    def forward(
        self,
        x: Float[Tensor, "_e t n c"],
        positions: Float[Tensor, "_b t n c"],
        words: Float[Tensor, "e s c"],
        word_positions: Float[Tensor, "e s c"],
        word_padding: Bool[Tensor, "e s"],
    ) -> Float[Tensor, "e t n c"]:
        """Attend from the cells to the words, then the feed-forward."""
        folded = self.cross_attention.fold(words + word_positions, words, word_padding)
        cells, places = x.flatten(1, 2), positions.flatten(1, 2)
        read = in_rows(lambda *rows: self._read(*rows, folded), cells, places)
        return read.unflatten(1, x.shape[1:3])

    def _read(
        self, cells: Float[Tensor, "_e m c"], places: Float[Tensor, "_b m c"], folded: FoldedKeys
    ) -> Float[Tensor, "e m c"]:
        read = self.cross_attention.read_folded(cells + places, folded)
        cells = self.cross_attention_norm(cells + self.dropout(read))
        return self.feedforward_norm(cells + self.dropout(self.feedforward(cells)))


def _add_and_smooth(
    smoothing: nn.Module, x: Float[Tensor, "n c h w"], coarser: Float[Tensor, "n c _h _w"] | None = None
) -> Float[Tensor, "n c h w"]:
    """Add a coarser map, if there is one, and smooth."""
    if coarser is not None:
        x = x + F.interpolate(coarser, size=x.shape[-2:], mode="nearest")
    return smoothing(x)


def _nearest(size: tuple[int, int], smaller: tuple[int, int], device: torch.device) -> Tensor:
    """Return which cells of a map a nearest resize takes, in its own order."""
    cells = torch.arange(size[0] * size[1], dtype=torch.float32, device=device).view(1, 1, *size)
    return F.interpolate(cells, size=smaller, mode="nearest").flatten().long()
