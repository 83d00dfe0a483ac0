"""UniRef and UniRef++: segment every reference object in spatial and temporal spaces (Wu et al., ICCV 2023).

One network finds what a sentence says, what masks of other frames show, or both: the references are fused
into the pixels before a two-stage deformable transformer, and the best of its queries is the answer. Videos
are seen frame by frame, with the first and the previous frame as references.

    frame ─► backbone ─┬─ strides 8-32 ─► projections ─┬─► UniFusion ─► encoder ─┬─► proposals ─► decoder
                       │                               │       ▲                 ▼                   │
                       └─ stride 4 ────────────────────│───────│──────────► mask head            ┌───┴───┐
    words ─► text encoder ─────────────────────────────│───────┤                 │             kernels  scores
                                                       ▼       │                 ▼               ▼      boxes
    masks of another frame ─────────────────► mask encoder ────┘           mask features ────► masks

Kept of the published code: batch padding enters the backbone, the group norms and the gates of the mask
encoder; relative coordinates of the dynamic convolutions are in pixels; padding tokens may be proposals.
Changed without effect on results: a frame goes through the backbone once for all expressions and objects and
for its own reference, the frame's half of the mask encoder once for all its masks, attention weights once for
objects with the same reference frames, masks for chosen queries alone. Fixed: frames of fewer tokens than
queries.

Axes: b clips, e expressions or objects, t frames, n cells of a level, s cells of all levels, v levels,
q queries, l decoder layers, c channels, H W pixels.
"""

import math
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any, cast

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

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
from deixis.layers.position import project_and_place, sine_position_2d
from deixis.layers.pyramid import cells_of, level_projections
from deixis.losses.alignment import alignment_map, over_levels
from deixis.models.base import FrameMasks, ReferringModel
from deixis.models.frame_model import shorten
from deixis.models.inputs import InputSpec
from deixis.models.uniref.config import UniRefConfig
from deixis.models.uniref.criterion import MaskTeaching, losses, truths_of, weigh
from deixis.models.uniref.few_shot import find_alike, learn_examples
from deixis.models.uniref.fusion import UniFusion
from deixis.models.uniref.mask_encoder import MaskEncoder
from deixis.models.uniref.mask_head import MaskHead
from deixis.models.uniref.online import State, first_state, take_step, with_masks
from deixis.models.uniref.output import UniRefOutput, UniRefVideoFeatures
from deixis.models.uniref.proposals import Proposals, ProposalStage
from deixis.models.uniref.reference import MaskReference
from deixis.models.uniref.training import batch_losses
from deixis.ops.boxes import refine
from deixis.ops.padding import resize_padding_mask, unpadded_sizes
from deixis.ops.words import without_punctuation
from deixis.structures import Batch, Clip, Target, TextFeatures, Tokens, Trajectories
from deixis.text.tokenizer import Tokenizer

PRIOR = 0.01
"""Probability that a query is the answer, before training."""


