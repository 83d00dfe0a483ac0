"""A training step of UniRef: images with words, or pairs of a reference frame and a current one (5.1).

In a pair, also of an example and an image, only the last frame is learned. What is shown is the same for a
whole batch: words, masks of the first frame, both, or nothing, and then all objects are to be found
(``Batch.references``). Where the first frame does not show an object that is known by its mask alone, there
is nothing to follow, and it is left out.

Axes: b clips, t frames, e expressions or objects, i images, h w cells, H W pixels.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from deixis.losses.box_supervision import colour_similarity
from deixis.models.uniref.criterion import MaskTeaching, losses, truths_of, weigh
from deixis.models.uniref.output import STRIDE
from deixis.structures import Batch, Clip

if TYPE_CHECKING:
    from deixis.models.uniref.model import UniRef


def batch_losses(model: "UniRef", batch: Batch) -> dict[str, Tensor]:
    """Return the weighted losses of the last frame of every clip."""
    last = batch.clip.frames.shape[1] - 1
    references = batch.references
    first = 0 if references in ("masks", "both") else last  # the frames that are looked at
    t = last - first + 1
    video = model.encode_video(_frame_by_frame(batch.clip, first))
    index, targets = batch.video_index, batch.targets
    text = model.encode_text(batch.tokens) if references in ("words", "both") else None
    masks = None
    if references in ("masks", "both"):
        shown = _referents(batch, frame=0)  # e H W
        known = shown.flatten(1).any(dim=1).nonzero()[:, 0]
        if len(known):
            index = index[known]
            targets = tuple(targets[row] for row in known.tolist())
            text = None if text is None else text[known.tolist()]
            masks = model.encode_masks(video.for_expressions(index * t, len(known)), shown[known])
        elif text is None:  # every object is hidden in its first frame: nothing is learned from this batch
            targets = tuple(replace(target, referents=()) for target in targets)
    output = model(video, text, index * t + t - 1, masks)
    truths = truths_of(targets, output.frame_sizes, frames=(last,), is_each=references == "none")
    teaching = MaskTeaching(
        # Of images with examples, which the stages before videos have, masks are taught at stride 4.
        is_fine=references == "masks" and model.config.has_region_losses,
        has_regions=model.config.has_region_losses,
        similarity=_similarity(model, batch.clip, index) if model.config.is_taught_by_boxes else None,
        pairwise_share=model.pairwise_share,
    )
    return weigh(losses(output, truths, teaching), model.config)


def _frame_by_frame(clip: Clip, first: int) -> Clip:
    """Make a clip of every frame from ``first`` on: nothing passes between them."""
    frames, padding_mask = (
        part[:, first:].flatten(0, 1)[:, None] for part in (clip.frames, clip.padding_mask)
    )
    return Clip(frames, padding_mask)


def _referents(batch: Batch, frame: int) -> Bool[Tensor, "e H W"]:
    """Return what each expression denotes in one frame."""
    return torch.stack([target.masks[list(target.referents), frame].any(dim=0) for target in batch.targets])


def _similarity(model: "UniRef", clip: Clip, index: Int[Tensor, "e"]) -> Float[Tensor, "e 8 h w"]:
    """Return how alike neighbouring cells of the last frames are."""
    inputs = model.config.inputs
    frames, padding_mask = clip.frames[:, -1].float(), clip.padding_mask[:, -1]
    mean, std = (255 * frames.new_tensor(value)[:, None, None] for value in (inputs.mean, inputs.std))
    is_valid = ~padding_mask[:, STRIDE // 2 :: STRIDE, STRIDE // 2 :: STRIDE]
    return colour_similarity((frames * std + mean).round().clamp(0, 255), is_valid, STRIDE)[index]
