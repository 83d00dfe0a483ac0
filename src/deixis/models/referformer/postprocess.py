"""From ReferFormer's output to trajectories, masks, boxes and label maps (sections 3.5 and 4.1).

Axes: e expressions, t frames, q queries, k classes, o objects, h w cells, H W pixels.
"""

from functools import partial

import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn import functional as F

from deixis.models.referformer.output import ReferFormerOutput
from deixis.ops.boxes import to_corners
from deixis.structures import Trajectories

THRESHOLD = 0.5
"""A pixel belongs to a mask above this probability."""

BACKGROUND = 0.1
"""Score of the background in a label map: where no object reaches the threshold, it wins."""


def score(output: ReferFormerOutput) -> Trajectories:
    """Score every trajectory: the mean over frames of its class probabilities, the largest of all classes.

    With one annotated frame (A2D-Sentences) or an image (RefCOCO) it is that frame's own probability.
    """
    probabilities = output.class_logits[-1].float().sigmoid()  # e t q k
    real = (~output.frame_padding).float()[:, :, None, None]
    means = (probabilities * real).sum(dim=1) / real.sum(dim=1).clamp(min=1)  # e q k
    scores, classes = means.max(dim=-1)  # e q
    index = classes[:, None, :, None].expand(-1, probabilities.shape[1], -1, 1)
    frame_scores = probabilities.gather(3, index)[..., 0]  # e t q
    return Trajectories(
        scores=scores,
        frame_scores=frame_scores,
        presence=frame_scores,
        make_mask_logits=partial(output.mask_logits, -1),
        boxes=output.boxes[-1],
    )


def pixel_boxes(boxes: Float[Tensor, "*n 4"], size: tuple[int, int]) -> Float[Tensor, "*n 4"]:
    """Turn predicted boxes into (x1, y1, x2, y2) in pixels of a frame of ``size`` (height, width)."""
    height, width = size
    return to_corners(boxes) * boxes.new_tensor((width, height, width, height))


def label_map(
    mask_logits: Float[Tensor, "o t h w"],
    size: tuple[int, int],
    threshold: float = THRESHOLD,
    background: float = BACKGROUND,
) -> UInt8[Tensor, "t H W"]:
    """Give each pixel to the object of the highest probability, or to none: 0 (Ref-DAVIS17).

    Args:
        mask_logits: of the chosen trajectory of each object.
        size: height and width of the frames.
        threshold: probabilities below count as 0.
        background: probability of the background.
    """
    full = F.interpolate(mask_logits.float(), size=size, mode="bilinear", align_corners=False).sigmoid()
    kept = torch.where(full >= threshold, full, 0)
    everything = torch.cat((torch.full_like(kept[:1], background), kept))
    return everything.argmax(dim=0).to(torch.uint8)
