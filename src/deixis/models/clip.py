"""Frames as a model wants to be fed.

Axes: t frames, m channels of flow, H W pixels of the video, h w resized pixels.
"""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from deixis.models.inputs import InputSpec
from deixis.ops.padding import pad_to_multiple
from deixis.ops.resize import resize_frame
from deixis.structures import Clip


def fit_frame(
    frame: UInt8[np.ndarray, "H W 3"] | UInt8[Tensor, "3 H W"], inputs: InputSpec
) -> UInt8[Tensor, "3 h w"]:
    """Resize one frame as ``inputs`` asks, channels first."""
    if inputs.resize == "shortest_side":
        return resize_frame(frame, inputs.short_side, inputs.long_side, inputs.size_rule)
    if isinstance(frame, np.ndarray):
        frame = torch.from_numpy(np.ascontiguousarray(frame)).permute(2, 0, 1)
    return frame.contiguous()


def make_clip(
    frames: Sequence[UInt8[Tensor, "3 h w"]],
    inputs: InputSpec,
    device: torch.device,
    flow: Float[Tensor, "t m h w"] | None = None,
) -> Clip:
    """Normalise resized frames of one size and batch them as one clip, padded as ``inputs`` asks."""
    pixels = torch.stack(list(frames)).to(device).float().div_(255)  # t 3 h w
    mean = torch.tensor(inputs.mean, device=device)[:, None, None]
    std = torch.tensor(inputs.std, device=device)[:, None, None]
    pixels = pixels.sub_(mean).div_(std)
    padding_mask = torch.zeros(1, len(pixels), *pixels.shape[-2:], dtype=torch.bool, device=device)
    if flow is not None:
        flow, _ = pad_to_multiple(flow[None].to(device), padding_mask, inputs.pad_multiple)
    return Clip(*pad_to_multiple(pixels[None], padding_mask, inputs.pad_multiple), flow=flow)
