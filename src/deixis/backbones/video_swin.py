"""Video Swin (Liu et al., CVPR 2022): attention in shifted windows of space and time, patches of 1x4x4.

The network of the published weights, quirks included (MTTR, section 2): zero padding to whole windows comes
after the layer norm, so padded tokens are attended to with the biases as key and value; a map no larger
than the window shrinks the window, and its position biases are then the first rows and columns of the full
window's.

Parameters, beside the published names:

    patch_embed.{projection,norm}                 patch_embed.{proj,norm}
    stages.S.blocks.I.{norm1,norm2}               layers.S.blocks.I.{norm1,norm2}
    stages.S.blocks.I.attention.qkv               layers.S.blocks.I.attn.qkv
    stages.S.blocks.I.attention.projection        layers.S.blocks.I.attn.proj
    stages.S.blocks.I.attention.relative_position_bias_table   (the same under attn)
    stages.S.blocks.I.mlp.{linear1,linear2}       layers.S.blocks.I.mlp.{fc1,fc2}
    merges.S.{norm,reduction}                     downsamples.S.* (MTTR), layers.S.downsample.* (Kinetics)

Operations of the three stages of "video-swin-t" for 8 frames of 320x576 (92,160, 23,040 and 5,760 tokens;
windows of 392): linear layers 12 c^2 a token and block, attention 784 c. Stage 1: 20.4 + 13.9, stage 2:
20.4 + 6.9, stage 3: 61.2 + 10.4, together 133 GMAC. Writing every intermediate value to memory once would
add 2 GB (a block of stage 1: 141 MB inside the MLP, 106 MB for queries, keys and values, 465 MB for each
copy of the attention weights), so a block takes a few windows at a time through all of its steps, small
enough for the cache.

Axes: b videos, t frames, c channels, h w cells, H W pixels, n tokens.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from deixis.errors import CheckpointError
from deixis.layers.linear import Linear, linear

from .window_attention import WindowAttention
from .window_plan import VIDEO, WindowGroup, WindowShape, plan_windows, seen_frames

PATCH = 4

CHUNK = 1536
"""Tokens a thread takes through a block at once (without gradients, on a CPU)."""


@dataclass(frozen=True)
class Frames:
    """Which frames of a clip of ``total`` a block is given (``present``) and must return (``wanted``)."""

    total: int
    present: tuple[int, ...]
    wanted: tuple[int, ...]


class VideoSwin(nn.Module):
    """Frames to feature maps, one a stage, taken before the stage's merging of 2x2 cells; not normalised.

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
        shape: WindowShape = VIDEO,
        has_output_norms: bool = False,
    ) -> None:
        """Build the first ``num_stages`` stages of the network.

        Args:
            embedding: channels of the first stage; each next one has twice as many.
            depths: blocks of each stage of the whole network.
            heads: attention heads of each stage.
            num_stages: stages to build; the others do not exist.
            stochastic_depth: rate of the last block of the whole network; the others grow linearly from 0.
            shape: of the windows.
            has_output_norms: every map leaves through a layer norm of its own; the next stage goes on
                without.
        """
        super().__init__()
        self.shape = shape
        self.channels = tuple(embedding * 2**stage for stage in range(num_stages))
        self.strides = tuple(PATCH * 2**stage for stage in range(num_stages))
        rates = [stochastic_depth * block / max(sum(depths) - 1, 1) for block in range(sum(depths))]
        self._is_shifted = [[block % 2 == 1 for block in range(depth)] for depth in depths[:num_stages]]
        self.patch_embed = PatchEmbed(embedding, is_video=shape.extent[0] > 1)
        self.stages = nn.ModuleList()
        for stage, (width, is_shifted) in enumerate(zip(self.channels, self._is_shifted, strict=True)):
            first = sum(depths[:stage])
            stage_rates = rates[first : first + depths[stage]]
            self.stages.append(Stage(width, heads[stage], is_shifted, stage_rates, shape))
        self.merges = nn.ModuleList(PatchMerging(width) for width in self.channels[:-1])
        self.norms = nn.ModuleList(map(nn.LayerNorm, self.channels if has_output_norms else ()))

    def forward(
        self, frames: Float[Tensor, "b t 3 H W"], keep: tuple[int, ...] | None = None
    ) -> tuple[Float[Tensor, "b t_kept _c _h _w"], ...]:
        """Return the maps of all frames, or of the frames in ``keep`` only.

        All frames are seen either way, but the last blocks compute only what the kept frames depend on.

        Args:
            frames: normalised frames of any size; maps have ``ceil(size / stride)`` cells.
            keep: indices of the frames whose maps are wanted; None: all.
        """
        every = tuple(range(frames.shape[1]))
        keep = every if keep is None else keep
        schedule = self._schedule(len(every), keep)
        seen = schedule[0][0].present
        x = self.patch_embed(frames if seen == every else frames[:, seen])  # b t h w c
        maps = []
        for index, stage in enumerate(self.stages):
            if index > 0:
                x = self.merges[index - 1](x)
            x = stage(x, schedule[index])
            present = schedule[index][-1].wanted
            kept = x if present == keep else x[:, [present.index(frame) for frame in keep]]
            kept = self.norms[index](kept) if self.norms else kept
            maps.append(kept.permute(0, 1, 4, 2, 3))
        return tuple(maps)

    def _schedule(self, num_frames: int, keep: tuple[int, ...]) -> list[list[Frames]]:
        """Work out from the last block to the first which frames each block must return to the next."""
        schedule, wanted = [], tuple(sorted(set(keep)))
        for stage in reversed(self._is_shifted):
            blocks = []
            for is_shifted in reversed(stage):
                seen = seen_frames(num_frames, is_shifted, wanted, self.shape)
                blocks.append(Frames(num_frames, seen, wanted))
                wanted = seen
            schedule.append(blocks[::-1])
        return schedule[::-1]


