"""Which tokens of a map attend to which: the windows of Swin without their padding, grouped by kind.

The published network zero-pads a map to whole windows and rolls it. Here no padded token exists: a window
holds the indices of its real tokens, and beside them says which places of the window are padding. Windows
that agree in that and in which of their tokens are neighbours form a group and share one bias. An axis has
at most three kinds of windows (inner, next to last, last), so a map has at most 27 groups, most often 1 to
4.

Axes: w windows, n real tokens of a window, q tokens of a window whose results are wanted, m places of a
window.
"""

from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import torch
from jaxtyping import Bool, Int
from torch import Tensor


@dataclass(frozen=True)
class WindowShape:
    """The windows of one kind of Swin.

    Attributes:
        extent: frames, rows and columns of a window.
        shift: how far the windows of every second block are moved.
        shrinks: an axis of the map that is no longer than the window is one window and not shifted; else it
            is padded to a whole window like any other.
    """

    extent: tuple[int, int, int]
    shift: tuple[int, int, int]
    shrinks: bool


VIDEO = WindowShape(extent=(8, 7, 7), shift=(4, 3, 3), shrinks=True)
"""Of Video Swin."""

IMAGE = WindowShape(extent=(1, 7, 7), shift=(0, 3, 3), shrinks=False)
"""Of Swin, which sees each frame on its own."""

LARGE_IMAGE = WindowShape(extent=(1, 12, 12), shift=(0, 6, 6), shrinks=False)
"""Of Swin for images of 384 pixels."""

MAX_PLANS = 64
"""Plans that are remembered; a network of three stages uses up to eight a size."""


@dataclass(frozen=True, eq=False)
class WindowGroup:
    """Windows of one kind.

    Attributes:
        tokens: the real tokens of each window: indices into the map flattened over (present frames, h, w).
        outputs: where the result of each query goes: indices into (wanted frames, h, w).
        queries: which of the n tokens are queries; None: all of them.
        query_places, token_places: where the queries and the tokens lie in the window.
        padded_places: the places that are padding; may be empty.
        apart: which places are no neighbours of a query in the map; None: all are.
    """

    tokens: Int[Tensor, "w n"]
    outputs: Int[Tensor, "w q"]
    queries: Int[Tensor, "q"] | None
    query_places: Int[Tensor, "q"]
    token_places: Int[Tensor, "n"]
    padded_places: Int[Tensor, "p"]
    apart: Bool[Tensor, "q m"] | None


@dataclass(frozen=True)
class Kind:
    """What windows along one axis have in common: which places are real, wanted, and their region's label."""

    is_real: tuple[bool, ...]
    is_wanted: tuple[bool, ...]
    labels: tuple[int, ...]


def effective_window(
    sizes: tuple[int, ...], is_shifted: bool, shape: WindowShape = VIDEO
) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """Return window and shift for a map, by the rule of ``shape``."""
    t, h, w = (
        (size, 0) if shape.shrinks and size <= extent else (extent, step if is_shifted else 0)
        for size, extent, step in zip(sizes, shape.extent, shape.shift, strict=True)
    )
    return (t[0], h[0], w[0]), (t[1], h[1], w[1])


