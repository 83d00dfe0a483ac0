"""MTTR: end-to-end referring segmentation with multimodal transformers (Botach et al., CVPR 2022).

Every frame is read together with the words by one transformer; a set of learned queries, the same in every
frame, decodes candidates; "query i in every frame" is a trajectory. Frames exchange information in the video
backbone only. A query's score says whether it is the referent, its kernel makes its mask from per-pixel
features.

    frames ─► backbone ─┬─ stride 16 ─► projection ─► video tokens ─┐
                        │                                           ├─► encoder ─► decoder ─┬─► scores
    words ─► text encoder ─► projection ─► text tokens ─────────────┘      │                └─► kernels ─┐
                        │                                                  ▼                             ▼
                        └─ strides 8, 4 ─► lateral maps ────► pixel decoder ─► mask features ─────────► masks

Kept of the published code: batch padding enters the backbone, which never sees the padding mask; text tokens
have no position; the output norm of the decoder is shared by its layers. Changed without effect on results:
all that is free of language is computed once per clip, also the first projections of the video tokens and the
lateral maps; queries that are equal in all sequences attend to one another once; masks are made for chosen
queries only. Fixed: padding frames do not vote for the referent (``voting_frames="all"`` is the published
behaviour).

Axes: b clips, e expressions, t frames, s text tokens, n video tokens, q queries, l decoder layers, c
channels, a heads, d channels a head, h w cells, H W pixels.
"""

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any, cast

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from deixis import backbones
from deixis import text as text_encoders
from deixis.layers.mlp import FeatureResizer, Mlp
from deixis.layers.position import sine_position_2d
from deixis.layers.transformer import DecoderLayer, EncoderLayer
from deixis.losses.alignment import alignment_map
from deixis.models.base import ReferringModel
from deixis.models.mttr.config import MttrConfig
from deixis.models.mttr.criterion import count_masks, objects_of, weighted_losses
from deixis.models.mttr.output import MttrOutput, MttrVideoFeatures
from deixis.models.mttr.pixel_decoder import PixelDecoder
from deixis.models.mttr.postprocess import vote
from deixis.ops.padding import resize_padding_mask
from deixis.structures import Clip, Target, TextFeatures, Tokens, Trajectories
from deixis.text.tokenizer import Tokenizer


