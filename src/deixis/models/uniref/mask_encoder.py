"""A frame and a mask to values, level by level (UniRef, section 3.2; code).

Axes: b frames, n objects, c channels, h w cells, H W pixels.
"""

from collections.abc import Sequence

from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from deixis.layers.mask_blocks import BasicBlock, Cbam, ResBlock
from deixis.layers.norm import BatchNorm2d
from deixis.layers.pyramid import GROUPS


class MaskEncoder(nn.Module):
    """A ResNet-18 of four channels whose maps join those of the frame; biases in all convolutions.

    What is made of the frame alone is made once for all masks in it.
    """

    def __init__(self, width: int, widths: Sequence[int]) -> None:
        """Build for frame features of ``width`` and stages of ``widths`` (strides 4, 8, 16, 32)."""
        super().__init__()
        self.stem = nn.Conv2d(4, widths[0], 7, stride=2, padding=3)
        self.stem_norm = BatchNorm2d(widths[0])
        inputs = (widths[0], *widths[:-1])
        self.stages = nn.ModuleList(
            nn.Sequential(BasicBlock(before, after, 1 if index == 0 else 2), BasicBlock(after, after, 1))
            for index, (before, after) in enumerate(zip(inputs, widths, strict=True))
        )
        self.coarsest = nn.Sequential(
            nn.Conv2d(widths[-1], width, 3, stride=2, padding=1), nn.GroupNorm(GROUPS, width)
        )
        self.fusers = nn.ModuleList(Fuser(channels, width) for channels in (*widths[1:], width))

    def forward(
        self,
        frames: Float[Tensor, "b 3 H W"],
        masks: Bool[Tensor, "n H W"] | Float[Tensor, "n H W"],
        maps: Sequence[Float[Tensor, "b c _h _w"]],
    ) -> tuple[Float[Tensor, "n c _h _w"], ...]:
        """Return the values of each mask at strides 8, 16, 32 and 64.

        Args:
            frames: normalised and padded; one a mask, or one for all masks.
            masks: of pixels, False on padding.
            maps: projected features of the frames.
        """
        weight = self.stem.weight
        x = F.conv2d(frames, weight[:, :3], self.stem.bias, stride=2, padding=3)
        x = x + F.conv2d(masks[:, None].to(frames.dtype), weight[:, 3:], stride=2, padding=3)
        x = F.relu(self.stem_norm(x), inplace=True)
        x = self.stages[0](F.max_pool2d(x, 3, stride=2, padding=1))
        stages = []
        for stage in (*self.stages[1:], self.coarsest):
            x = stage(x)
            stages.append(x)
        return tuple(fuser(own, shared) for fuser, own, shared in zip(self.fusers, stages, maps, strict=True))


class Fuser(nn.Module):
    """Joins the maps of mask and frame by Res-Blocks, with gates on channels and cells between them."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.join = ResBlock(channels, width, shared=width)
        self.gates = Cbam(width)
        self.refine = ResBlock(width, width)

    def forward(
        self, x: Float[Tensor, "n _c h w"], features: Float[Tensor, "b c h w"]
    ) -> Float[Tensor, "n c h w"]:
        """Return the values of one level."""
        joined = self.join(x, features)
        return self.refine(joined + self.gates(joined))
