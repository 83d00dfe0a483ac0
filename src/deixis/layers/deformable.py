"""Multi-scale deformable attention and the transformer layers made of it (Zhu et al., ICLR 2021).

Axes: n maps, q queries, s cells of all levels, a heads, l levels, p points, d channels a head, c channels.
"""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from deixis.layers.attention import MultiHeadAttention
from deixis.layers.linear import Linear
from deixis.layers.transformer import FeedForward, in_maps, in_rows
from deixis.ops.deformable import Sizes, gather_sources, sample_deformable

CELLS_PER_QUERY = 64
"""With fewer cells for each query, projecting all of them is the cheaper way."""


class DeformableAttention(nn.Module):
    """Each query reads ``num_points`` places of every level around its reference, and weighs them."""

    def __init__(self, width: int, num_heads: int, num_levels: int, num_points: int) -> None:
        """Build for ``width`` channels; at first the points of a head lie on a ray from the reference."""
        super().__init__()
        if width % num_heads:
            raise ValueError(f"width {width} cannot be split into {num_heads} heads")
        self.num_heads = num_heads
        self.shape = (num_heads, num_levels, num_points)
        self.offsets = Linear(width, math.prod(self.shape) * 2)
        self.weights = Linear(width, math.prod(self.shape))
        self.value_projection = Linear(width, width)
        self.out_projection = Linear(width, width)
        self.reset()

    def reset(self) -> None:
        """Draw weights as Deformable DETR does."""
        a, levels, p = self.shape
        nn.init.zeros_(self.offsets.weight)
        angles = torch.arange(a) * (2 * math.pi / a)
        rays = torch.stack((angles.cos(), angles.sin()), dim=-1)
        rays = rays / rays.abs().amax(dim=-1, keepdim=True)  # a 2
        steps = torch.arange(1, p + 1)[:, None]
        with torch.no_grad():
            self.offsets.bias.copy_((rays[:, None, None] * steps).expand(a, levels, p, 2).flatten())
        nn.init.zeros_(self.weights.weight)
        nn.init.zeros_(self.weights.bias)
        for layer in (self.value_projection, self.out_projection):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(
        self,
        queries: Float[Tensor, "n q c"],
        references: Float[Tensor, "n q l _"],
        sources: Float[Tensor, "n s c"],
        sizes: Sizes,
        padding_mask: Bool[Tensor, "n s"] | None = None,
    ) -> Float[Tensor, "n q c"]:
        """Read from ``sources``.

        Args:
            queries: with their positions.
            references: x, y in [0, 1] over each level, or boxes cx, cy, w, h, whose size scales the offsets.
            sources: the cells of all levels, fine to coarse.
            sizes: height and width of the levels.
            padding_mask: True on cells that read as zero.
        """
        locations, weights = self.locate(queries, references, sizes)
        if queries.shape[1] * CELLS_PER_QUERY <= sources.shape[1]:
            read, share = gather_sources(sources, sizes, locations, weights, padding_mask)  # n q a c, n q a
            matrix = self.value_projection.weight.unflatten(0, (self.num_heads, -1))  # a d c
            bias = self.value_projection.bias.unflatten(0, (self.num_heads, -1))  # a d
            mixed = torch.einsum("nqac,adc->nqad", read, matrix.to(read.dtype)) + share[..., None] * bias
            return self.out_projection(mixed.to(read.dtype).flatten(2))
        values = self.value_projection(sources)
        if padding_mask is not None:
            values = values.masked_fill(padding_mask[..., None], 0)
        heads = values.unflatten(-1, (self.num_heads, -1))  # n s a d
        return self.out_projection(sample_deformable(heads, sizes, locations, weights))

    def locate(
        self, queries: Float[Tensor, "n q c"], references: Float[Tensor, "n q l _"], sizes: Sizes
    ) -> tuple[Float[Tensor, "n q a l p 2"], Float[Tensor, "n q a l p"]]:
        """Return where each head of each query reads, and how much each place counts."""
        offsets = self.offsets(queries).unflatten(-1, (*self.shape, 2))
        weights = self.weights(queries).unflatten(-1, (self.num_heads, -1)).softmax(dim=-1)
        # Repeated for the points of a level: a broadcast over pairs of axes is slow on a CPU.
        points = references[:, :, None, :, None].expand(-1, -1, -1, -1, self.shape[2], -1)  # n q 1 l p _
        if references.shape[-1] == 2:
            extents = references.new_tensor([(width, height) for height, width in sizes])[:, None]
            extents = extents.expand(-1, self.shape[2], -1).contiguous()  # l p 2
            locations = torch.addcdiv(points.contiguous(), offsets, extents)
        else:
            locations = points[..., :2] + offsets * (points[..., 2:] * (0.5 / self.shape[2]))
        return locations, weights.unflatten(-1, self.shape[1:])


