"""UniRef with examples: images in which a thing is masked, and others in which the like is found (code).

All tokens of all examples are one reference, made once; every image is then asked by itself.

Axes: k examples, h w cells, H W pixels of the network's input.
"""

from typing import TYPE_CHECKING

import torch
from jaxtyping import Bool
from torch import Tensor

from deixis.models.base import FrameMasks
from deixis.models.uniref.output import UniRefVideoFeatures
from deixis.models.uniref.reference import MaskReference
from deixis.structures import Clip

if TYPE_CHECKING:
    from deixis.models.uniref.model import UniRef


def learn_examples(model: "UniRef", examples: Clip, masks: Bool[Tensor, "k H W"]) -> MaskReference:
    """Make one reference of ``k`` examples.

    Args:
        model: in evaluation mode.
        examples: ``k`` clips of one frame, padded to one size. The padding enters the result a little, as
            published: the masks' encoder pools over it.
        masks: of the thing, at that size.

    Raises:
        ValueError: not one mask an example.
    """
    if len(masks) != len(examples.frames) or examples.frames.shape[1] != 1:
        raise ValueError(
            f"examples are clips of one frame with a mask each, got {tuple(examples.frames.shape[:2])} clips"
            f" and frames and {len(masks)} masks"
        )
    return model.encode_masks(model.encode_video(examples), masks).pooled()


def find_alike(model: "UniRef", frame: UniRefVideoFeatures, examples: MaskReference) -> FrameMasks:
    """Return the best query's mask in a frame (one clip of one frame): logits ``[1, h, w]`` of stride 4."""
    output = model(frame, None, masks=examples)
    best = output.scores.max(dim=2)  # 1 1
    logits = output.mask_logits(best.indices[..., None])[:, 0, 0]
    return FrameMasks(logits, best.values[:, 0], presence=torch.ones_like(best.values[:, 0]))