class UniRef(ReferringModel):
    """The network of :class:`UniRefConfig`."""

    config_class = UniRefConfig

    def __init__(self, config: UniRefConfig, tokenizer: Tokenizer | None = None) -> None:
        """Build with random weights; ``tokenizer`` may come later."""
        super().__init__()
        self.config = config
        self.tokenizer = tokenizer
        width, num_layers = config.width, config.num_decoder_layers
        backbone: Any = backbones.build(config.backbone)
        text_encoder: Any = text_encoders.build(config.text_encoder)
        num_levels = len(backbone.channels)
        heads, dropout = config.num_heads, config.transformer_dropout
        layer = (width, heads, config.feedforward, dropout, num_levels, config.num_points)
        self.backbone = backbone
        self.projections = level_projections(backbone.channels[1:], width)
        self.text_encoder = text_encoder
        self.text_projection = FeatureResizer(text_encoder.channels, width, config.fusion_dropout)
        if config.has_alignment_map:
            self.video_projection = nn.Conv2d(backbone.channels[-1], width, 1)
            self.alignment_direction = nn.Parameter(torch.randn(width) / width**0.5)
        self.mask_encoder = MaskEncoder(width, config.mask_widths)
        self.fusion = UniFusion(
            width, heads, config.head_width, config.fusion_dropout, config.fusion, config.order
        )
        self.level_embedding = nn.Parameter(torch.randn(num_levels, width))
        self.encoder = nn.ModuleList(DeformableEncoderLayer(*layer) for _ in range(config.num_encoder_layers))
        self.proposals = ProposalStage(width, config.num_classes)
        self.queries = nn.Embedding(config.num_queries, width)
        self.decoder = nn.ModuleList(DeformableDecoderLayer(*layer) for _ in range(num_layers))
        self.class_heads = nn.ModuleList(Linear(width, config.num_classes) for _ in range(num_layers))
        self.box_heads = nn.ModuleList(Mlp((width, width, width, 4)) for _ in range(num_layers))
        self.mask_head = MaskHead(width, backbone.channels[0], config.mask_channels, num_levels - 1)
        num_numbers = num_parameters(config.mask_channels, config.mask_channels)
        self.controller = Mlp((width, width, width, num_numbers))
        self.pairwise_share = 1.0
        self._initialise()
        if config.has_alignment_map:
            self.fusion.look_for_alike()
        if config.is_text_encoder_frozen:
            self.text_encoder.requires_grad_(False)

    def encode_video(self, clip: Clip) -> UniRefVideoFeatures:
        """Compute the tokens, their places and the finest map of the annotated frames, each by itself."""
        finest, *coarser = self.backbone(clip.frames, keep=clip.annotated_frames)
        kept = slice(None) if clip.annotated_frames is None else list(clip.annotated_frames)
        padding = clip.padding_mask[:, kept]
        batch = padding.shape[:2]
        tokens = None
        if self.config.has_alignment_map:
            hidden = resize_padding_mask(padding, coarser[-1].shape[-2:])
            tokens = project_and_place(coarser[-1], self.video_projection, hidden)
        coarser.append(coarser[-1])  # the last projection halves the coarsest map once more
        finest = self.mask_head.lateral(finest.flatten(0, 1)).unflatten(0, batch)
        projected = tuple(
            projection(features.flatten(0, 1)).unflatten(0, batch)
            for projection, features in zip(self.projections, coarser, strict=True)
        )
        masks = [resize_padding_mask(padding, maps.shape[-2:]) for maps in (finest, *projected[:-1])]
        masks.append(resize_padding_mask(masks[1], projected[-1].shape[-2:]))  # as published
        positions = tuple(
            sine_position_2d(mask.flatten(0, 1), self.config.width, offset=-0.5)
            .flatten(1, 2)
            .unflatten(0, batch)
            .to(finest.dtype)
            for mask in masks[1:]
        )
        ratios = valid_ratios([mask.flatten(0, 1) for mask in masks[1:]])  # (b t) v 2
        sizes = [(maps.shape[-2], maps.shape[-1]) for maps in projected]
        return UniRefVideoFeatures(
            maps=(finest, *projected),
            padding_masks=tuple(masks),
            positions=positions,
            references=cell_centres(sizes, ratios).unflatten(0, batch),
            ratios=ratios.unflatten(0, batch),
            frame_sizes=unpadded_sizes(padding),
            frames=clip.frames[:, kept],
            tokens=tokens,
        )

    @staticmethod
    def prepare_expression(expression: str) -> str:
        """Leave out punctuation, as in the published training."""
        return without_punctuation(expression)

    def encode_text(self, tokens: Tokens) -> TextFeatures:
        """Encode the expressions: words, and their mean as the embedding of the reference."""
        tokens = shorten(tokens, self.config.max_tokens, "keep-end")
        with torch.no_grad() if self.config.is_text_encoder_frozen else nullcontext():
            words = self.text_encoder(tokens)  # e s c
        text = TextFeatures(self.text_projection(words), tokens.padding_mask)
        return TextFeatures(text.words, text.padding_mask, text.mean_of_words())

    def encode_masks(self, frames: UniRefVideoFeatures, masks: Bool[Tensor, "e H W"]) -> MaskReference:
        """Make references of frames in which masks are known (UniRef, section 3.2).

        Args:
            frames: one for all masks, or one a mask.
            masks: at the size of the network's padded input.
        """
        maps = [level.flatten(0, 1) for level in frames.maps[1:]]  # b c _h _w
        values = self.mask_encoder(frames.frames.flatten(0, 1), masks, maps)
        features = tuple(cells_of(level[:, None])[:, 0] for level in maps)  # b n c
        hidden = tuple(mask.flatten(0, 1).flatten(1) for mask in frames.padding_masks[1:])  # b n
        embeddings = tuple(
            TextFeatures(level, padding).mean_of_words()
            for level, padding in zip(features, hidden, strict=True)
        )
        keys = tuple(self.fusion.normalise(level) for level in features)
        return MaskReference(
            keys, hidden, embeddings, tuple(cells_of(value[:, None])[:, 0] for value in values)
        )

    def forward(
        self,
        video: UniRefVideoFeatures,
        text: TextFeatures | None,
        video_index: Int[Tensor, "e"] | None = None,
        masks: MaskReference | None = None,
    ) -> UniRefOutput:
        """Fuse and decode every frame by itself.

        Args:
            video: what :meth:`encode_video` gave for ``b`` clips.
            text: features of ``e`` expressions; None: masks are the only reference.
            video_index: the clip of each expression or object. None: one clip serves all, or they are pairs.
            masks: of ``e`` objects; None: words are the only reference.
        """
        references = [len(text.words)] if text is not None else []
        references += [] if masks is None else [masks.num_objects]
        if len(set(references)) > 1:
            raise ValueError(f"{references[0]} expressions and masks of {references[1]} objects are no pairs")
        e = references[0] if references else len(video.frames if video_index is None else video_index)
        video = video.for_expressions(video_index, e)
        t = video.frames.shape[1]

        levels = [cells_of(maps).flatten(1, 2) for maps in video.maps[1:]]  # b (t n) c
        fused = [level.unflatten(1, (t, -1)) for level in self.fusion(levels, text, masks)]
        placed = place_levels(video.positions, self.level_embedding)
        cells = torch.cat(fused, dim=2).to(placed.dtype)  # e t s c
        if text is not None and video.tokens is not None:
            assert text.sentence is not None
            alignment = alignment_map(video.tokens, text.sentence, video.padding_masks[-2])  # e t h w
            cells = cells + over_levels(alignment, video.sizes)[..., None] * self.alignment_direction
        memory = encode_frames(list(self.encoder), cells, placed, video.references, video.sizes, video.hidden)

        proposals, decoded, places, boxes = self._decode(memory, video)
        split = memory.split([h * w for h, w in video.sizes], dim=2)
        maps = [
            level.flatten(0, 1).transpose(1, 2).unflatten(2, size)
            for level, size in zip(split[:-1], video.sizes[:-1], strict=True)
        ]
        features = self.mask_head(maps, _per_frame(video.maps[0], e))
        heads = zip(self.class_heads, decoded, strict=True)
        return UniRefOutput(
            class_logits=torch.stack([head(layer) for head, layer in heads]).unflatten(1, (e, t)),
            boxes=torch.stack(boxes).unflatten(1, (e, t)),
            looked_at=torch.stack(places).unflatten(1, (e, t)),
            queries=torch.stack(decoded).unflatten(1, (e, t)),
            controller=self.controller,
            mask_features=features.unflatten(0, (e, t)),
            mask_channels=self.config.mask_channels,
            frame_sizes=video.frame_sizes.expand(e, -1),
            frame_padding=video.frame_padding.expand(e, -1),
            proposals=proposals,
            memory=memory,
            place_unit=self.config.place_unit,
        )

    def _decode(
        self, memory: Float[Tensor, "e t s c"], video: UniRefVideoFeatures
    ) -> tuple[Proposals, list[Tensor], list[Tensor], list[Tensor]]:
        """Return the proposals and, of each layer, queries, the boxes that entered it and those it gave."""
        e, t = memory.shape[:2]
        tokens = memory.flatten(0, 1)
        hidden, ratios = (_per_frame(values, e) for values in (video.hidden, video.ratios))
        proposals = self.proposals(tokens, video.sizes, ratios, hidden, self.config.num_queries)
        queries = self.queries.weight[: proposals.boxes.shape[1]].expand(e * t, -1, -1)
        decoded, places, boxes = [], [proposals.boxes], []
        for layer, head in zip(self.decoder, self.box_heads, strict=True):
            around = places[-1][:, :, None] * ratios[:, None].repeat(1, 1, 1, 2)  # (e t) q v 4
            queries = layer(queries, proposals.positions, around, tokens, video.sizes, hidden)
            boxes.append(refine(head(queries), places[-1]))
            places.append(boxes[-1].detach())
            decoded.append(queries)
        return proposals, decoded, places[:-1], boxes

    def criterion(
        self, output: UniRefOutput, targets: Sequence[Target], num_masks: float | None = None
    ) -> dict[str, Tensor]:
        """Return the weighted losses of every frame that is not padding, masks at stride 4.

        They are divided by the matched pairs of this batch, as published, whatever ``num_masks`` says.
        """
        truths = truths_of(targets, output.frame_sizes)
        teaching = MaskTeaching(has_regions=self.config.has_region_losses)
        return weigh(losses(output, truths, teaching), self.config)

    def batch_losses(self, batch: Batch, num_masks: float | None = None) -> dict[str, Tensor]:
        """Return the weighted losses of the last frame of each clip; the first may be its reference."""
        return batch_losses(self, batch)

    def set_progress(self, progress: float) -> None:
        """Let a loss from boxes grow in the beginning."""
        warmup = self.config.pairwise_warmup
        self.pairwise_share = min(progress / warmup, 1.0) if warmup else 1.0

    def postprocess(self, output: UniRefOutput) -> Trajectories:
        """Return the queries of each frame, best first; the answer is the first."""
        return output.trajectories()

    def start(
        self,
        text: TextFeatures | None,
        reference_masks: Bool[Tensor, "n H W"] | None = None,
        size: tuple[int, int] | None = None,
    ) -> State:
        """Return the state before the first frame.

        Args:
            text: features of ``e`` expressions: each is followed by itself. None: objects are followed by
                their masks alone and compete for pixels.
            reference_masks: of the first frame, one an expression or one an object (ids 1, 2, ...); objects
                may also come later (:meth:`give_masks`).
            size: height and width at which masks are decided and remembered, the video's own. None: that of
                ``reference_masks``, else that of the network's input without padding.

        Raises:
            ValueError: there is nothing to look for, or not one mask for each expression.
        """
        return first_state(text, reference_masks, size)

    def give_masks(self, state: State, masks: Mapping[int, Bool[Tensor, "H W"]]) -> State:
        """Return the state with ``masks`` known in the next frame: objects join, or are corrected.

        Args:
            state: before that frame.
            masks: object -> mask, at the video's size or at that of the network's input without padding.

        Raises:
            ValueError: an id that is no positive number, or none of the expressions.
        """
        return with_masks(state, masks)

    def step(self, frame: UniRefVideoFeatures, state: State) -> tuple[FrameMasks, State]:
        """Segment one frame for all expressions or objects, in the order of ``state["objects"]``.

        Masks of too low a score are empty. Those of competing objects are logarithms of how many times as
        likely an object is as the likeliest other thing: above 0 where it wins.

        Raises:
            ValueError: several frames, another frame size than before, or given masks of a wrong size.
        """
        answer, state = take_step(self, frame, state)
        return FrameMasks(answer.mask_logits, answer.scores, presence=answer.scores), state

    @property
    def example_inputs(self) -> InputSpec:
        """What examples, and the images in which the like is looked for, are resized to."""
        return self.config.example_inputs

    def learn_examples(self, examples: Clip, masks: Bool[Tensor, "k H W"]) -> MaskReference:
        """Make one reference of ``k`` images in which a thing is masked (see ``few_shot``)."""
        return learn_examples(self, examples, masks)

    def find_alike(self, frame: UniRefVideoFeatures, examples: MaskReference) -> FrameMasks:
        """Return the mask of what is most like the examples in a frame, whatever its score."""
        return find_alike(self, frame, examples)

    def _initialise(self) -> None:
        """Draw weights as the published code does (Deformable DETR)."""
        for part in (self.encoder, self.decoder, self.proposals, self.controller):
            for parameter in part.parameters():
                if parameter.dim() > 1:
                    nn.init.xavier_uniform_(parameter)
        for module in self.modules():
            if isinstance(module, DeformableAttention):
                module.reset()
        for head in (*self.class_heads, self.proposals.class_head):
            nn.init.constant_(cast(Linear, head).bias, -math.log((1 - PRIOR) / PRIOR))
        for head in (*self.box_heads, self.proposals.box_head):
            last = cast(Linear, cast(Mlp, head).layers[-1])
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)


MODEL = UniRef


def _per_frame(values: Tensor, num_expressions: int) -> Tensor:
    """Give each expression its clip's values: ``[e or 1, t, ...]`` to ``[(e t), ...]``."""
    return values.expand(num_expressions, *values.shape[1:]).flatten(0, 1)
