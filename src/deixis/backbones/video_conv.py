"""A small convolutional video backbone, made to be trained from nothing on two CPU cores in an hour.

Residual 3x3 convolutions see each frame; temporal convolutions of growing dilation at strides 4, 8 and 16 let frames
exchange what moves where. Operations for 16 frames of 128x192 with the widths of "video-conv-tiny": 5.2 GMAC, of which
stride 2 takes 1.1, stride 4 1.7, stride 8 1.4 and stride 16 1.0.

Axes: b videos, t frames, c channels, h w cells, H W pixels.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F


class VideoConv(nn.Module):
    """Frames to feature maps at strides 4, 8 and 16.

    Attributes:
        channels: width of each map, fine to coarse.
        strides: input pixels a cell of each map.
    """

    strides = (4, 8, 16)

    def __init__(
        self, stem: int, widths: Sequence[int], depths: Sequence[int], dilations: Sequence[Sequence[int]]
    ) -> None:
        """Build from the ``stem`` width (stride 2) and, for each of the three stages, its width, its number of
        residual blocks and the dilations of its temporal convolutions.
        """
        super().__init__()
        self.channels = tuple(widths)
        self.stem = nn.Sequential(ConvNorm(3, stem, stride=2), nn.ReLU(), Residual(stem))
        self.stages = nn.ModuleList()
        previous = stem
        for width, depth, stage_dilations in zip(widths, depths, dilations, strict=True):
            self.stages.append(Stage(previous, width, depth, stage_dilations))
            previous = width

    def forward(
        self, frames: Float[Tensor, "b t 3 H W"], keep: tuple[int, ...] | None = None
    ) -> tuple[Float[Tensor, "b t_kept _c _h _w"], ...]:
        """Return the maps of all frames, or of the frames in ``keep`` only (all frames are seen either way)."""
        b, t = frames.shape[:2]
        # Sizes that are not a multiple of 16 are padded, so that every map has ceil(size / stride) cells.
        height, width = frames.shape[-2:]
        x = F.pad(frames.flatten(0, 1), (0, -width % 16, 0, -height % 16))
        x = self.stem(x.contiguous(memory_format=torch.channels_last))  # (b t) c H/2 W/2
        maps = []
        for stage, stride in zip(self.stages, self.strides, strict=True):
            x = stage(x, t)
            valid = x[..., : -(-height // stride), : -(-width // stride)].unflatten(0, (b, t))
            maps.append(valid if keep is None else valid[:, list(keep)])
        return tuple(maps)


class Stage(nn.Module):
    """Halve the map, then alternate residual blocks in space with mixing over time."""

    def __init__(self, inputs: int, width: int, depth: int, dilations: Sequence[int]) -> None:
        super().__init__()
        self.reduce = ConvNorm(inputs, width, stride=2)
        self.blocks = nn.ModuleList(Residual(width) for _ in range(depth))
        self.mixers = nn.ModuleList(TemporalMixer(width, dilation) for dilation in dilations)

    def forward(self, x: Float[Tensor, "bt c h w"], num_frames: int) -> Float[Tensor, "bt d _h _w"]:
        x = F.relu(self.reduce(x))
        for index in range(max(len(self.blocks), len(self.mixers))):
            if index < len(self.mixers):
                x = self.mixers[index](x, num_frames)
            if index < len(self.blocks):
                x = self.blocks[index](x)
        return x


class TemporalMixer(nn.Module):
    """Add to each cell a mix of what its neighbours in time hold: a convolution over (t - d, t, t + d)."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.dilation = dilation
        self.norm = nn.GroupNorm(8, width)
        self.mix = nn.Conv2d(3 * width, width, 1)

    def forward(self, x: Float[Tensor, "bt c h w"], num_frames: int) -> Float[Tensor, "bt c h w"]:
        y = self.norm(x).unflatten(0, (-1, num_frames))  # b t c h w
        d = self.dilation
        padded = F.pad(y, (0, 0, 0, 0, 0, 0, d, d))  # zeros before the first frame and after the last
        neighbours = [padded[:, :-2 * d], y, padded[:, 2 * d :]]
        stacked = torch.cat(neighbours, dim=2).flatten(0, 1).contiguous(memory_format=torch.channels_last)
        return x + F.relu(self.mix(stacked))


class Residual(nn.Module):
    """Two 3x3 convolutions around a shortcut."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = ConvNorm(width, width)
        self.second = ConvNorm(width, width)

    def forward(self, x: Float[Tensor, "bt c h w"]) -> Float[Tensor, "bt c h w"]:
        return F.relu(x + self.second(F.relu(self.first(x))))


class ConvNorm(nn.Sequential):
    """A 3x3 convolution with group norm (batch norm would tie the result to the batch)."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False), nn.GroupNorm(8, outputs)
        )


def video_conv_tiny() -> VideoConv:
    """Build "video-conv-tiny"."""
    return VideoConv(stem=24, widths=(48, 96, 160), depths=(1, 1, 2), dilations=((1,), (1, 2), (1, 2, 4)))
