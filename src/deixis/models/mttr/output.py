"""What MTTR keeps of a clip, and what it says of the expressions.

Axes: b clips, e expressions, t frames, l decoder layers, q queries, k chosen queries, n tokens, c channels,
a heads, d channels a head, h w cells.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from deixis.structures import VideoFeatures


@dataclass(frozen=True)
class MttrVideoFeatures(VideoFeatures):
    """The language-free side of MTTR.

    ``maps`` are what the network uses of the backbone's: the lateral maps of the pixel decoder at strides 4
    and 8, and the projection at stride 16, whose cells are the video tokens.

    Attributes:
        positions: ``float [b, t, n, c]``, sine encodings of the video tokens.
        heads: queries, keys and values of the video tokens in the first encoder layer, ``float [b, t, a, n,
            d]``.
    """

    positions: Float[Tensor, "b t n c"]
    heads: tuple[Float[Tensor, "b t a n d"], Float[Tensor, "b t a n d"], Float[Tensor, "b t a n d"]]

    @property
    def placed_map(self) -> Float[Tensor, "b t c h w"]:
        """The video tokens with their positions, at stride 16."""
        coarse = self.maps[-1]
        return coarse + self.positions.unflatten(2, coarse.shape[-2:]).permute(0, 1, 4, 2, 3)

    @property
    def frame_padding(self) -> Bool[Tensor, "b t"]:
        """True for frames that are padding altogether."""
        return self.padding_masks[-1].flatten(2).all(dim=-1)


@dataclass(frozen=True)
class MttrOutput:
    """The predictions of every decoder layer, masks not yet made.

    Attributes:
        referring_logits: ``float [l, e, t, q, 2]``; index 0 is "this is the referent", 1 "it is not".
        kernels: ``float [l, e, t, q, c]``.
        mask_features: ``float [e, t, c, h, w]`` at stride 4; with an alignment map, that map is the last.
        frame_padding: ``bool [e, t]``, True for frames that are padding.
        video_tokens: ``float [e or 1, t, c, h, w]`` before fusion with their positions, of each expression's
            clip; read by the alignment loss alone, as the next.
        sentences: ``float [e, c]``, the mean of the projected words before fusion.
    """

    referring_logits: Float[Tensor, "l e t q 2"]
    kernels: Float[Tensor, "l e t q c"]
    mask_features: Float[Tensor, "e t c h w"]
    frame_padding: Bool[Tensor, "e t"]
    video_tokens: Float[Tensor, "_e t d _h _w"] | None = None
    sentences: Float[Tensor, "e d"] | None = None

    def mask_logits(
        self, layer: int = -1, queries: Int[Tensor, "e k"] | None = None
    ) -> Float[Tensor, "e t k h w"]:
        """Make the mask logits of one decoder ``layer``: inner products of kernels and mask features.

        Args:
            layer: index of the decoder layer.
            queries: the queries wanted for each expression; None: all.
        """
        kernels = self.kernels[layer]
        if queries is not None:
            index = queries[:, None, :, None].expand(-1, kernels.shape[1], -1, kernels.shape[-1])
            kernels = kernels.gather(2, index)  # e t k c
        return torch.einsum("etkc,etchw->etkhw", kernels, self.mask_features)
