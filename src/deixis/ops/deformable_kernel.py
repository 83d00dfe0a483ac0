"""Deformable sampling as one Triton kernel, forward and backward, for CUDA devices.

The same sums as :func:`deixis.ops.deformable.sample_by_grid`, without anything written between: a program
takes some queries of one head, finds the four cells around each of their places, and adds up in float32.

For one frame of 360x640 in ReferFormer (4,820 cells and as many queries, 8 heads of 32 channels, 16 places a
head) in float32: 4.9 MB of values, 4.9 MB of locations and 2.5 MB of weights are read, 4.9 MB written, 17.3
MB in all: no faster than 3.6 microseconds at 4.8 TB/s. The 617 thousand places gather 316 MB of values, which
the second-level cache has to serve, with 79 M multiply-adds. Backward reads these again and adds as much to
the gradients of the values, atomically. ``grid_sample`` writes 79 MB beside its results, level by level.

Needs ``triton`` (extra ``fast``; comes with torch's builds for CUDA). With ``TRITON_INTERPRET=1`` in the
environment it runs on a CPU, slowly, for tests.

Axes: n maps, s cells of all levels, q queries, a heads, l levels, p points, d channels a head, c channels of
all heads, m queries of a program, k corners.
"""

from collections.abc import Sequence
from typing import Any

import torch
import triton
import triton.language as tl
from jaxtyping import Float
from torch import Tensor

QUERIES = 16
"""Queries of a program."""


@triton.jit
def _corner(row, column, height, width, start, place_is_real, head, num_heads, num_channels: tl.constexpr):
    """Return where the channels of a cell begin in a map, and whether the cell exists."""
    is_inside = (row >= 0) & (row < height) & (column >= 0) & (column < width) & place_is_real
    cell = start + row * width + column
    return tl.where(is_inside, (cell * num_heads + head) * num_channels, 0), is_inside


@triton.jit
def _forward(
    values,
    levels,
    locations,
    weights,
    out,
    s,
    q,
    num_heads,
    num_levels: tl.constexpr,
    num_points: tl.constexpr,
    num_channels: tl.constexpr,
    width_of_rows: tl.constexpr,
    num_queries: tl.constexpr,
):
    """Sample for ``num_queries`` of one head of one map."""
    queries = tl.program_id(0) * num_queries + tl.arange(0, num_queries)
    n, head = tl.program_id(1) // num_heads, tl.program_id(1) % num_heads
    is_real = queries < q
    channels = tl.arange(0, width_of_rows)
    is_channel = channels < num_channels
    table = values + n.to(tl.int64) * s * num_heads * num_channels
    rows = ((n.to(tl.int64) * q + queries) * num_heads + head) * (num_levels * num_points)
    total = tl.zeros((num_queries, width_of_rows), dtype=tl.float32)
    for level in range(num_levels):
        height = tl.load(levels + 3 * level)
        width = tl.load(levels + 3 * level + 1)
        start = tl.load(levels + 3 * level + 2)
        for point in tl.static_range(num_points):
            place = rows + level * num_points + point
            share = tl.load(weights + place, mask=is_real, other=0.0).to(tl.float32)
            x = tl.load(locations + 2 * place, mask=is_real, other=-1.0).to(tl.float32) * width - 0.5
            y = tl.load(locations + 2 * place + 1, mask=is_real, other=-1.0).to(tl.float32) * height - 0.5
            left, top = tl.floor(x), tl.floor(y)
            for k in tl.static_range(4):
                row, column = top.to(tl.int32) + k // 2, left.to(tl.int32) + k % 2
                across = x - left if k % 2 == 1 else 1 - (x - left)
                down = y - top if k // 2 == 1 else 1 - (y - top)
                corner, is_inside = _corner(
                    row, column, height, width, start, is_real, head, num_heads, num_channels
                )
                is_read = is_inside[:, None] & is_channel[None, :]
                read = tl.load(table + corner[:, None] + channels[None, :], mask=is_read, other=0.0).to(
                    tl.float32
                )
                total += read * (share * across * down)[:, None]
    at = ((n.to(tl.int64) * q + queries) * num_heads + head) * num_channels
    mask = is_real[:, None] & is_channel[None, :]
    tl.store(out + at[:, None] + channels[None, :], total.to(out.dtype.element_ty), mask=mask)


