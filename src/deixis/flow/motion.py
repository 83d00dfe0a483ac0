"""From flow to the motion channels of a model.

Axes: t frames, H W pixels of the flow, h w of the model's input, m motion channels.
"""

import numpy as np
import torch
from jaxtyping import Float
from torch.nn import functional as F

from .camera import residual_flow
from .config import Camera, MotionSpec

PERCENTILE = 99.0
STILL_AT_480_ROWS = 1.0
"""Pixels of motion at 480 rows below which a frame counts as still."""


def motion_map(flow: Float[np.ndarray, "H W 2"], camera: Camera = "mean") -> Float[np.ndarray, "H W"]:
    """Return the normalised magnitude of ``flow`` without the camera's part, in [0, 1].

    ``clip(magnitude / max(p99, H / 480), 0, 1)`` with the 99th percentile of the whole frame (linear
    interpolation): independent of frame rate and size, robust to single wrong vectors. The floor of one
    pixel at 480 rows keeps the map dark where nothing moves. "mean" is the published choice (HINet,
    supplement, section 5); the scale is ours, since it is not published.
    """
    magnitude = magnitude_of(residual_flow(flow, camera))
    scale = max(float(np.percentile(magnitude, PERCENTILE)), still_below(magnitude.shape[0]))
    return np.clip(magnitude / np.float32(scale), 0, 1)


def magnitude_of(vectors: Float[np.ndarray, "H W 2"]) -> Float[np.ndarray, "H W"]:
    """Return the length of each vector."""
    return np.sqrt(np.square(vectors).sum(axis=-1))


def still_below(height: int) -> float:
    """Return the motion in pixels below which a frame of ``height`` rows counts as still."""
    return STILL_AT_480_ROWS * height / 480


def motion_channels(
    forward: Float[np.ndarray, "H W 2"] | None,
    backward: Float[np.ndarray, "H W 2"] | None,
    spec: MotionSpec,
    size: tuple[int, int],
) -> Float[np.ndarray, "m h w"]:
    """Return what ``spec`` asks for, at the ``size`` (h, w) of the model's input.

    Args:
        forward: flow to the next frame; None where there is none.
        backward: flow to the frame before; None where there is none.
        spec: where a direction that it asks for is missing, the other one turned round stands in; with
            neither there is no motion.
        size: h and w.
    """
    found = {"forward": forward, "backward": backward}
    present = [flow for flow in found.values() if flow is not None]
    if not present:
        return np.zeros((spec.num_channels, *size), np.float32)
    wanted = ("forward", "backward") if spec.directions == "both" else (spec.directions,)
    # What moves to the right came from the left: the other direction stands in with its sign turned.
    flows = [-present[0] if flow is None else flow for flow in (found[name] for name in wanted)]
    if spec.form == "map":
        return resized_motion(
            np.minimum.reduce([motion_map(flow, spec.camera) for flow in flows])[None], size
        )
    vectors = [np.moveaxis(residual_flow(flow, spec.camera), -1, 0) for flow in flows]
    return resized_motion(np.concatenate(vectors), size)


def resized_motion(
    channels: Float[np.ndarray, "*t m H W"], size: tuple[int, int]
) -> Float[np.ndarray, "*t m h w"]:
    """Bring motion channels to another ``size``: reduce by area, enlarge bilinearly.

    One channel is a map of magnitudes, which stay; several are u and v in turn, in pixels, which change with
    the pixels.
    """
    height, width = channels.shape[-2:]
    values = np.ascontiguousarray(channels, dtype=np.float32)
    if (height, width) == size:
        return values
    stack = torch.from_numpy(values).flatten(0, -4) if values.ndim > 3 else torch.from_numpy(values)[None]
    if size[0] <= height and size[1] <= width:
        stack = F.interpolate(stack, size=size, mode="area")
    else:
        stack = F.interpolate(stack, size=size, mode="bilinear", align_corners=False)
    resized = stack.numpy().reshape(*values.shape[:-2], *size)
    if (num_channels := values.shape[-3]) == 1:
        return resized
    scale = np.tile(np.array((size[1] / width, size[0] / height), np.float32), num_channels // 2)
    return resized * scale[:, None, None]


def mirrored_motion(channels: Float[np.ndarray, "*t m H W"]) -> Float[np.ndarray, "*t m H W"]:
    """Return the motion of the mirrored frames: what moved to the right moves to the left."""
    mirrored = np.ascontiguousarray(channels[..., ::-1])
    if mirrored.shape[-3] > 1:
        mirrored[..., 0::2, :, :] *= -1
    return mirrored
