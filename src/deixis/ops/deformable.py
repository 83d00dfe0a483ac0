"""Multi-scale deformable sampling: each query reads a few places of a pyramid (Deformable DETR, section 4.1).

For every query and head: the weighted sum, over levels and points, of a map at a location, bilinearly, with
zeros outside. Three ways with the same result:

* :func:`sample_by_grid` lets ``grid_sample`` read level by level: streams through memory, differentiable at
  little cost; its intermediate values are ``n q a l p d`` floats.
* :func:`sample_by_gather` reads the four corners of every location as rows of one table and adds them up with
  their weights in the same pass (``embedding_bag``): nothing but the ``n q a d`` results is written.
* ``deformable_kernel.sample_by_kernel`` does the same on a CUDA device, in a Triton kernel.

For one frame of 360x640 in ReferFormer (pyramid of 4,820 cells, 8 heads of 32 channels, 4 levels, 4 points,
and as many queries): 617 thousand locations, 79 MMAC; a table of 4.9 MB that is read 64 times over (316 MB,
out of the cache), results of 4.9 MB. The grid way writes 79 MB beside that. Few queries are not worth the
projection of a whole pyramid: :func:`gather_sources` reads the unprojected map, and its caller projects what
was read.

Axes: n maps, s cells of all levels, q queries, a heads, l levels, p points, d channels a head, c channels of
all heads, m queries of a part, k rows that a query reads, r rows of a table.
"""

import os
import shutil
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional as F

Sizes = Sequence[tuple[int, int]]
"""Height and width of each level, in the order of the cells."""


def sample_deformable(
    values: Float[Tensor, "n s a d"],
    sizes: Sizes,
    locations: Float[Tensor, "n q a l p 2"],
    weights: Float[Tensor, "n q a l p"],
) -> Float[Tensor, "n q c"]:
    """Sample by the quicker way: on a CPU without gradients by gathering, on CUDA with the Triton kernel.

    Elsewhere, and where triton or a C compiler is missing, by ``grid_sample``.

    Args:
        values: every cell by heads, levels after one another.
        sizes: of the levels.
        locations: x, y in [0, 1] over each level; beyond lie zeros.
        weights: of the points of all levels, for each head.
    """
    if has_kernel(values.device):
        from deixis.ops.deformable_kernel import sample_by_kernel

        return sample_by_kernel(values, sizes, locations, weights)
    is_gathered = values.device.type == "cpu" and not torch.is_grad_enabled()
    sample = sample_by_gather if is_gathered else sample_by_grid
    return sample(values, sizes, locations, weights)


def has_kernel(device: torch.device) -> bool:
    """Return whether the Triton kernel runs on ``device``: CUDA, with triton and a C compiler at hand."""
    return device.type == "cuda" and _has_triton()


@cache
def _has_triton() -> bool:
    # Triton builds a launcher for each kernel with the C compiler of the machine.
    has_compiler = "CC" in os.environ or any(map(shutil.which, ("gcc", "clang", "cc")))
    return has_compiler and find_spec("triton") is not None


def sample_by_grid(
    values: Float[Tensor, "n s a d"],
    sizes: Sizes,
    locations: Float[Tensor, "n q a l p 2"],
    weights: Float[Tensor, "n q a l p"],
) -> Float[Tensor, "n q c"]:
    """Sample level by level with ``grid_sample`` (arguments: see :func:`sample_deformable`).

    Half precision is sampled in float32: in 8 bits a location would be off by a third of a cell.
    """
    n, _, a, d = values.shape
    q, dtype = locations.shape[1], values.dtype
    values = values if dtype == torch.float64 else values.float()
    grids = (2 * locations - 1).to(values.dtype).transpose(1, 2).flatten(0, 1)  # (n a) q l p 2
    shares = weights.to(values.dtype).transpose(1, 2).flatten(0, 1)  # (n a) q l p
    total = values.new_zeros(n * a, d, q)
    for level, (part, (height, width)) in enumerate(
        zip(values.split([h * w for h, w in sizes], dim=1), sizes, strict=True)
    ):
        maps = part.permute(0, 2, 3, 1).reshape(n * a, d, height, width)
        read = F.grid_sample(maps, grids[:, :, level], padding_mode="zeros", align_corners=False)
        total = total + (read * shares[:, None, :, level]).sum(dim=-1)  # (n a) d q
    return total.unflatten(0, (n, a)).permute(0, 3, 1, 2).flatten(2).to(dtype)


