"""Video Swin: shifted-window attention over space and time (Liu et al., CVPR 2022), one token a frame and 4x4 patch.

The network of the published weights, quirks included (MTTR, section 2): zero padding to whole windows comes after the
layer norm, so padded tokens are attended to with the biases as key and value; a map no larger than the window shrinks
the window, and its position biases are then the first rows and columns of the full window's.

Parameters, beside the published names:

    patch_embed.{projection,norm}                 patch_embed.{proj,norm}
    stages.S.blocks.I.{norm1,norm2}               layers.S.blocks.I.{norm1,norm2}
    stages.S.blocks.I.attention.qkv               layers.S.blocks.I.attn.qkv
    stages.S.blocks.I.attention.projection        layers.S.blocks.I.attn.proj
    stages.S.blocks.I.attention.relative_position_bias_table   (the same under attn)
    stages.S.blocks.I.mlp.{linear1,linear2}       layers.S.blocks.I.mlp.{fc1,fc2}
    merges.S.{norm,reduction}                     downsamples.S.* (MTTR), layers.S.downsample.* (Kinetics)

Axes: b videos, t frames, c channels, h w cells, H W pixels, n tokens.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from .window_attention import WindowAttention

PATCH = 4


class VideoSwin(nn.Module):
    """Frames to feature maps, one a stage, taken before the stage's merging of 2x2 cells; no norm on the maps.

    Attributes:
        channels: width of each map, fine to coarse.
        strides: input pixels a cell of each map.
    """

    def __init__(
        self,
        embedding: int,
        depths: Sequence[int],
        heads: Sequence[int],
        *,
        num_stages: int = 3,
        stochastic_depth: float = 0.1,
    ) -> None:
        """Build the first ``num_stages`` stages of the network.

        Args:
            embedding: channels of the first stage; each next one has twice as many.
            depths: blocks of each stage of the whole network.
            heads: attention heads of each stage.
            num_stages: stages to build; the others do not exist.
            stochastic_depth: rate of the last block of the whole network; the others grow linearly from 0.
        """
        super().__init__()
        self.channels = tuple(embedding * 2**stage for stage in range(num_stages))
        self.strides = tuple(PATCH * 2**stage for stage in range(num_stages))
        rates = torch.linspace(0, stochastic_depth, sum(depths)).tolist()
        self.patch_embed = PatchEmbed(embedding)
        self.stages = nn.ModuleList()
        for stage, width in enumerate(self.channels):
            first = sum(depths[:stage])
            self.stages.append(Stage(width, heads[stage], rates[first : first + depths[stage]]))
        self.merges = nn.ModuleList(PatchMerging(width) for width in self.channels[:-1])

    def forward(
        self, frames: Float[Tensor, "b t 3 H W"], keep: tuple[int, ...] | None = None
    ) -> tuple[Float[Tensor, "b t_kept _c _h _w"], ...]:
        """Return the maps of all frames, or of the frames in ``keep`` only (all frames are seen either way).

        Args:
            frames: normalised frames of any size; maps have ``ceil(size / stride)`` cells.
            keep: indices of the frames whose maps are wanted; None: all.
        """
        x = self.patch_embed(frames)  # b t h w c
        maps = []
        for index, stage in enumerate(self.stages):
            x = stage(x)
            kept = x if keep is None else x[:, list(keep)]
            maps.append(kept.permute(0, 1, 4, 2, 3))
            if index < len(self.merges):
                x = self.merges[index](x)
        return tuple(maps)


class PatchEmbed(nn.Module):
    """Each 4x4 patch of a frame to one normalised vector."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.projection = nn.Conv3d(3, channels, (1, PATCH, PATCH), stride=(1, PATCH, PATCH))
        self.norm = nn.LayerNorm(channels)

    def forward(self, frames: Float[Tensor, "b t 3 H W"]) -> Float[Tensor, "b t _h _w c"]:
        height, width = frames.shape[-2:]
        frames = F.pad(frames, (0, -width % PATCH, 0, -height % PATCH))
        x = frames.unflatten(4, (-1, PATCH)).unflatten(3, (-1, PATCH))  # b t 3 h 4 w 4
        x = x.permute(0, 1, 3, 5, 2, 4, 6).flatten(4)  # b t h w (3 4 4)
        return self.norm(F.linear(x, self.projection.weight.flatten(1), self.projection.bias))


class Stage(nn.Module):
    """Blocks at one stride; every second one shifts its windows by half their size."""

    def __init__(self, channels: int, num_heads: int, rates: Sequence[float]) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            Block(channels, num_heads, is_shifted=index % 2 == 1, stochastic_depth=rate)
            for index, rate in enumerate(rates)
        )

    def forward(self, x: Float[Tensor, "b t h w c"]) -> Float[Tensor, "b t h w c"]:
        for block in self.blocks:
            x = block(x)
        return x


