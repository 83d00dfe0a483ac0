"""ReferFormer: language as queries for referring video object segmentation (Wu et al., CVPR 2022).

A few queries a frame, all of them made of the sentence, look for the referent with deformable attention in a
pyramid that was multiplied by the words; each gives a box and the weights of a small convolution, which makes
its mask from per-pixel features. "Query i in every frame" is a trajectory. Frames see one another in the
backbone, if it is one for video, and in the pixel decoder.

    frames ─► backbone ─┬─ strides 8-32 ─► projections ─► fusion ─► encoder ─┬─► decoder ─┬─► scores
                        │                                   ▲                │      ▲     ├─► boxes
    words ─► text encoder ──────────── words ───────────────┴───┐            │      │     └─► kernels ─┐
                        │                                       ▼            ▼      │                  ▼
                        │         └─── sentence ────────────────│────────────│──────┘                  │
                        └─ stride 4 ────────────────────► pixel decoder ◄────┘ ─► mask features ──► masks

Kept of the published code: batch padding enters the backbone and the group norms of the projections; relative
coordinates of the dynamic convolution are in pixels. Changed without effect on results: all that is free of
language is computed once per clip, also the projections and the first half of the finest block of the pixel
decoder; masks are made for chosen queries only, through the last convolution of the pixel decoder folded into
their kernels; few queries sample the memory before it is projected. Fixed: padding frames do not vote, clips
have any number of frames.

Axes: b clips, e expressions, t frames, s text tokens, n tokens of a frame in all levels, q queries, l decoder
layers, v levels, c channels, h w cells, H W pixels.
"""

import math
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any, cast

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from deixis import backbones
from deixis import text as text_encoders
from deixis.layers.deformable import (
    DeformableAttention,
    DeformableDecoderLayer,
    DeformableEncoderLayer,
    cell_centres,
    encode_frames,
    place_levels,
    valid_ratios,
)
from deixis.layers.dynamic_conv import num_parameters
from deixis.layers.linear import Linear
from deixis.layers.mlp import FeatureResizer, Mlp
from deixis.layers.position import project_and_place, sine_position_1d, sine_position_2d
from deixis.layers.pyramid import cells_of, level_projections
from deixis.losses.alignment import alignment_loss, alignment_map, over_levels
from deixis.models.base import ReferringModel
from deixis.models.referformer.alignment import centre_of
from deixis.models.referformer.config import ReferFormerConfig
from deixis.models.referformer.criterion import referents_of, weighted_losses
from deixis.models.referformer.fusion import Fusion
from deixis.models.referformer.output import ReferFormerOutput, ReferFormerVideoFeatures
from deixis.models.referformer.pixel_decoder import PixelDecoder
from deixis.models.referformer.postprocess import score
from deixis.ops.boxes import refine
from deixis.ops.padding import resize_padding_mask, unpadded_sizes
from deixis.structures import Clip, Target, TextFeatures, Tokens, Trajectories
from deixis.text.encoder import SentencePooler
from deixis.text.tokenizer import Tokenizer

PRIOR = 0.01
"""Probability that a query is the referent, before training."""