def sample_by_gather(
    values: Float[Tensor, "n s a d"],
    sizes: Sizes,
    locations: Float[Tensor, "n q a l p 2"],
    weights: Float[Tensor, "n q a l p"],
) -> Float[Tensor, "n q c"]:
    """Sample as a weighted sum of gathered rows (arguments: see :func:`sample_deformable`)."""
    n, s, a, _ = values.shape
    heads = torch.arange(a, dtype=torch.int32, device=values.device)[:, None]
    cells, shares = corners(sizes, locations, weights)  # n q a k
    maps = torch.arange(n, dtype=torch.int32, device=values.device)[:, None, None, None]
    rows = torch.add(maps * (s * a) + heads, cells, alpha=a)
    read = _sum_rows(values.flatten(0, 2), rows.flatten(0, 2), shares.flatten(0, 2))
    return read.unflatten(0, rows.shape[:3]).flatten(2)


def gather_sources(
    sources: Float[Tensor, "n s c"],
    sizes: Sizes,
    locations: Float[Tensor, "n q a l p 2"],
    weights: Float[Tensor, "n q a l p"],
    padding_mask: Bool[Tensor, "n s"] | None = None,
) -> tuple[Float[Tensor, "n q a c"], Float[Tensor, "n q a"]]:
    """Sample all channels of ``sources`` for each head, for few queries.

    Args:
        sources: every cell before its projection to values.
        sizes: of the levels.
        locations: x, y in [0, 1] over each level.
        weights: of the points of all levels, for each head.
        padding_mask: True on cells that read as zero.

    Returns:
        What every head of every query read, and the sum of the weights that lay on cells inside and not
        padded: what the bias of a projection counts.
    """
    n, s, _ = sources.shape
    cells, shares = corners(sizes, locations, weights)  # n q a k
    rows = torch.arange(n, dtype=torch.int32, device=sources.device)[:, None, None, None] * s + cells
    if padding_mask is not None:
        shares = shares * ~padding_mask.flatten()[rows]
    read = _sum_rows(sources.flatten(0, 1), rows.flatten(0, 2), shares.flatten(0, 2))
    return read.unflatten(0, rows.shape[:3]), shares.sum(dim=-1)


def corners(
    sizes: Sizes, locations: Float[Tensor, "n q a l p 2"], weights: Float[Tensor, "n q a l p"]
) -> tuple[Int[Tensor, "n q a k"], Float[Tensor, "n q a k"]]:
    """Return the four cells around every location and their weights, 0 for those outside; k = 4 l p."""
    a, _, p = weights.shape[2:]
    starts = [0]
    for height, width in sizes[:-1]:
        starts.append(starts[-1] + height * width)
    # One number for each place of a query: rows of them are quicker than broadcasts over pairs of axes.
    levels = torch.tensor([(*size, start) for size, start in zip(sizes, starts, strict=True)])
    places = levels.to(locations)[:, None].expand(-1, p, -1).flatten(0, 1).repeat(a, 1)  # (a l p) 3
    heights, widths, offsets = places.T.contiguous()
    columns, column_shares = _neighbours(locations[..., 0].flatten(2), widths)
    rows, row_shares = _neighbours(locations[..., 1].flatten(2), heights)
    rows = [torch.addcmul(offsets, row, widths) for row in rows]  # whole numbers below 2^24: exact
    flat = weights.flatten(2)
    index = [(row + column).unflatten(2, (a, -1)) for row in rows for column in columns]
    weighted = [flat * share for share in row_shares]
    shares = [(row * share).unflatten(2, (a, -1)) for row in weighted for share in column_shares]
    return torch.stack(index, dim=3).to(torch.int32).flatten(3), torch.stack(shares, dim=3).flatten(3)


def _neighbours(
    locations: Float[Tensor, "n q k"], extents: Float[Tensor, "k"]
) -> tuple[list[Float[Tensor, "n q k"]], list[Float[Tensor, "n q k"]]]:
    """Return the two cells around each location along one axis and their shares, 0 for those outside."""
    places = torch.addcmul(locations.new_tensor(-0.5), locations, extents)
    first = places.floor()
    later = places - first
    cells, shares = [], []
    for near, share in ((first, 1 - later), (first + 1, later)):
        cell = near.clamp(min=0).minimum(extents - 1)
        cells.append(cell)
        shares.append(share * (cell == near))
    return cells, shares


def _sum_rows(
    table: Float[Tensor, "r c"], rows: Int[Tensor, "m k"], weights: Float[Tensor, "m k"]
) -> Float[Tensor, "m c"]:
    """Return the weighted sums of ``k`` rows of ``table``."""
    return F.embedding_bag(rows, table, per_sample_weights=weights.to(table.dtype), mode="sum")