class Block(nn.Module):
    """Attention inside windows, then an MLP, each after a norm and around a shortcut."""

    def __init__(self, channels: int, num_heads: int, *, is_shifted: bool, stochastic_depth: float) -> None:
        super().__init__()
        self.stochastic_depth = stochastic_depth
        self.norm1 = nn.LayerNorm(channels)
        self.attention = WindowAttention(channels, num_heads, is_shifted=is_shifted)
        self.norm2 = nn.LayerNorm(channels)
        self.mlp = MLP(channels)

    def forward(self, x: Float[Tensor, "b t h w c"]) -> Float[Tensor, "b t h w c"]:
        x = x + self.drop_path(self.attention(self.norm1(x)))
        return x + self.drop_path(self.mlp(self.norm2(x)))

    def drop_path(self, branch: Float[Tensor, "b t h w c"]) -> Float[Tensor, "b t h w c"]:
        """Drop the branch of whole videos at random while training, and scale up the others to the same mean."""
        if not self.training or self.stochastic_depth == 0:
            return branch
        keep = 1 - self.stochastic_depth
        return branch * branch.new_empty(len(branch), 1, 1, 1, 1).bernoulli_(keep).div_(keep)


class MLP(nn.Module):
    """Two linear layers with exact GELU between them, four times wider inside."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(channels, 4 * channels)
        self.linear2 = nn.Linear(4 * channels, channels)

    def forward(self, x: Float[Tensor, "*n c"]) -> Float[Tensor, "*n c"]:
        return self.linear2(F.gelu(self.linear1(x)))


class PatchMerging(nn.Module):
    """Each 2x2 neighbourhood of cells to one cell of twice the channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(4 * channels)
        self.reduction = nn.Linear(4 * channels, 2 * channels, bias=False)

    def forward(self, x: Float[Tensor, "b t h w c"]) -> Float[Tensor, "b t _h _w d"]:
        height, width = x.shape[2:4]
        x = F.pad(x, (0, 0, 0, width % 2, 0, height % 2))
        x = x.unflatten(3, (-1, 2)).unflatten(2, (-1, 2))  # b t h 2 w 2 c
        # The published order of the four cells: column slow, row fast.
        return self.reduction(self.norm(x.permute(0, 1, 2, 4, 5, 3, 6).flatten(4)))


def kinetics_state_dict(published: dict[str, Tensor], num_stages: int = 3) -> dict[str, Tensor]:
    """Turn the state dict of a Kinetics-400 file of Video Swin (patch 2x4x4, window 8x7x7) into ours.

    The patch kernel is summed over its two time steps, as if every frame were shown twice (MTTR, section 2). Stages
    beyond ``num_stages``, the final norm and the classification head are left out; so are constant index buffers.

    Args:
        published: the value of ``state_dict`` in the file; keys start with ``backbone.``.
        num_stages: stages of the network that takes the weights.
    """
    renamed = {}
    for key, value in published.items():
        name = key.removeprefix("backbone.")
        if name == key or name.startswith("norm.") or name.endswith("relative_position_index"):
            continue
        is_merge = ".downsample." in name
        if name.startswith("layers.") and int(name.split(".")[1]) >= num_stages - is_merge:
            continue
        renamed[_rename(name)] = value
    kernel = "patch_embed.projection.weight"
    if kernel in renamed:
        renamed[kernel] = renamed[kernel].sum(dim=2, keepdim=True)
    return renamed


def _rename(name: str) -> str:
    parts = name.split(".")
    if name.startswith("layers.") and parts[2] == "downsample":
        return ".".join(["merges", parts[1], *parts[3:]])
    ours = {"layers": "stages", "proj": "projection", "attn": "attention", "fc1": "linear1", "fc2": "linear2"}
    return ".".join(ours.get(part, part) for part in parts)


def video_swin_t() -> VideoSwin:
    """Build three stages of "video-swin-t" (12M parameters)."""
    return VideoSwin(96, depths=(2, 2, 6, 2), heads=(3, 6, 12, 24))


def video_swin_s() -> VideoSwin:
    """Build three stages of "video-swin-s"."""
    return VideoSwin(96, depths=(2, 2, 18, 2), heads=(3, 6, 12, 24))


def video_swin_b() -> VideoSwin:
    """Build three stages of "video-swin-b"."""
    return VideoSwin(128, depths=(2, 2, 18, 2), heads=(4, 8, 16, 32))