class ReferFormer(ReferringModel):
    """The network of :class:`ReferFormerConfig`."""

    config_class = ReferFormerConfig

    def __init__(self, config: ReferFormerConfig, tokenizer: Tokenizer | None = None) -> None:
        """Build with random weights; ``tokenizer`` may come later."""
        super().__init__()
        self.config = config
        self.tokenizer = tokenizer
        width, num_layers = config.width, config.num_decoder_layers
        backbone: Any = backbones.build(config.backbone)
        text_encoder: Any = text_encoders.build(config.text_encoder)
        num_levels = len(backbone.channels)
        layer = (
            width,
            config.num_heads,
            config.feedforward,
            config.transformer_dropout,
            num_levels,
            config.num_points,
        )
        self.backbone = backbone
        self.projections = level_projections(backbone.channels[1:], width)
        self.text_encoder = text_encoder
        self.text_pooler = SentencePooler(text_encoder.channels) if config.sentence == "pooler" else None
        self.text_projection = FeatureResizer(text_encoder.channels, width, config.dropout)
        if config.has_alignment_map:
            self.video_projection = nn.Conv2d(backbone.channels[-1], width, 1)
            self.alignment_direction = nn.Parameter(torch.randn(width) / width**0.5)
            self.alignment_vote = Linear(1, 1)
        self.fusion = Fusion(width, config.num_heads)
        self.level_embedding = nn.Parameter(torch.randn(num_levels, width))
        self.encoder = nn.ModuleList(DeformableEncoderLayer(*layer) for _ in range(config.num_encoder_layers))
        self.queries = nn.Embedding(config.num_queries, width)
        self.reference_points = Linear(width, 2)
        self.decoder = nn.ModuleList(DeformableDecoderLayer(*layer) for _ in range(num_layers))
        self.class_heads = nn.ModuleList(Linear(width, config.num_classes) for _ in range(num_layers))
        self.box_heads = nn.ModuleList(Mlp((width, width, width, 4)) for _ in range(num_layers))
        reductions = [max(config.attention_stride // stride, 1) for stride in backbone.strides]
        self.pixel_decoder = PixelDecoder(
            width, backbone.channels[0], reductions, config.num_heads, config.feedforward, config.dropout
        )
        num_numbers = num_parameters(width, config.mask_channels) + config.has_alignment_map
        self.controller = Mlp((width, width, width, num_numbers))
        self._initialise()
        if config.has_alignment_map:
            self._start_from_alignment()
        if config.is_text_encoder_frozen:
            for part in (self.text_encoder, self.text_pooler):
                if part is not None:
                    part.requires_grad_(False)

    def encode_video(self, clip: Clip) -> ReferFormerVideoFeatures:
        """Compute tokens, positions and the finest map of the annotated frames (all frames are seen)."""
        finest, *coarser = self.backbone(clip.frames, keep=clip.annotated_frames)
        kept = slice(None) if clip.annotated_frames is None else list(clip.annotated_frames)
        padding = clip.padding_mask[:, kept]
        batch = padding.shape[:2]
        tokens = None
        if self.config.has_alignment_map:
            hidden = resize_padding_mask(padding, coarser[-1].shape[-2:])
            tokens = project_and_place(coarser[-1], self.video_projection, hidden)
        coarser.append(coarser[-1])  # the last projection halves the coarsest map once more
        projected = tuple(
            projection(features.flatten(0, 1)).unflatten(0, batch)
            for projection, features in zip(self.projections, coarser, strict=True)
        )
        masks = tuple(resize_padding_mask(padding, maps.shape[-2:]) for maps in (finest, *projected))
        positions = tuple(
            sine_position_2d(mask.flatten(0, 1), self.config.width, offset=-0.5)
            .flatten(1, 2)
            .unflatten(0, batch)
            .to(finest.dtype)
            for mask in masks
        )
        ratios = valid_ratios([mask.flatten(0, 1) for mask in masks[1:]])  # (b t) v 2
        sizes = [(maps.shape[-2], maps.shape[-1]) for maps in projected]
        looked = self.pixel_decoder.look_at_finest(finest, positions[0], masks[0])  # b t n c
        looked = looked.unflatten(2, finest.shape[-2:]).permute(0, 1, 4, 2, 3)
        return ReferFormerVideoFeatures(
            maps=(looked, *projected),
            padding_masks=masks,
            positions=positions,
            references=cell_centres(sizes, ratios).unflatten(0, batch),
            ratios=ratios.unflatten(0, batch),
            frame_sizes=unpadded_sizes(clip.padding_mask),
            tokens=tokens,
        )

    def encode_text(self, tokens: Tokens) -> TextFeatures:
        """Encode the expressions: words and sentence through one projection to the transformer's width."""
        with torch.no_grad() if self.config.is_text_encoder_frozen else nullcontext():
            words = self.text_encoder(tokens)  # e s c
            sentence = TextFeatures(words, tokens.padding_mask).mean_of_words()
            if self.text_pooler is not None:
                sentence = self.text_pooler(words)
        return TextFeatures(self.text_projection(words), tokens.padding_mask, self.text_projection(sentence))

    def forward(
        self,
        video: ReferFormerVideoFeatures,
        text: TextFeatures,
        video_index: Int[Tensor, "e"] | None = None,
    ) -> ReferFormerOutput:
        """Fuse and decode: every decoder layer, every query (arguments: see the contract)."""
        e = len(text.words)
        video = video.for_expressions(video_index, e)
        word_positions = sine_position_1d(text.padding_mask, self.config.width).to(text.words.dtype)

        pixels = torch.cat([cells_of(maps) for maps in video.maps[1:]], dim=2)  # b t n c
        fused = self.fusion(pixels, text.words, word_positions, text.padding_mask)  # e t n c
        alignment, sentences = None, None
        if video.tokens is not None:
            sentences = text.mean_of_words()
            alignment = alignment_map(video.tokens, sentences, video.padding_masks[-2])  # e t h w
            fused = fused + over_levels(alignment, video.sizes)[..., None] * self.alignment_direction
        memory = self._encode(fused.to(pixels.dtype), video)

        decoded, boxes = self._decode(memory, video, text, alignment)
        levels = memory.split([h * w for h, w in video.sizes], dim=2)
        maps = [
            cells.unflatten(2, size).permute(0, 1, 4, 2, 3)
            for cells, size in zip(levels[:-1], video.sizes[:-1], strict=True)
        ]
        pyramid = self.pixel_decoder(
            cells_of(video.maps[0]),
            maps,
            video.positions,
            video.padding_masks,
            text.words,
            word_positions,
            text.padding_mask,
        )
        heads = zip(self.class_heads, decoded, strict=True)
        class_logits = torch.stack([head(queries) for head, queries in heads])
        if alignment is not None:
            highest = alignment.flatten(2).amax(dim=2)[..., None, None]  # e t 1 1
            class_logits = class_logits + self.alignment_vote(highest)
            alignment = F.interpolate(alignment, pyramid.shape[-2:], mode="bilinear").to(pyramid.dtype)
        return ReferFormerOutput(
            class_logits=class_logits,
            boxes=boxes,
            kernels=self.controller(decoded),
            pyramid=pyramid,
            mask_convolution=self.pixel_decoder.mask_features,
            mask_channels=self.config.mask_channels,
            frame_sizes=video.frame_sizes.expand(e, -1),
            frame_padding=video.frame_padding.expand(e, -1),
            place_unit=self.config.place_unit,
            alignment=alignment,
            tokens=video.tokens,
            sentences=sentences,
        )

    def criterion(
        self, output: ReferFormerOutput, targets: Sequence[Target], num_masks: float | None = None
    ) -> dict[str, Tensor]:
        """Return the weighted losses of every trained decoder layer; ``num_masks`` counts frames here."""
        lengths = (~output.frame_padding).sum(dim=1).tolist()
        size = (output.pyramid.shape[-2], output.pyramid.shape[-1])
        referents = referents_of(targets, output.frame_sizes, lengths, size, self.config)
        layers = [output.layer(index) for index in range(len(output.boxes))]
        named = weighted_losses(layers, referents, self.config, num_masks)
        if self.config.alignment_weight:
            assert output.tokens is not None and output.sentences is not None
            loss = alignment_loss(output.tokens, output.sentences, targets)
            named["loss_alignment"] = self.config.alignment_weight * loss
        return named

    def count_masks(self, targets: Sequence[Target]) -> float:
        """Count the frames in which a referent is seen."""
        return float(
            sum(
                int(target.masks[list(target.referents)].any(dim=0).flatten(1).any(dim=-1).sum())
                for target in targets
            )
        )

    def postprocess(self, output: ReferFormerOutput) -> Trajectories:
        """Score every query by its mean probability over the frames (ReferFormer, section 3.5)."""
        return score(output)

    def _encode(
        self, fused: Float[Tensor, "e t n c"], video: ReferFormerVideoFeatures
    ) -> Float[Tensor, "e t n c"]:
        """Run the encoder over the tokens of each frame, all levels together."""
        placed = place_levels(video.positions[1:], self.level_embedding)
        return encode_frames(list(self.encoder), fused, placed, video.references, video.sizes, _hidden(video))

    def _decode(
        self,
        memory: Float[Tensor, "e t n c"],
        video: ReferFormerVideoFeatures,
        text: TextFeatures,
        alignment: Float[Tensor, "e t h w"] | None,
    ) -> tuple[Float[Tensor, "l e t q c"], Float[Tensor, "l e t q 4"]]:
        """Run the decoder; each layer's boxes, without their gradients, are where the next one looks."""
        e, t = memory.shape[:2]
        assert text.sentence is not None
        ratios = _per_frame(video.ratios, e)[:, None]  # (e t) 1 v 2
        hidden = _per_frame(_hidden(video), e)
        cells = memory.flatten(0, 1)
        queries = text.sentence[:, None, None].expand(-1, t, self.config.num_queries, -1).flatten(0, 1)
        places = self.reference_points(self.queries.weight)  # q 2
        if alignment is not None:
            places = places + centre_of(alignment.detach(), video).flatten(0, 1)[:, None].logit(eps=1e-3)
        reference = places.sigmoid().expand(e * t, -1, -1)
        decoded, boxes = [], []
        for layer, head in zip(self.decoder, self.box_heads, strict=True):
            scale = ratios if reference.shape[-1] == 2 else ratios.repeat(1, 1, 1, 2)
            references = reference[:, :, None] * scale  # (e t) q v _
            queries = layer(queries, self.queries.weight, references, cells, video.sizes, hidden)
            box = refine(head(queries), reference)
            reference = box.detach()
            decoded.append(queries)
            boxes.append(box)
        return torch.stack(decoded).unflatten(1, (e, t)), torch.stack(boxes).unflatten(1, (e, t))

    def _initialise(self) -> None:
        """Draw weights as the published code does (ReferFormer, supplement B; code)."""
        for part in (self.encoder, self.decoder, self.reference_points, self.controller):
            for parameter in part.parameters():
                if parameter.dim() > 1:
                    nn.init.xavier_uniform_(parameter)
        for module in self.modules():
            if isinstance(module, DeformableAttention):
                module.reset()
        for linear in (self.reference_points, *self.controller.layers):
            nn.init.zeros_(cast(Linear, linear).bias)
        for head in self.class_heads:
            nn.init.constant_(cast(Linear, head).bias, -math.log((1 - PRIOR) / PRIOR))
        for index, head in enumerate(self.box_heads):
            last = cast(Linear, cast(Mlp, head).layers[-1])
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)
            if index == 0:
                nn.init.constant_(last.bias[2:], -2.0)

    def _start_from_alignment(self) -> None:
        """Let masks, up to a number each, and classes begin with what the map says."""
        last = cast(Linear, self.controller.layers[-1])
        width, inner = self.config.width, self.config.mask_channels
        out = inner * (width + 2) + inner * inner  # where the weights of the last small layer begin
        with torch.no_grad():
            last.weight[out : out + inner] = 0
            last.weight[-1] = 0
            last.bias[-1] = 1
            for head in self.class_heads:
                nn.init.zeros_(cast(Linear, head).bias)
            nn.init.ones_(self.alignment_vote.weight)
            nn.init.zeros_(self.alignment_vote.bias)


MODEL = ReferFormer


def _hidden(video: ReferFormerVideoFeatures) -> Bool[Tensor, "b t n"]:
    """Return which tokens are padding."""
    return torch.cat([mask.flatten(2) for mask in video.padding_masks[1:]], dim=-1)


def _per_frame(values: Tensor, num_expressions: int) -> Tensor:
    """Give each expression its clip's values: ``[e or 1, t, ...]`` to ``[(e t), ...]``."""
    return values.expand(num_expressions, *values.shape[1:]).flatten(0, 1)
