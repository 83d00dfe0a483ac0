"""What passes between the two sides of UniRef, and what comes out.

Axes: b clips, e expressions or objects, t frames, l decoder layers, v levels, q queries, k chosen queries,
s tokens of a frame in all levels, n cells of a level, c channels, d channels of the mask features, h w cells
of stride 4, H W pixels.
"""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from deixis.layers.dynamic_conv import dynamic_masks, split_kernels
from deixis.layers.mlp import Mlp
from deixis.models.uniref.proposals import Proposals
from deixis.structures import Trajectories, VideoFeatures

STRIDE = 4
"""Input pixels a cell of the masks."""


@dataclass(frozen=True)
class UniRefVideoFeatures(VideoFeatures):
    """The side of UniRef that no reference has touched.

    ``maps`` are the finest map of the backbone as the mask head takes it (stride 4) and the projections
    (strides 8, 16, 32, 64), whose cells are the tokens.

    Attributes:
        positions: sine encodings of the cells of each projected map, ``float [b, t, n, c]``.
        references: ``float [b, t, s, v, 2]``, the centre of each token in every level.
        ratios: ``float [b, t, v, 2]``, the share of each level's width and height that is not padding.
        frame_sizes: ``float [b, 2]``, width and height without padding, in pixels of the input.
        frames: ``float [b, t, 3, H, W]``, for the mask encoder.
        tokens: ``float [b, t, c, h, w]``, what sentences are aligned with; None: without an alignment map.
    """

    positions: tuple[Float[Tensor, "b t _n c"], ...]
    references: Float[Tensor, "b t s v 2"]
    ratios: Float[Tensor, "b t v 2"]
    frame_sizes: Float[Tensor, "b 2"]
    frames: Float[Tensor, "b t 3 H W"]
    tokens: Float[Tensor, "b t c h w"] | None = None

    @property
    def sizes(self) -> list[tuple[int, int]]:
        """Height and width of each projected map."""
        return [(features.shape[-2], features.shape[-1]) for features in self.maps[1:]]

    @property
    def hidden(self) -> Bool[Tensor, "b t s"]:
        """Which tokens are padding."""
        return torch.cat([mask.flatten(2) for mask in self.padding_masks[1:]], dim=-1)

    @property
    def frame_padding(self) -> Bool[Tensor, "b t"]:
        """True for frames that are padding altogether."""
        return self.padding_masks[0].flatten(2).all(dim=-1)


@dataclass(frozen=True)
class UniRefOutput:
    """The predictions of every decoder layer, masks not yet made.

    Attributes:
        class_logits: ``float [l, e, t, q, classes]``.
        boxes: ``float [l, e, t, q, 4]``, cx, cy, w, h in [0, 1] of the frame without padding.
        looked_at: ``float [l, e, t, q, 4]``, the boxes that entered each layer: masks are told places
            relative to these.
        queries: ``float [l, e, t, q, c]``.
        controller: makes the weights of the dynamic convolutions from queries.
        mask_features: ``float [e, t, d, h, w]``.
        mask_channels: inner width of the dynamic convolutions.
        frame_sizes: ``float [e, 2]``, width and height without padding, in pixels of the input.
        frame_padding: ``bool [e, t]``, True for frames that are padding.
        proposals: of the first stage, for ``(e t)`` maps.
        memory: ``float [e, t, s, c]``, the tokens after the encoder.
        place_unit: pixels of one unit of the relative coordinates.
    """

    class_logits: Float[Tensor, "l e t q _classes"]
    boxes: Float[Tensor, "l e t q 4"]
    looked_at: Float[Tensor, "l e t q 4"]
    queries: Float[Tensor, "l e t q c"]
    controller: Mlp
    mask_features: Float[Tensor, "e t d h w"]
    mask_channels: int
    frame_sizes: Float[Tensor, "e 2"]
    frame_padding: Bool[Tensor, "e t"]
    proposals: Proposals
    memory: Float[Tensor, "e t s c"]
    place_unit: float = 1.0

    @property
    def scores(self) -> Float[Tensor, "e t q"]:
        """How much each query of the last layer is what is referred to, in [0, 1]."""
        return self.class_logits[-1, ..., 0].float().sigmoid()

    def mask_logits(
        self, queries: Int[Tensor, "e t k"] | None = None, layer: int = -1
    ) -> Float[Tensor, "e t k h w"]:
        """Make the mask logits of ``queries`` (None: all) of one decoder ``layer`` by dynamic convolution."""
        decoded, boxes = self.queries[layer], self.looked_at[layer].detach()
        if queries is not None:
            decoded, boxes = (
                part.gather(2, queries[..., None].expand(-1, -1, -1, part.shape[-1]))
                for part in (decoded, boxes)
            )
        channels = self.mask_features.shape[2]
        numbers = self.controller(decoded).flatten(0, 1)  # (e t) k m
        kernels = split_kernels(numbers, channels, self.mask_channels, is_place_first=True)
        kernels = replace(kernels, places=kernels.places / self.place_unit)
        places = (boxes[..., :2] * self.frame_sizes[:, None, None]).flatten(0, 1)
        masks = dynamic_masks(self.mask_features.flatten(0, 1), kernels, places, STRIDE)
        return masks.unflatten(0, decoded.shape[:2])

    def trajectories(self) -> Trajectories:
        """Return the queries of each frame by their scores: the first trajectory is the best of every frame.

        Frames are looked at one by one and nothing links their queries. The score is the mean over frames.
        """
        ranked = self.scores.sort(dim=2, descending=True, stable=True)  # e t q
        real = (~self.frame_padding).float()[..., None]
        boxes = self.boxes[-1].gather(2, ranked.indices[..., None].expand(-1, -1, -1, 4))

        def make_mask_logits(ranks: Int[Tensor, "e k"]) -> Float[Tensor, "e t k h w"]:
            chosen = ranks[:, None].expand(-1, ranked.indices.shape[1], -1)
            return self.mask_logits(ranked.indices.gather(2, chosen))

        return Trajectories(
            scores=(ranked.values * real).sum(dim=1) / real.sum(dim=1).clamp(min=1),
            frame_scores=ranked.values,
            presence=ranked.values,
            make_mask_logits=make_mask_logits,
            boxes=boxes,
        )
