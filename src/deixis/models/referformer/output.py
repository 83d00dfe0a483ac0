"""What ReferFormer keeps of a clip, and what it says of the expressions.

Axes: b clips, e expressions, t frames, l decoder layers, q queries, k chosen queries, v pyramid levels, s
cells of all levels, n cells of one map, c channels, m numbers of a query's kernels, h w cells of a map.
"""

from dataclasses import dataclass, replace
from functools import cached_property, partial

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from deixis.layers.dynamic_conv import dynamic_masks, dynamic_masks_through, split_kernels
from deixis.models.referformer.criterion import LayerPrediction
from deixis.structures import VideoFeatures

STRIDE = 4
"""Input pixels a cell of the masks."""


@dataclass(frozen=True)
class ReferFormerVideoFeatures(VideoFeatures):
    """The language-free side of ReferFormer.

    ``maps`` are what the network uses of the backbone's: the finest, after its part of the pixel decoder that
    has no language in it (stride 4), and the projections (strides 8, 16, 32, 64), whose cells are the tokens.

    Attributes:
        positions: sine encodings of the cells of each map, ``float [b, t, n, c]``.
        references: ``float [b, t, s, v, 2]``, the centre of each token in every level.
        ratios: ``float [b, t, v, 2]``, the share of each level's width and height that is not padding.
        frame_sizes: ``float [b, 2]``, width and height without padding, in pixels of the input.
        tokens: ``float [b, t, c, h, w]``, what sentences are aligned with: the backbone's coarsest map,
            projected, with positions; None: without an alignment map.
    """

    positions: tuple[Float[Tensor, "b t _n c"], ...]
    references: Float[Tensor, "b t s v 2"]
    ratios: Float[Tensor, "b t v 2"]
    frame_sizes: Float[Tensor, "b 2"]
    tokens: Float[Tensor, "b t _d _h _w"] | None = None

    @property
    def placed_map(self) -> Float[Tensor, "b t _d _h _w"]:
        """The tokens that sentences are aligned with, where there are any."""
        return self.maps[-1] if self.tokens is None else self.tokens

    @property
    def sizes(self) -> list[tuple[int, int]]:
        """Height and width of each projected map."""
        return [(features.shape[-2], features.shape[-1]) for features in self.maps[1:]]

    @property
    def frame_padding(self) -> Bool[Tensor, "b t"]:
        """True for frames that are padding altogether."""
        return self.padding_masks[0].flatten(2).all(dim=-1)


@dataclass(frozen=True)
class ReferFormerOutput:
    """The predictions of every decoder layer, masks not yet made.

    Attributes:
        class_logits: ``float [l, e, t, q, classes]``.
        boxes: ``float [l, e, t, q, 4]``, cx, cy, w, h in [0, 1] of the frame without padding.
        kernels: ``float [l, e, t, q, m]``; with an alignment map one number more: its share in the mask.
        pyramid: ``float [e, t, c, h, w]``, the finest map of the pixel decoder, before its last convolution.
        mask_convolution: that convolution, 3x3.
        mask_channels: inner width of the kernels.
        frame_sizes: ``float [e, 2]``, width and height of the frames without padding, in pixels of the input.
        frame_padding: ``bool [e, t]``, True for frames that are padding.
        place_unit: pixels of one unit of the relative coordinates.
        alignment: ``float [e, t, h, w]`` at the stride of the masks, where there is such a map.
        tokens: what the sentences are aligned with, of each expression's clip or of all; read by the
            alignment loss alone, as the next.
        sentences: ``float [e, d]``, the mean of the projected words.
    """

    class_logits: Float[Tensor, "l e t q _classes"]
    boxes: Float[Tensor, "l e t q 4"]
    kernels: Float[Tensor, "l e t q m"]
    pyramid: Float[Tensor, "e t c h w"]
    mask_convolution: nn.Conv2d
    mask_channels: int
    frame_sizes: Float[Tensor, "e 2"]
    frame_padding: Bool[Tensor, "e t"]
    place_unit: float = 1.0
    alignment: Float[Tensor, "e t h w"] | None = None
    tokens: Float[Tensor, "_e t d _h _w"] | None = None
    sentences: Float[Tensor, "e d"] | None = None

    @cached_property
    def mask_features(self) -> Float[Tensor, "e t c h w"]:
        """The pyramid's finest map after the last convolution, made when first asked for."""
        return self.mask_convolution(self.pyramid.flatten(0, 1)).unflatten(0, self.pyramid.shape[:2])

    def mask_logits(
        self, layer: int = -1, queries: Int[Tensor, "e k"] | None = None
    ) -> Float[Tensor, "e t k h w"]:
        """Make the mask logits of one decoder ``layer`` by dynamic convolution (ReferFormer, section 3.3).

        Args:
            layer: index of the decoder layer.
            queries: the queries wanted for each expression; None: all.
        """
        kernels, boxes = self.kernels[layer], self.boxes[layer].detach()
        if queries is not None:
            rows = torch.arange(len(queries), device=queries.device)[:, None]
            kernels, boxes = kernels.transpose(1, 2)[rows, queries], boxes.transpose(1, 2)[rows, queries]
            kernels, boxes = kernels.transpose(1, 2), boxes.transpose(1, 2)  # e t k _
        batch = kernels.shape[:2]
        places = (boxes[..., :2] * self.frame_sizes[:, None, None]).flatten(0, 1)  # (e t) k 2
        channels = self.mask_convolution.out_channels
        numbers = kernels if self.alignment is None else kernels[..., :-1]
        split = split_kernels(numbers.flatten(0, 1), channels, self.mask_channels)
        split = replace(split, places=split.places / self.place_unit)
        convolution = self.mask_convolution
        assert convolution.bias is not None
        if torch.is_grad_enabled() or kernels.shape[2] * self.mask_channels * 2 > channels:
            masks = dynamic_masks(self.mask_features.flatten(0, 1), split, places, STRIDE)
        else:
            maps = self.pyramid.flatten(0, 1)
            masks = dynamic_masks_through(maps, convolution.weight, convolution.bias, split, places, STRIDE)
        masks = masks.unflatten(0, batch)
        if self.alignment is None:
            return masks
        return masks + kernels[..., -1, None, None] * self.alignment[:, :, None]

    def layer(self, index: int) -> LayerPrediction:
        """Return what the decoder layer ``index`` predicts, for the criterion."""
        return LayerPrediction(self.class_logits[index], self.boxes[index], partial(self.mask_logits, index))