class PatchEmbed(nn.Module):
    """Each 4x4 patch of a frame to one normalised vector."""

    def __init__(self, channels: int, *, is_video: bool = True) -> None:
        super().__init__()
        cube = (1, PATCH, PATCH)
        self.projection = (
            nn.Conv3d(3, channels, cube, stride=cube) if is_video else nn.Conv2d(3, channels, PATCH, PATCH)
        )
        self.norm = nn.LayerNorm(channels)

    def forward(self, frames: Float[Tensor, "b t 3 H W"]) -> Float[Tensor, "b t _h _w c"]:
        """Zero-pad the frames to whole patches at the bottom and right, and embed the patches."""
        height, width = frames.shape[-2:]
        frames = F.pad(frames, (0, -width % PATCH, 0, -height % PATCH))
        x = frames.unflatten(4, (-1, PATCH)).unflatten(3, (-1, PATCH))  # b t 3 h 4 w 4
        x = x.permute(0, 1, 3, 5, 2, 4, 6).flatten(4)  # b t h w (3 4 4)
        return self.norm(linear(x, self.projection.weight.flatten(1), self.projection.bias))


class Stage(nn.Module):
    """Blocks at one stride; some move their windows by half their size."""

    def __init__(
        self,
        channels: int,
        num_heads: int,
        is_shifted: Sequence[bool],
        rates: Sequence[float],
        shape: WindowShape,
    ) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            Block(channels, num_heads, shape, is_shifted=shifted, stochastic_depth=rate)
            for shifted, rate in zip(is_shifted, rates, strict=True)
        )

    def forward(
        self, x: Float[Tensor, "b t h w c"], schedule: Sequence[Frames]
    ) -> Float[Tensor, "b t_wanted h w c"]:
        """Run the blocks, each with the frames that ``schedule`` gives it."""
        for block, frames in zip(self.blocks, schedule, strict=True):
            x = block(x, frames)
        return x


