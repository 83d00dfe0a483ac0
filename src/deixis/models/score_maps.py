"""Two score maps a frame, background and object: what RefVOS and HINet say of an expression.

Axes: b clips, e expressions, t frames, k chosen candidates, c channels, h w cells, H W pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional as F

from deixis.losses.pixels import IGNORED
from deixis.structures import Target, Trajectories, VideoFeatures


@dataclass(frozen=True)
class FrameFeatures(VideoFeatures):
    """The language-free side of a model that looks at single frames.

    Attributes:
        pixel_padding: ``bool [b, t, H, W]`` of the network's input, True on padding.
        gates: one ``float [b, t, c, h, w]`` in (0, 2) a map, by which the fused maps are multiplied; () where
            there are none.
    """

    pixel_padding: Bool[Tensor, "b t H W"]
    gates: tuple[Float[Tensor, "b t _c _h _w"], ...] = ()


@dataclass(frozen=True)
class ScoreMaps:
    """The scores of background and object.

    Attributes:
        scores: ``float [e, t, 2, h, w]``, over the padded input at the stride of the model.
        pixel_padding: ``bool [e or 1, t, H, W]`` of the network's input, True on padding.
    """

    scores: Float[Tensor, "e t 2 h w"]
    pixel_padding: Bool[Tensor, "_e t H W"]

    @property
    def mask_logits(self) -> Float[Tensor, "e t h w"]:
        """Object minus background: above 0 where the object has the larger score (argmax)."""
        return self.scores[:, :, 1] - self.scores[:, :, 0]

    def at_input_size(self) -> Float[Tensor, "n 2 H W"]:
        """Return the scores at the size of the input (bilinear), the frames of all expressions in turn."""
        size = (self.pixel_padding.shape[-2], self.pixel_padding.shape[-1])
        return F.interpolate(self.scores.flatten(0, 1), size=size, mode="bilinear", align_corners=False)


def labels_of(targets: Sequence[Target], output: ScoreMaps) -> Int[Tensor, "n H W"]:
    """Return the truth about each expression and frame: 1 on its referents, else 0, 255 on padding."""
    masks = [target.masks[list(target.referents)].any(dim=0) for target in targets]
    labels = torch.stack(masks).long()  # e t H W
    return labels.masked_fill(output.pixel_padding, IGNORED).flatten(0, 1)


def real_frames(output: ScoreMaps) -> Bool[Tensor, "n"]:
    """Return which frames are not padding altogether, as :meth:`ScoreMaps.at_input_size` lists them."""
    e, t = output.scores.shape[:2]
    return ~output.pixel_padding.flatten(2).all(dim=-1).expand(e, t).flatten()


def trajectories(output: ScoreMaps) -> Trajectories:
    """Return the one candidate of each expression, scored by its surest pixel in each frame.

    The published system has neither scores nor a notion of presence: a frame without any object pixel has an
    empty mask. The score and the presence of a frame (ours) are the largest probability of an object in it,
    above a half exactly where the mask is not empty; the mean over frames that are not padding is the
    trajectory's score.
    """
    logits = output.mask_logits.float()  # e t h w
    cells = F.interpolate(output.pixel_padding.float(), size=logits.shape[-2:], mode="nearest").bool()
    frame_scores = logits.sigmoid().masked_fill(cells, 0).flatten(2).amax(dim=-1)[..., None]  # e t 1
    real = (~output.pixel_padding.flatten(2).all(dim=-1)).float()[..., None]  # _e t 1

    def make_mask_logits(queries: Int[Tensor, "e k"]) -> Float[Tensor, "e t k h w"]:
        return output.mask_logits[:, :, None].expand(-1, -1, queries.shape[1], -1, -1)

    return Trajectories(
        scores=(frame_scores * real).sum(dim=1) / real.sum(dim=1).clamp(min=1),
        frame_scores=frame_scores,
        presence=frame_scores,
        make_mask_logits=make_mask_logits,
    )