@triton.jit
def _backward(
    grads,
    values,
    levels,
    locations,
    weights,
    value_grads,
    location_grads,
    weight_grads,
    s,
    q,
    num_heads,
    num_levels: tl.constexpr,
    num_points: tl.constexpr,
    num_channels: tl.constexpr,
    width_of_rows: tl.constexpr,
    num_queries: tl.constexpr,
):
    """Spread the gradients of ``num_queries`` of one head of one map."""
    queries = tl.program_id(0) * num_queries + tl.arange(0, num_queries)
    n, head = tl.program_id(1) // num_heads, tl.program_id(1) % num_heads
    is_real = queries < q
    channels = tl.arange(0, width_of_rows)
    is_channel = channels < num_channels
    first = n.to(tl.int64) * s * num_heads * num_channels
    rows = ((n.to(tl.int64) * q + queries) * num_heads + head) * (num_levels * num_points)
    at = ((n.to(tl.int64) * q + queries) * num_heads + head) * num_channels
    mask = is_real[:, None] & is_channel[None, :]
    grad = tl.load(grads + at[:, None] + channels[None, :], mask=mask, other=0.0).to(tl.float32)
    for level in range(num_levels):
        height = tl.load(levels + 3 * level)
        width = tl.load(levels + 3 * level + 1)
        start = tl.load(levels + 3 * level + 2)
        for point in tl.static_range(num_points):
            place = rows + level * num_points + point
            share = tl.load(weights + place, mask=is_real, other=0.0).to(tl.float32)
            x = tl.load(locations + 2 * place, mask=is_real, other=-1.0).to(tl.float32) * width - 0.5
            y = tl.load(locations + 2 * place + 1, mask=is_real, other=-1.0).to(tl.float32) * height - 0.5
            left, top = tl.floor(x), tl.floor(y)
            along_x, along_y = (
                tl.zeros((num_queries,), dtype=tl.float32),
                tl.zeros((num_queries,), dtype=tl.float32),
            )
            along_weight = tl.zeros((num_queries,), dtype=tl.float32)
            for k in tl.static_range(4):
                row, column = top.to(tl.int32) + k // 2, left.to(tl.int32) + k % 2
                across = x - left if k % 2 == 1 else 1 - (x - left)
                down = y - top if k // 2 == 1 else 1 - (y - top)
                corner, is_inside = _corner(
                    row, column, height, width, start, is_real, head, num_heads, num_channels
                )
                is_read = is_inside[:, None] & is_channel[None, :]
                cells = first + corner[:, None] + channels[None, :]
                read = tl.load(values + cells, mask=is_read, other=0.0).to(tl.float32)
                product = tl.sum(read * grad, axis=1)
                along_weight += product * across * down
                along_x += product * down * (1.0 if k % 2 == 1 else -1.0)
                along_y += product * across * (1.0 if k // 2 == 1 else -1.0)
                tl.atomic_add(value_grads + cells, grad * (share * across * down)[:, None], mask=is_read)
            tl.store(weight_grads + place, along_weight, mask=is_real)
            tl.store(location_grads + 2 * place, along_x * share * width, mask=is_real)
            tl.store(location_grads + 2 * place + 1, along_y * share * height, mask=is_real)


class _Sampling(torch.autograd.Function):
    """Forward and backward through the kernels."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, levels: Tensor, locations: Tensor, weights: Tensor) -> Tensor:
        n, s, a, d = values.shape
        q, num_levels, p = locations.shape[1], locations.shape[3], locations.shape[4]
        out = values.new_empty(n, q, a * d)
        shape = (s, q, a, num_levels, p, d, triton.next_power_of_2(d), QUERIES)
        _forward[(triton.cdiv(q, QUERIES), n * a)](values, levels, locations, weights, out, *shape)
        ctx.save_for_backward(values, levels, locations, weights)
        ctx.shape = shape
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        values, levels, locations, weights = ctx.saved_tensors
        value_grads = torch.zeros_like(values, dtype=torch.float32)
        location_grads, weight_grads = torch.empty_like(locations), torch.empty_like(weights)
        grid = (triton.cdiv(locations.shape[1], QUERIES), values.shape[0] * values.shape[2])
        _backward[grid](
            grads[0].contiguous(),
            values,
            levels,
            locations,
            weights,
            value_grads,
            location_grads,
            weight_grads,
            *ctx.shape,
        )
        return value_grads.to(values.dtype), None, location_grads, weight_grads


def sample_by_kernel(
    values: Float[Tensor, "n s a d"],
    sizes: Sequence[tuple[int, int]],
    locations: Float[Tensor, "n q a l p 2"],
    weights: Float[Tensor, "n q a l p"],
) -> Float[Tensor, "n q c"]:
    """Sample with the kernel (arguments: see ``deixis.ops.deformable.sample_deformable``)."""
    starts = [0]
    for height, width in sizes:
        starts.append(starts[-1] + height * width)
    rows = [(*size, start) for size, start in zip(sizes, starts[:-1], strict=True)]
    levels = torch.tensor(rows, dtype=torch.int32, device=values.device)
    return _Sampling.apply(
        values.contiguous(), levels, locations.float().contiguous(), weights.float().contiguous()
    )