class Mttr(ReferringModel):
    """The network of :class:`MttrConfig`."""

    config_class = MttrConfig

    def __init__(self, config: MttrConfig, tokenizer: Tokenizer | None = None) -> None:
        """Build with random weights; ``tokenizer`` may come later."""
        super().__init__()
        self.config = config
        self.tokenizer = tokenizer
        width = config.width
        layer = (width, config.num_heads, config.feedforward, config.dropout)
        backbone: Any = backbones.build(config.backbone)
        text_encoder: Any = text_encoders.build(config.text_encoder)
        self.backbone = backbone
        self.video_projection = nn.Conv2d(backbone.channels[-1], width, 1)
        self.text_encoder = text_encoder
        self.text_projection = FeatureResizer(text_encoder.channels, width, config.dropout)
        if config.has_alignment_map:
            self.alignment_direction = nn.Parameter(torch.randn(width) / width**0.5)
            self.alignment_vote = nn.Linear(1, 2)
        self.encoder = nn.ModuleList(EncoderLayer(*layer) for _ in range(config.num_encoder_layers))
        self.queries = nn.Embedding(config.num_queries, width)
        self.decoder = nn.ModuleList(DecoderLayer(*layer) for _ in range(config.num_decoder_layers))
        self.decoder_norm = nn.LayerNorm(width)
        self.pixel_decoder = PixelDecoder(width, backbone.channels[:-1], config.mask_channels)
        self.referring_head = nn.Linear(width, 2)
        self.controller = Mlp((width, width, config.mask_channels + config.has_alignment_map))
        for parameter in (*self.encoder.parameters(), *self.decoder.parameters()):
            if parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)
        if config.has_alignment_map:
            self._start_from_alignment()
        if config.is_text_encoder_frozen:
            self.text_encoder.requires_grad_(False)

    def encode_video(self, clip: Clip) -> MttrVideoFeatures:
        """Compute tokens, positions and lateral maps of the clip's annotated frames (all frames are seen)."""
        *laterals, coarse = self.backbone(clip.frames, keep=clip.annotated_frames)
        kept = slice(None) if clip.annotated_frames is None else list(clip.annotated_frames)
        padding = clip.padding_mask[:, kept]
        b, t = coarse.shape[:2]
        projected = self.video_projection(coarse.flatten(0, 1)).unflatten(0, (b, t))  # b t c h w
        masks = tuple(resize_padding_mask(padding, features.shape[-2:]) for features in (*laterals, coarse))
        positions = sine_position_2d(masks[-1].flatten(0, 1), self.config.width)  # (b t) h w c
        positions = positions.flatten(1, 2).unflatten(0, (b, t)).to(projected.dtype)  # b t n c
        heads = self._first_layer.project(projected.flatten(3).transpose(2, 3), positions)
        maps = (*self.pixel_decoder.adapt(laterals), projected)
        return MttrVideoFeatures(maps=maps, padding_masks=masks, positions=positions, heads=heads)

    def encode_text(self, tokens: Tokens) -> TextFeatures:
        """Encode the expressions and project them to the transformer's width."""
        with torch.no_grad() if self.config.is_text_encoder_frozen else nullcontext():
            words = self.text_encoder(tokens)  # e s c
        return TextFeatures(self.text_projection(words), tokens.padding_mask)

    def forward(
        self, video: MttrVideoFeatures, text: TextFeatures, video_index: Int[Tensor, "e"] | None = None
    ) -> MttrOutput:
        """Fuse and decode: every decoder layer, every query (arguments: see the contract)."""
        e = len(text.words)
        video = video.for_expressions(video_index, e)
        t, _, h, w = video.maps[-1].shape[1:]

        sentences = text.mean_of_words()  # e c
        alignment = None
        if self.config.has_alignment_map:
            alignment = alignment_map(video.placed_map, sentences, video.padding_masks[-1])
        memory, positions, padding_mask = self._encode(video, text, alignment)  # (e t) n+s c
        start = self._start(sentences, t)
        decoded = self._decode(start, memory, positions, padding_mask).unflatten(1, (e, t))  # l e t q c

        video_memory = memory[:, : h * w].transpose(1, 2).unflatten(2, (h, w))  # (e t) c h w
        mask_features = self.pixel_decoder(video_memory.unflatten(0, (e, t)), video.maps[:-1])
        referring_logits = self.referring_head(decoded)  # l e t q 2
        if alignment is not None:
            finer = F.interpolate(alignment, mask_features.shape[-2:], mode="bilinear")
            mask_features = torch.cat((mask_features, finer[:, :, None].to(mask_features.dtype)), dim=2)
            highest = alignment.flatten(2).amax(dim=2)[..., None, None]  # e t 1 1
            referring_logits = referring_logits + self.alignment_vote(highest)
        return MttrOutput(
            referring_logits=referring_logits,
            kernels=self.controller(decoded),
            mask_features=mask_features,
            frame_padding=video.frame_padding.expand(e, -1),
            video_tokens=video.placed_map,
            sentences=sentences,
        )

    def criterion(
        self, output: MttrOutput, targets: Sequence[Target], num_masks: float | None = None
    ) -> dict[str, Tensor]:
        """Return the weighted losses of every trained decoder layer (MTTR, section 3.5)."""
        return weighted_losses(output, targets, self.config, num_masks)

    def count_masks(self, targets: Sequence[Target]) -> float:
        """Count the masks of all matched objects in all frames, empty ones too."""
        return count_masks(objects_of(targets, self.config))

    def postprocess(self, output: MttrOutput) -> Trajectories:
        """Let the frames vote for the referent (MTTR, section 3.6: temporal segment voting)."""
        return vote(output, self.config.voting_frames)

    @property
    def _first_layer(self) -> EncoderLayer:
        return cast(EncoderLayer, self.encoder[0])

    def _encode(
        self, video: MttrVideoFeatures, text: TextFeatures, alignment: Float[Tensor, "e t h w"] | None
    ) -> tuple[Float[Tensor, "et m c"], Float[Tensor, "et m c"], Bool[Tensor, "et m"]]:
        """Run the encoder over the video tokens of each frame followed by the text tokens."""
        video_tokens = video.maps[-1].flatten(3).transpose(2, 3)  # b t n c
        if alignment is not None:
            # The first layer's projections stay free of language: the map enters beside them.
            strength = alignment.flatten(2)[..., None].to(video_tokens.dtype)  # e t n 1
            video_tokens = video_tokens + strength * self.alignment_direction
        tokens = _join(video_tokens, text.words[:, None])
        positions = _join(video.positions, torch.zeros_like(text.words)[:, None])
        visible = video.padding_masks[-1].flatten(2)[..., None]  # b t n 1
        padding_mask = _join(visible, text.padding_mask[:, None, :, None]).squeeze(-1)
        text_heads = self._first_layer.project(text.words, None)  # e a s d
        heads = tuple(
            _join(looks, read[:, None]) for looks, read in zip(video.heads, text_heads, strict=True)
        )
        for index, layer in enumerate(self.encoder):
            tokens = layer(tokens, positions, padding_mask, heads if index == 0 else None)
        return tokens, positions, padding_mask

    def _start_from_alignment(self) -> None:
        """Let masks and scores begin with what the map says."""
        bias = self.controller.layers[-1].bias
        assert isinstance(bias, Tensor)
        with torch.no_grad():
            bias[-1] = 1.0
            self.alignment_vote.weight.copy_(torch.tensor([[0.5], [-0.5]]))

    def _start(self, sentences: Float[Tensor, "e c"], num_frames: int) -> Float[Tensor, "r q c"]:
        """Return what the queries hold before the first layer, of each frame or (``r == 1``) of all alike."""
        e, c = sentences.shape
        if self.config.query_start == "sentence":
            return sentences.repeat_interleave(num_frames, dim=0)[:, None].expand(
                -1, self.config.num_queries, c
            )
        # Before the first look at the memory all sequences are alike, but for the dropout of training.
        return sentences.new_zeros(e * num_frames if self.training else 1, self.config.num_queries, c)

    def _decode(
        self,
        queries: Float[Tensor, "r q c"],
        memory: Float[Tensor, "et m c"],
        positions: Float[Tensor, "et m c"],
        padding_mask: Bool[Tensor, "et m"],
    ) -> Float[Tensor, "l et q c"]:
        """Run the decoder and normalise the output of every layer."""
        outputs = []
        for layer in self.decoder:
            queries = layer(queries, self.queries.weight, memory, positions, padding_mask)
            outputs.append(self.decoder_norm(queries))
        return torch.stack(outputs)


MODEL = Mttr


def _join(video: Tensor, text: Tensor) -> Tensor:
    """Append what belongs to the text tokens to what belongs to the video tokens, for every frame.

    Args:
        video: ``[e or 1, t, ..., n, c]``.
        text: ``[e, 1, ..., s, c]``.

    Returns:
        ``[(e t), ..., n + s, c]``.
    """
    e, t = len(text), video.shape[1]
    return torch.cat((video.expand(e, *video.shape[1:]), text.expand(e, t, *text.shape[2:])), dim=-2).flatten(
        0, 1
    )
