"""Attention inside 3-D windows with relative position biases, as the published Video Swin computes it.

Axes: b videos, t frames, h w cells, c channels, w windows, n tokens of a window, a heads.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

WINDOW = (8, 7, 7)
"""Frames, rows and columns of a window."""

SHIFT = (4, 3, 3)

APART = -100.0
"""What is added to the logits of two tokens of a window that are no neighbours in the map (not minus infinity)."""


class WindowAttention(nn.Module):
    """Multi-head attention of every token over the tokens of its window."""

    def __init__(self, channels: int, num_heads: int, *, is_shifted: bool) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.is_shifted = is_shifted
        self.qkv = nn.Linear(channels, 3 * channels)
        self.projection = nn.Linear(channels, channels)
        rows = (2 * WINDOW[0] - 1) * (2 * WINDOW[1] - 1) * (2 * WINDOW[2] - 1)
        self.relative_position_bias_table = nn.Parameter(torch.empty(rows, num_heads))
        nn.init.trunc_normal_(self.relative_position_bias_table, std=0.02)

    def forward(self, x: Float[Tensor, "b t h w c"]) -> Float[Tensor, "b t h w c"]:
        """Return the attended and projected tokens; ``x`` is already normalised."""
        return attend_plainly(self, x)


def attend_plainly(module: WindowAttention, x: Float[Tensor, "b t h w c"]) -> Float[Tensor, "b t h w c"]:
    """Compute window attention step by step as published: pad, roll, cut into windows, attend, undo."""
    sizes = x.shape[1:4]
    window, shift = effective_window(sizes, module.is_shifted)
    padding = [-size % extent for size, extent in zip(sizes, window, strict=True)]
    x = F.pad(x, (0, 0, 0, padding[2], 0, padding[1], 0, padding[0]))
    padded = x.shape[1:4]
    x = x.roll([-step for step in shift], dims=(1, 2, 3))
    windows = _partition(x, window)  # b w n c
    qkv = module.qkv(windows).unflatten(-1, (3, module.num_heads, -1))  # b w n 3 a d
    q, k, v = qkv.permute(3, 0, 1, 4, 2, 5)  # b w a n d
    n = windows.shape[2]
    index = position_index(WINDOW).to(x.device)[:n, :n]
    bias = module.relative_position_bias_table[index].permute(2, 0, 1)  # a n n
    if any(shift):
        labels = _partition(region_labels(padded, window, shift).to(x.device)[None, ..., None], window)[
            ..., 0
        ]
        apart = labels[0, :, :, None] != labels[0, :, None, :]  # w n n
        bias = bias + apart[:, None] * APART  # w a n n
    attention = (q * q.shape[-1] ** -0.5) @ k.transpose(-2, -1) + bias
    out = attention.softmax(-1) @ v  # b w a n d
    out = module.projection(out.transpose(2, 3).flatten(3))
    out = _unpartition(out, window, padded).roll(shift, dims=(1, 2, 3))
    return out[:, : sizes[0], : sizes[1], : sizes[2]]


def effective_window(
    sizes: tuple[int, ...], is_shifted: bool
) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """Return window and shift for a map: an axis no longer than the window is one window and not shifted."""
    window, shift = list(WINDOW), list(SHIFT) if is_shifted else [0, 0, 0]
    for axis, size in enumerate(sizes):
        if size <= WINDOW[axis]:
            window[axis], shift[axis] = size, 0
    return tuple(window), tuple(shift)  # type: ignore[return-value]


def position_index(window: tuple[int, int, int]) -> Int[Tensor, "n n"]:
    """Return the row of the bias table for each query (row) and key (column) of a full window."""
    axes = [torch.arange(extent) for extent in window]
    places = torch.stack(torch.meshgrid(*axes, indexing="ij")).flatten(1)  # 3 n
    offsets = places[:, :, None] - places[:, None, :]
    dt, dh, dw = (offset + extent - 1 for offset, extent in zip(offsets, window, strict=True))
    return (dt * (2 * window[1] - 1) + dh) * (2 * window[2] - 1) + dw


def region_labels(
    sizes: tuple[int, ...], window: tuple[int, int, int], shift: tuple[int, int, int]
) -> Int[Tensor, "t h w"]:
    """Label the cells of a rolled map: two cells of a window with different labels are no neighbours."""
    labels = torch.zeros(sizes, dtype=torch.int64)
    for axis, (size, extent, step) in enumerate(zip(sizes, window, shift, strict=True)):
        line = torch.zeros(size, dtype=torch.int64)
        line[-extent:] = 1
        line[size - step :] = 2
        shape = [1, 1, 1]
        shape[axis] = size
        labels = labels * 3 + line.view(shape)
    return labels


def _partition(x: Tensor, window: tuple[int, int, int]) -> Tensor:
    b, t, h, w, c = x.shape
    x = x.view(b, t // window[0], window[0], h // window[1], window[1], w // window[2], window[2], c)
    return x.permute(0, 1, 3, 5, 2, 4, 6, 7).flatten(4, 6).flatten(1, 3)


def _unpartition(x: Tensor, window: tuple[int, int, int], sizes: tuple[int, ...]) -> Tensor:
    counts = [size // extent for size, extent in zip(sizes, window, strict=True)]
    x = x.unflatten(2, window).unflatten(1, counts)  # b t h w 8 7 7 c
    return x.permute(0, 1, 4, 2, 5, 3, 6, 7).flatten(5, 6).flatten(3, 4).flatten(1, 2)
