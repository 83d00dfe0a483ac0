"""A small convolutional video backbone, made to be trained from nothing on two CPU cores in an hour.

A 4x4 patch becomes a cell at once, then residual 3x3 convolutions see each frame and temporal convolutions of
growing dilation let frames exchange what moves where. The coarsest map has stride 8: small frames hold small
objects, and an object has to be some cells wide to be found by words. Operations for one frame of 128x192
with the widths of "video-conv-tiny": 0.53 GMAC, of which stride 4 takes 0.14 and stride 8 0.39.

Axes: b videos, t frames, c channels, h w cells, H W pixels.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F


class VideoConv(nn.Module):
    """Frames to feature maps at strides 4, 8, ..., one a stage.

    Attributes:
        channels: width of each map, fine to coarse.
        strides: input pixels a cell of each map.
    """

    def __init__(
        self, widths: Sequence[int], depths: Sequence[int], dilations: Sequence[Sequence[int]]
    ) -> None:
        """Build as many stages as there are ``widths``.

        Args:
            widths: channels of each stage.
            depths: residual blocks of each stage.
            dilations: of the temporal convolutions of each stage.
        """
        super().__init__()
        self.channels = tuple(widths)
        self.strides = tuple(4 << stage for stage in range(len(widths)))
        reductions = [nn.Conv2d(3, widths[0], 4, stride=4)]
        reductions += [nn.Conv2d(wide, wider, 2, stride=2) for wide, wider in pairwise(widths)]
        self.stages = nn.ModuleList(
            Stage(reduction, width, depth, stage_dilations)
            for reduction, width, depth, stage_dilations in zip(
                reductions, widths, depths, dilations, strict=True
            )
        )

    def forward(
        self, frames: Float[Tensor, "b t 3 H W"], keep: tuple[int, ...] | None = None
    ) -> tuple[Float[Tensor, "b t_kept _c _h _w"], ...]:
        """Return the maps of all frames, or of those in ``keep`` (all are seen either way)."""
        b, t, _, height, width = frames.shape
        # Sizes that are not a multiple of the coarsest stride are padded: a map has ceil(size / stride)
        # cells.
        coarsest = self.strides[-1]
        x = F.pad(frames.flatten(0, 1), (0, -width % coarsest, 0, -height % coarsest))
        x = x.contiguous(memory_format=torch.channels_last)
        maps = []
        for stage, stride in zip(self.stages, self.strides, strict=True):
            x = stage(x, t)  # (b t) c h w
            valid = x[..., : -(-height // stride), : -(-width // stride)].unflatten(0, (b, t))
            maps.append(valid if keep is None else valid[:, list(keep)])
        return tuple(maps)


class Stage(nn.Module):
    """Reduce the map, then alternate mixing over time with residual blocks in space."""

    def __init__(self, reduce: nn.Conv2d, width: int, depth: int, dilations: Sequence[int]) -> None:
        super().__init__()
        self.reduce = reduce
        self.blocks = nn.ModuleList(Residual(width) for _ in range(depth))
        self.mixers = nn.ModuleList(TemporalMixer(width, dilation) for dilation in dilations)

    def forward(self, x: Float[Tensor, "bt c h w"], num_frames: int) -> Float[Tensor, "bt d _h _w"]:
        """Return the stage's map; the ``num_frames`` frames of a video follow one another."""
        x = self.reduce(x)
        for index in range(max(len(self.blocks), len(self.mixers))):
            if index < len(self.mixers):
                x = self.mixers[index](x, num_frames)
            if index < len(self.blocks):
                x = self.blocks[index](x)
        return x


class TemporalMixer(nn.Module):
    """Add to each cell a mix of what it holds at times t - dilation, t and t + dilation."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.dilation = dilation
        self.norm = nn.GroupNorm(8, width)
        self.mix = nn.Conv2d(3 * width, width, 1)

    def forward(self, x: Float[Tensor, "bt c h w"], num_frames: int) -> Float[Tensor, "bt c h w"]:
        """Mix every cell with its neighbours in time; beyond either end of the clip there is nothing."""
        y = self.norm(x).unflatten(0, (-1, num_frames))  # b t c h w
        d = self.dilation
        padded = F.pad(y, (0, 0, 0, 0, 0, 0, d, d))
        stacked = torch.cat([padded[:, : -2 * d], y, padded[:, 2 * d :]], dim=2).flatten(0, 1)
        return x + F.relu(self.mix(stacked.contiguous(memory_format=torch.channels_last)))


class Residual(nn.Module):
    """A norm (batch norm would tie results to the batch) and two 3x3 convolutions around a shortcut."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(8, width)
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Float[Tensor, "bt c h w"]) -> Float[Tensor, "bt c h w"]:
        """Add what the convolutions see."""
        return x + self.second(F.relu(self.first(self.norm(x))))


def video_conv_tiny() -> VideoConv:
    """Build the backbone of that name."""
    return VideoConv(widths=(48, 128), depths=(2, 3), dilations=((1,), (1, 2, 4)))