class Block(nn.Module):
    """Attention inside windows, then an MLP, each after a norm and around a shortcut."""

    def __init__(
        self, channels: int, num_heads: int, shape: WindowShape, *, is_shifted: bool, stochastic_depth: float
    ) -> None:
        super().__init__()
        self.shape = shape
        self.is_shifted = is_shifted
        self.stochastic_depth = stochastic_depth
        self.norm1 = nn.LayerNorm(channels)
        self.attention = WindowAttention(channels, num_heads, shape.extent)
        self.norm2 = nn.LayerNorm(channels)
        self.mlp = MLP(channels)

    def forward(self, x: Float[Tensor, "b t h w c"], frames: Frames) -> Float[Tensor, "b t_wanted h w c"]:
        """Take the windows of each kind through the block and put their tokens back in place."""
        b, _, h, w, c = x.shape
        sizes = (frames.total, h, w)
        plan = plan_windows(sizes, self.is_shifted, frames.present, frames.wanted, x.device, self.shape)
        drops = self._draw_drop(x), self._draw_drop(x)
        tokens = x.flatten(1, 3)  # b (t h w) c
        if torch.is_grad_enabled():
            parts = [
                self._run_windows(tokens, group.tokens, group, bias, drops).flatten(1, 2)
                for group, bias in zip(plan, self.attention.biases(plan), strict=True)
            ]
            order = torch.cat([group.outputs.flatten() for group in plan]).argsort()
            return torch.cat(parts, dim=1)[:, order].unflatten(1, (-1, h, w))
        out = x.new_empty(b, len(frames.wanted) * h * w, c)
        limit = CHUNK * torch.get_num_threads() // b if x.device.type == "cpu" else len(tokens[0])
        for group, bias in zip(plan, self.attention.biases(plan), strict=True):
            num_windows = max(1, limit // group.tokens.shape[1])
            for inputs, outputs in zip(
                group.tokens.split(num_windows), group.outputs.split(num_windows), strict=True
            ):
                y = self._run_windows(tokens, inputs, group, bias, drops)
                out.index_copy_(1, outputs.flatten(), y.flatten(1, 2))
        return out.unflatten(1, (-1, h, w))

    def _run_windows(
        self,
        tokens: Float[Tensor, "b n c"],
        indices: Int[Tensor, "w k"],
        group: WindowGroup,
        bias: Float[Tensor, "a q _k"],
        drops: tuple[Float[Tensor, "b 1 1 1"] | None, Float[Tensor, "b 1 1 1"] | None],
    ) -> Float[Tensor, "b w q c"]:
        x = tokens.index_select(1, indices.flatten()).unflatten(1, indices.shape)
        y = self.attention(self.norm1(x), group, bias)
        x = _add(x if group.queries is None else x[:, :, group.queries], y, drops[0])
        return _add(x, self.mlp(self.norm2(x)), drops[1])

    def _draw_drop(self, x: Tensor) -> Float[Tensor, "b 1 1 1"] | None:
        """Draw which videos skip a branch while training (0), and what the others count for the same mean."""
        if not self.training or self.stochastic_depth == 0:
            return None
        keep = 1 - self.stochastic_depth
        return x.new_empty(len(x), 1, 1, 1).bernoulli_(keep).div_(keep)


def _add(x: Tensor, branch: Tensor, drop: Tensor | None) -> Tensor:
    return x + branch if drop is None else x + branch * drop


class MLP(nn.Module):
    """Two linear layers with exact GELU between them, four times wider inside."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.linear1 = Linear(channels, 4 * channels)
        self.linear2 = Linear(4 * channels, channels)

    def forward(self, x: Float[Tensor, "*n c"]) -> Float[Tensor, "*n c"]:
        """Apply both layers to the last axis."""
        return self.linear2(F.gelu(self.linear1(x)))


class PatchMerging(nn.Module):
    """Each 2x2 neighbourhood of cells to one cell of twice the channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(4 * channels)
        self.reduction = Linear(4 * channels, 2 * channels, bias=False)

    def forward(self, x: Float[Tensor, "b t h w c"]) -> Float[Tensor, "b t _h _w d"]:
        """Zero-pad the map to even sizes and merge its cells."""
        height, width = x.shape[2:4]
        x = F.pad(x, (0, 0, 0, width % 2, 0, height % 2))
        x = x.unflatten(3, (-1, 2)).unflatten(2, (-1, 2))  # b t h 2 w 2 c
        # The published order of the four cells: column slow, row fast.
        return self.reduction(self.norm(x.permute(0, 1, 2, 4, 5, 3, 6).flatten(4)))


def kinetics_state_dict(published: Mapping[str, Tensor], num_stages: int = 3) -> dict[str, Tensor]:
    """Turn the weights of a Kinetics-400 file of Video Swin (patch 2x4x4, window 8x7x7) into ours.

    The patch kernel is summed over its two time steps, as if every frame were shown twice (MTTR, section
    2). What this network does not have is left out: stages beyond ``num_stages``, the final norm, the
    classification head, the constant index buffers. Load the result strictly.

    Args:
        published: the value of ``state_dict`` in the file; keys of the network start with ``backbone.``.
        num_stages: stages of the network that takes the weights.

    Raises:
        CheckpointError: there is no patch kernel of two time steps.
    """
    prefix, kernel = "backbone.", "patch_embed.projection.weight"
    names = [name.removeprefix(prefix) for name in published if name.startswith(prefix)]
    ours = {rename(name): published[prefix + name] for name in names if _has_place(name, num_stages)}
    if kernel not in ours or ours[kernel].dim() != 5 or ours[kernel].shape[2] != 2:
        raise CheckpointError(
            f"no patch kernel of 2x4x4 among the {len(published)} weights: not a Video Swin file"
        )
    return {**ours, kernel: ours[kernel].sum(dim=2, keepdim=True)}


def _has_place(name: str, num_stages: int) -> bool:
    if name.startswith("norm.") or name.endswith("relative_position_index"):
        return False
    stages = num_stages - 1 if ".downsample." in name else num_stages
    return not name.startswith("layers.") or int(name.split(".")[1]) < stages


def rename(name: str) -> str:
    """Return our name of a parameter of the published Swin networks."""
    parts = name.split(".")
    if parts[0] == "layers" and parts[2] == "downsample":
        return ".".join(["merges", parts[1], *parts[3:]])
    ours = {"layers": "stages", "proj": "projection", "attn": "attention", "fc1": "linear1", "fc2": "linear2"}
    return ".".join(ours.get(part, part) for part in parts)


def video_swin_t() -> VideoSwin:
    """Build three stages of "video-swin-t" (12M parameters)."""
    return VideoSwin(96, depths=(2, 2, 6, 2), heads=(3, 6, 12, 24))


def video_swin_s() -> VideoSwin:
    """Build three stages of "video-swin-s" (31M parameters)."""
    return VideoSwin(96, depths=(2, 2, 18, 2), heads=(3, 6, 12, 24))


def video_swin_b() -> VideoSwin:
    """Build three stages of "video-swin-b"."""
    return VideoSwin(128, depths=(2, 2, 18, 2), heads=(4, 8, 16, 32))


def whole_video_swin_t() -> VideoSwin:
    """Build all four stages of "video-swin-t", as ReferFormer trains them (section 3.3)."""
    return VideoSwin(96, (2, 2, 6, 2), (3, 6, 12, 24), num_stages=4, stochastic_depth=0.2)


def whole_video_swin_s() -> VideoSwin:
    """Build all four stages of "video-swin-s"."""
    return VideoSwin(96, (2, 2, 18, 2), (3, 6, 12, 24), num_stages=4, stochastic_depth=0.2)


def whole_video_swin_b() -> VideoSwin:
    """Build all four stages of "video-swin-b"."""
    return VideoSwin(128, (2, 2, 18, 2), (4, 8, 16, 32), num_stages=4, stochastic_depth=0.2)