class DeformableEncoderLayer(nn.Module):
    """Every cell reads around itself in all levels, then a feed-forward; norms after the sums."""

    def __init__(
        self, width: int, num_heads: int, inner: int, dropout: float, num_levels: int, num_points: int
    ) -> None:
        """Build for ``width`` channels with a feed-forward of ``inner``."""
        super().__init__()
        self.attention = DeformableAttention(width, num_heads, num_levels, num_points)
        self.attention_norm = nn.LayerNorm(width)
        self.feedforward = FeedForward(width, inner, dropout)
        self.feedforward_norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self,
        cells: Float[Tensor, "n s c"],
        positions: Float[Tensor, "n s c"],
        references: Float[Tensor, "n s l 2"],
        sizes: Sizes,
        padding_mask: Bool[Tensor, "n s"] | None = None,
    ) -> Float[Tensor, "n s c"]:
        """Return the cells after one layer; ``positions`` are added to queries alone."""
        read = self.attention(cells + positions, references, cells, sizes, padding_mask)
        return in_rows(self._finish, cells, read)

    def _finish(self, cells: Float[Tensor, "n m c"], read: Float[Tensor, "n m c"]) -> Float[Tensor, "n m c"]:
        cells = self.attention_norm(cells + self.dropout(read))
        return self.feedforward_norm(cells + self.dropout(self.feedforward(cells)))


class DeformableDecoderLayer(nn.Module):
    """Queries attend to one another, read the memory around their references, then a feed-forward."""

    def __init__(
        self, width: int, num_heads: int, inner: int, dropout: float, num_levels: int, num_points: int
    ) -> None:
        """Build for ``width`` channels with a feed-forward of ``inner``."""
        super().__init__()
        self.attention = MultiHeadAttention(width, num_heads, dropout)
        self.attention_norm = nn.LayerNorm(width)
        self.cross_attention = DeformableAttention(width, num_heads, num_levels, num_points)
        self.cross_attention_norm = nn.LayerNorm(width)
        self.feedforward = FeedForward(width, inner, dropout)
        self.feedforward_norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self,
        queries: Float[Tensor, "n q c"],
        positions: Float[Tensor, "*_n q c"],
        references: Float[Tensor, "n q l _"],
        memory: Float[Tensor, "n s c"],
        sizes: Sizes,
        padding_mask: Bool[Tensor, "n s"] | None = None,
    ) -> Float[Tensor, "n q c"]:
        """Return the queries after one layer."""
        placed = queries + positions
        queries = self.attention_norm(queries + self.dropout(self.attention(placed, placed, queries)))
        read = self.cross_attention(queries + positions, references, memory, sizes, padding_mask)
        queries = self.cross_attention_norm(queries + self.dropout(read))
        return self.feedforward_norm(queries + self.dropout(self.feedforward(queries)))


def encode_frames(
    layers: Sequence[nn.Module],
    cells: Float[Tensor, "e t s c"],
    positions: Float[Tensor, "_e t s c"],
    references: Float[Tensor, "_e t s l 2"],
    sizes: Sizes,
    padding_mask: Bool[Tensor, "_e t s"],
) -> Float[Tensor, "e t s c"]:
    """Take the cells of each frame of ``e`` clips through encoder ``layers``; one clip may place all of them.

    Args:
        layers: each a :class:`DeformableEncoderLayer`.
        cells: of all levels.
        positions: added to queries, levels told apart.
        references: what :func:`cell_centres` gave.
        sizes: height and width of the levels.
        padding_mask: True on padding.
    """

    def run_frames(
        cells: Float[Tensor, "m s c"],
        positions: Float[Tensor, "m s c"],
        references: Float[Tensor, "m s l 2"],
        hidden: Bool[Tensor, "m s"],
    ) -> Float[Tensor, "m s c"]:
        for layer in layers:
            cells = layer(cells, positions, references, sizes, hidden)
        return cells

    def run_clips(*inputs: Tensor) -> Float[Tensor, "e t s c"]:
        frames = (values.flatten(0, 1) for values in inputs)  # (e t) s _
        return in_maps(run_frames, *frames).unflatten(0, inputs[0].shape[:2])

    return in_maps(run_clips, cells, positions, references, padding_mask)


def place_levels(
    positions: Sequence[Float[Tensor, "b t _s c"]], embedding: Float[Tensor, "l c"]
) -> Float[Tensor, "b t s c"]:
    """Add to the positions of each level what tells it from the others, and join the levels."""
    return torch.cat([place + level for place, level in zip(positions, embedding, strict=True)], dim=2)


def cell_centres(sizes: Sizes, valid_ratios: Float[Tensor, "n l 2"]) -> Float[Tensor, "n s l 2"]:
    """Return the reference points of the encoder: the centre of every cell, as seen in every level.

    Args:
        sizes: height and width of the levels.
        valid_ratios: the share of each level's width and height that is not padding.
    """
    centres = []
    for level, (height, width) in enumerate(sizes):
        ratios = valid_ratios[:, level, None]  # n 1 2
        y, x = torch.meshgrid(
            torch.arange(height, device=ratios.device) + 0.5,
            torch.arange(width, device=ratios.device) + 0.5,
            indexing="ij",
        )
        cells = torch.stack((x, y), dim=-1).flatten(0, 1).to(ratios.dtype)  # (h w) 2
        centres.append(cells / (ratios * ratios.new_tensor((width, height))))
    return torch.cat(centres, dim=1)[:, :, None] * valid_ratios[:, None]


def valid_ratios(padding_masks: Sequence[Bool[Tensor, "n _h _w"]]) -> Float[Tensor, "n l 2"]:
    """Return the share of each level's columns and rows that is not padding; 1 where all of a map is."""
    ratios = []
    for mask in padding_masks:
        valid = ~mask
        share = torch.stack((valid[:, 0].float().mean(dim=-1), valid[:, :, 0].float().mean(dim=-1)), dim=-1)
        ratios.append(torch.where(share > 0, share, 1))
    return torch.stack(ratios, dim=1)
