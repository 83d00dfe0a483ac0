"""Clips to feature maps. ``BACKBONES`` names the architectures, ``build`` makes one."""

import importlib
from typing import TYPE_CHECKING

from deixis.errors import UnknownNameError

if TYPE_CHECKING:
    from torch import nn

__all__ = ["BACKBONES", "build"]

BACKBONES: dict[str, str] = {
    "video-conv-tiny": "deixis.backbones.video_conv:video_conv_tiny",
    "video-swin-t": "deixis.backbones.video_swin:video_swin_t",
    "video-swin-s": "deixis.backbones.video_swin:video_swin_s",
    "video-swin-b": "deixis.backbones.video_swin:video_swin_b",
    "video-swin-t-whole": "deixis.backbones.video_swin:whole_video_swin_t",
    "video-swin-s-whole": "deixis.backbones.video_swin:whole_video_swin_s",
    "video-swin-b-whole": "deixis.backbones.video_swin:whole_video_swin_b",
    "swin-t": "deixis.backbones.swin:swin_t",
    "swin-s": "deixis.backbones.swin:swin_s",
    "swin-b": "deixis.backbones.swin:swin_b",
    "swin-l": "deixis.backbones.swin:swin_l",
    "swin-l-window12": "deixis.backbones.swin:swin_l_window12",
    "resnet-50": "deixis.backbones.resnet:resnet_50",
    "resnet-101": "deixis.backbones.resnet:resnet_101",
    "resnet-101-stride8": "deixis.backbones.resnet:resnet_101_stride8",
    "resnet-101-stride16": "deixis.backbones.resnet:resnet_101_stride16",
    "image-conv-tiny": "deixis.backbones.image_conv:image_conv_tiny",
    "image-conv-pyramid-tiny": "deixis.backbones.image_conv:image_conv_pyramid_tiny",
}
"""Name -> "module:builder". A backbone has ``channels`` and ``strides``, one entry a map, and maps frames
``[b, t, 3, H, W]`` (and, if asked, the frames to ``keep``) to one ``[b, t, c, h, w]`` a stride."""


def build(name: str) -> "nn.Module":
    """Build the backbone ``name`` with fresh weights.

    Raises:
        UnknownNameError: no line of ``BACKBONES`` has it; the closest names are offered.
    """
    if name not in BACKBONES:
        raise UnknownNameError("backbone", name, BACKBONES)
    module, builder = BACKBONES[name].split(":")
    return getattr(importlib.import_module(module), builder)()
