"""A small convolutional backbone for single frames: four maps, the last three of one size, or a pyramid.

Made like "video-conv-tiny", without its mixing over time: an overlapping patch becomes a cell at once, then
residual 3x3 convolutions with group norms. Stride 8 is kept as in a dilated network, for small objects.
Operations for one frame of 240x427 with the widths of "image-conv-tiny": 1.4 GMAC.

Axes: b videos, t frames, n = b t, c channels, h w cells, H W pixels.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from deixis.backbones.video_conv import Residual


class ImageConv(nn.Module):
    """Frames to feature maps at strides 4, 8, 8, 8, or at 4, 8, 16, 32.

    Attributes:
        channels: width of each map, fine to coarse.
        strides: input pixels a cell of each map.
        stem: the first convolution.
    """

    def __init__(
        self, widths: Sequence[int], depths: Sequence[int], strides: Sequence[int] = (4, 8, 8, 8)
    ) -> None:
        """Build stages of these ``widths``, each of so many residual blocks; ``strides`` stay or double."""
        super().__init__()
        self.channels = tuple(widths)
        self.strides = tuple(strides)
        self.stem = nn.Conv2d(3, widths[0], 7, stride=4, padding=3)
        self.reductions = nn.ModuleList([nn.Identity()])
        for (wide, fine), (wider, coarse) in pairwise(zip(widths, strides, strict=True)):
            kernel = 1 if coarse == fine else 3
            self.reductions.append(nn.Conv2d(wide, wider, kernel, stride=coarse // fine, padding=kernel // 2))
        self.stages = nn.ModuleList(
            nn.Sequential(*(Residual(width) for _ in range(depth)))
            for width, depth in zip(widths, depths, strict=True)
        )

    def forward(
        self,
        frames: Float[Tensor, "b t 3 H W"],
        keep: tuple[int, ...] | None = None,
        added: Float[Tensor, "n _d _h _w"] | None = None,
    ) -> tuple[Float[Tensor, "b t_kept _c _h _w"], ...]:
        """Return the maps of all frames, or of those in ``keep``, which alone are looked at.

        ``added`` joins what the first convolution gives of these frames.
        """
        frames = frames if keep is None else frames[:, list(keep)]
        x = self.stem(frames.flatten(0, 1).contiguous(memory_format=torch.channels_last))
        x = x if added is None else x + added
        maps = []
        for reduction, stage in zip(self.reductions, self.stages, strict=True):
            x = stage(reduction(x))
            maps.append(x.unflatten(0, frames.shape[:2]))
        return tuple(maps)


def image_conv_tiny() -> ImageConv:
    """Build the backbone of that name."""
    return ImageConv(widths=(32, 64, 96, 128), depths=(1, 2, 2, 1))


def image_conv_pyramid_tiny() -> ImageConv:
    """Build the backbone of that name."""
    return ImageConv(widths=(32, 64, 96, 128), depths=(1, 2, 2, 1), strides=(4, 8, 16, 32))
