"""Swin (Liu et al., ICCV 2021) as ReferFormer has it: each frame on its own, a norm on every map.

The parts are those of :mod:`deixis.backbones.video_swin` with windows of one frame. Unlike Video Swin the
window is always of one size (7x7; 12x12 in UniRef) and always shifted in every second block, also where the
map is smaller: there the map is padded to one window (ReferFormer, section 3.2). Sizes need not be divisible
by anything.

Parameters, beside the published names, where they differ from Video Swin's:

    patch_embed.projection.weight [c, 3, 4, 4]    patch_embed.proj.weight
    merges.S.{norm,reduction}                     layers.S.downsample.{norm,reduction}
    norms.S                                       normS
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from deixis.backbones.video_swin import VideoSwin, rename
from deixis.backbones.window_plan import IMAGE, LARGE_IMAGE, WindowShape


def imagenet_state_dict(published: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Turn the weights of an official file of Swin (its ``model``) into ours.

    The classification head and the constant buffers are left out; the norms of the outputs, which a
    classifier does not have, start at 1 and 0.
    """
    dropped = ("norm.", "head.")
    ours = {
        rename(name): value
        for name, value in published.items()
        if not name.startswith(dropped) and not name.endswith(("relative_position_index", "attn_mask"))
    }
    channels = len(published["patch_embed.norm.weight"])
    for stage in range(4):
        ours[f"norms.{stage}.weight"] = torch.ones(channels << stage)
        ours[f"norms.{stage}.bias"] = torch.zeros(channels << stage)
    return ours


def swin_t() -> VideoSwin:
    """Build "swin-t" (28M parameters)."""
    return _build(96, (2, 2, 6, 2), (3, 6, 12, 24), stochastic_depth=0.2)


def swin_s() -> VideoSwin:
    """Build "swin-s" (49M parameters)."""
    return _build(96, (2, 2, 18, 2), (3, 6, 12, 24), stochastic_depth=0.2)


def swin_b() -> VideoSwin:
    """Build "swin-b" (87M parameters)."""
    return _build(128, (2, 2, 18, 2), (4, 8, 16, 32), stochastic_depth=0.3)


def swin_l() -> VideoSwin:
    """Build "swin-l" (195M parameters)."""
    return _build(192, (2, 2, 18, 2), (6, 12, 24, 48), stochastic_depth=0.3)


def swin_l_window12() -> VideoSwin:
    """Build "swin-l-window12" (195M parameters), pre-trained on images of 384 pixels (UniRef)."""
    return _build(192, (2, 2, 18, 2), (6, 12, 24, 48), stochastic_depth=0.3, shape=LARGE_IMAGE)


def _build(
    embedding: int,
    depths: tuple[int, ...],
    heads: tuple[int, ...],
    *,
    stochastic_depth: float,
    shape: WindowShape = IMAGE,
) -> VideoSwin:
    return VideoSwin(
        embedding,
        depths,
        heads,
        num_stages=4,
        stochastic_depth=stochastic_depth,
        shape=shape,
        has_output_norms=True,
    )