def seen_frames(
    num_frames: int, is_shifted: bool, wanted: tuple[int, ...], shape: WindowShape = VIDEO
) -> tuple[int, ...]:
    """Return the frames that share a window with a ``wanted`` frame: those its block must be given."""
    window, shift = effective_window((num_frames, 1, 1), is_shifted, shape)
    padded = num_frames + -num_frames % window[0]
    windows = {(frame - shift[0]) % padded // window[0] for frame in wanted}
    return tuple(frame for frame in range(num_frames) if (frame - shift[0]) % padded // window[0] in windows)


@lru_cache(maxsize=MAX_PLANS)
def plan_windows(
    sizes: tuple[int, int, int],
    is_shifted: bool,
    present: tuple[int, ...],
    wanted: tuple[int, ...],
    device: torch.device,
    shape: WindowShape = VIDEO,
) -> tuple[WindowGroup, ...]:
    """Cut a map into windows and group them.

    Args:
        sizes: frames of the clip, rows and columns of the map.
        is_shifted: whether the windows are moved by half their size.
        present: the frames that the map holds, in order; at least those that :func:`seen_frames` asks for.
        wanted: the frames whose results are asked for, in order.
        device: where the indices are put.
        shape: of the windows.
    """
    window, shift = effective_window(sizes, is_shifted, shape)
    every = [tuple(range(size)) for size in sizes]
    axes = [
        _windows_of_axis(*axis)
        for axis in zip(sizes, window, shift, (wanted, every[1], every[2]), strict=True)
    ]
    # Index tensors made in inference mode could not be used in training later.
    with torch.inference_mode(False):
        return tuple(
            _group(
                sizes, present, wanted, kinds, [axes[axis][kind] for axis, kind in enumerate(kinds)], device
            )
            for kinds in product(*axes)
        )


def _windows_of_axis(
    size: int, extent: int, step: int, wanted: tuple[int, ...]
) -> dict[Kind, list[list[int]]]:
    """Return for each kind of window the cells of every such window (padding: ``size`` and above)."""
    padded = size + -size % extent
    groups: dict[Kind, list[list[int]]] = defaultdict(list)
    for start in range(0, padded, extent):
        cells = [(start + place + step) % padded for place in range(extent)]
        is_wanted = tuple(cell in wanted for cell in cells)
        if not any(is_wanted):
            continue
        # Only the last window holds two regions: the end of the axis, and its beginning that was rolled in.
        is_last = step > 0 and start + extent == padded
        labels = tuple(int(is_last and place >= extent - step) for place in range(extent))
        groups[Kind(tuple(cell < size for cell in cells), is_wanted, labels)].append(cells)
    return groups


def _group(
    sizes: tuple[int, int, int],
    present: tuple[int, ...],
    wanted: tuple[int, ...],
    kinds: tuple[Kind, ...],
    cells: list[list[list[int]]],
    device: torch.device,
) -> WindowGroup:
    real, asked, labels = (
        torch.stack(torch.meshgrid(*(torch.tensor(value) for value in values), indexing="ij")).flatten(1)
        for values in zip(*((kind.is_real, kind.is_wanted, kind.labels) for kind in kinds), strict=True)
    )  # each 3 m
    is_real, is_query = real.all(0), asked.all(0)
    label = labels[0] * 4 + labels[1] * 2 + labels[2]
    is_apart = label[is_query, None] != label  # q m
    rows = {frame: row for row, frame in enumerate(present)}
    results = {frame: row for row, frame in enumerate(wanted)}
    tokens = _flat_index(sizes, [[rows.get(t, -1) for t in line] for line in cells[0]], cells)[:, is_real]
    outputs = _flat_index(sizes, [[results.get(t, -1) for t in line] for line in cells[0]], cells)[
        :, is_query
    ]
    return WindowGroup(
        tokens=tokens.to(device),
        outputs=outputs.to(device),
        queries=None if is_query.equal(is_real) else is_query[is_real].nonzero().flatten().to(device),
        query_places=is_query.nonzero().flatten().to(device),
        token_places=is_real.nonzero().flatten().to(device),
        padded_places=(~is_real).nonzero().flatten().to(device),
        apart=is_apart.to(device) if is_apart.any() else None,
    )


def _flat_index(
    sizes: tuple[int, int, int], frames: list[list[int]], cells: list[list[list[int]]]
) -> Int[Tensor, "w m"]:
    t = torch.tensor(frames)[:, None, None, :, None, None]
    h = torch.tensor(cells[1])[None, :, None, None, :, None]
    w = torch.tensor(cells[2])[None, None, :, None, None, :]
    return ((t * sizes[1] + h) * sizes[2] + w).flatten(3).flatten(0, 2)
