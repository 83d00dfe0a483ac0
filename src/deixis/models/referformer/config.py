"""Architecture choices of ReferFormer and its published variants. No torch here."""

from dataclasses import dataclass, field, replace
from typing import Literal

from deixis.models.inputs import InputSpec

NO_LIMIT = 100_000
"""A long side that no frame has: sizes are ruled by the short side alone."""


@dataclass(frozen=True, kw_only=True)
class ReferFormerConfig:
    """One ReferFormer; every default is that of the published checkpoints unless said otherwise.

    Attributes:
        inputs: what the model wants from whoever feeds it.
        backbone: name of a backbone; its finest map has stride 4 and goes to the pixel decoder alone.
        text_encoder: name of a text encoder.
        is_text_encoder_frozen: the text encoder is not trained (its dropout stays active in training, as
            published); trained only in the pretraining on images.
        sentence: the sentence feature. "pooler": RoBERTa's pooler; "mean": the mean of the words, for text
            encoders without a token for the sentence.
        width: channels of tokens, queries and mask features.
        num_heads: attention heads everywhere.
        num_encoder_layers, num_decoder_layers: of the deformable transformer.
        feedforward: inner width of the feed-forwards.
        num_points: places that a head reads in each level.
        num_queries: candidates a frame.
        num_classes: 1: is it the referent, or not; more: the class of the referent (65 of Ref-YouTube-VOS, 78
            of Ref-DAVIS17, 91 of COCO).
        mask_channels: inner width of the dynamic convolutions.
        place_unit: pixels of one unit of the relative coordinates of the dynamic convolutions; 1 as
            published.
        has_alignment_map: tell how much the sentence denotes each video token, before the fusion, and give
            that map to the encoder (in a learned direction of the tokens), to the queries (the place where
            they look first), to the masks (times a number of each query) and, where it is highest, to the
            classes; for towers trained on concepts, whose inner products tell it (ours).
        attention_stride: stride at which the frames of a clip see one another in the pixel decoder.
        dropout: of the pixel decoder and the text projection.
        transformer_dropout: of encoder and decoder.
        has_auxiliary_losses: every decoder layer is trained, not the last alone.
        box_edges: boxes that are taken from masks end after the last pixel ("after") or at it ("published").
        class_weight, box_weight, giou_weight, mask_weight, dice_weight: of the losses and, the same, of the
            terms of the matching.
        alignment_weight: weight of a loss that is not in the paper: sentences and the video tokens of what
            they denote are drawn together before the fusion. 0: off.
    """

    inputs: InputSpec = field(default_factory=lambda: _VIDEO)
    backbone: str = "resnet-50"
    text_encoder: str = "roberta-base"
    is_text_encoder_frozen: bool = True
    sentence: Literal["pooler", "mean"] = "pooler"
    width: int = 256
    num_heads: int = 8
    num_encoder_layers: int = 4
    num_decoder_layers: int = 4
    feedforward: int = 2048
    num_points: int = 4
    num_queries: int = 5
    num_classes: int = 1
    mask_channels: int = 8
    place_unit: float = 1.0
    has_alignment_map: bool = False
    attention_stride: int = 32
    dropout: float = 0.1
    transformer_dropout: float = 0.1
    has_auxiliary_losses: bool = True
    box_edges: Literal["after", "published"] = "after"
    class_weight: float = 2.0
    box_weight: float = 5.0
    giou_weight: float = 2.0
    mask_weight: float = 2.0
    dice_weight: float = 5.0
    alignment_weight: float = 0.0

    def __post_init__(self) -> None:
        if self.width % self.num_heads:
            raise ValueError(f"width {self.width} cannot be split into {self.num_heads} heads")
        if self.width % 32:
            raise ValueError(f"width must be a multiple of 32 (groups of the norms), got {self.width}")
        for name in (
            "num_encoder_layers",
            "num_decoder_layers",
            "feedforward",
            "num_points",
            "num_queries",
            "num_classes",
            "mask_channels",
        ):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in ("dropout", "transformer_dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} must lie in [0, 1), got {getattr(self, name)}")
        if self.attention_stride < 4 or self.attention_stride & (self.attention_stride - 1):
            raise ValueError(
                f"attention_stride must be a power of two from 4 on, got {self.attention_stride}"
            )
        if self.place_unit <= 0:
            raise ValueError(f"place_unit must be above 0, got {self.place_unit}")
        if self.alignment_weight and not self.has_alignment_map:
            raise ValueError("an alignment_weight needs has_alignment_map")
        if self.sentence not in ("pooler", "mean"):
            raise ValueError(f"sentence must be 'pooler' or 'mean', got {self.sentence!r}")
        if self.box_edges not in ("after", "published"):
            raise ValueError(f"box_edges must be 'after' or 'published', got {self.box_edges!r}")


CONFIG = ReferFormerConfig

_VIDEO = InputSpec(
    short_side=360, long_side=NO_LIMIT, window_length=36, window_overlap=6, mask_resize="stretched"
)
"""Ref-YouTube-VOS and Ref-DAVIS17: no video of the first is longer than 36 frames, the second is cut so."""

_SHORT_CLIP = InputSpec(short_side=360, long_side=640, window_length=5, window_overlap=2, pad_multiple=32)
_IMAGE = InputSpec(short_side=360, long_side=640, window_length=1, window_overlap=0, pad_multiple=32)

_BACKBONES = {
    "resnet50": "resnet-50",
    "resnet101": "resnet-101",
    "swin-t": "swin-t",
    "swin-s": "swin-s",
    "swin-b": "swin-b",
    "swin-l": "swin-l",
    "video-swin-t": "video-swin-t-whole",
    "video-swin-s": "video-swin-s-whole",
    "video-swin-b": "video-swin-b-whole",
}
"""Name in a variant -> name of the backbone."""

_TINY_AGNOSTIC = ReferFormerConfig(
    inputs=InputSpec(
        short_side=128, long_side=256, window_length=16, window_overlap=4, presence_threshold=0.25
    ),
    backbone="video-conv-tiny",
    text_encoder="words-tiny",
    is_text_encoder_frozen=False,
    sentence="mean",
    width=128,
    num_heads=4,
    num_encoder_layers=2,
    num_decoder_layers=2,
    feedforward=256,
    num_queries=3,
    place_unit=32.0,
    has_alignment_map=True,
    attention_stride=16,
    dropout=0.0,
    transformer_dropout=0.0,
    box_weight=2.0,
    giou_weight=1.0,
    dice_weight=10.0,
    alignment_weight=0.5,
)

NUM_SHAPES = 12
"""Classes of the tiny class-discriminative model: the shapes of the synthetic world."""

_TINY = {
    "referformer-tiny-synthetic": _TINY_AGNOSTIC,
    "referformer-tiny-synthetic-shapes": replace(_TINY_AGNOSTIC, num_classes=NUM_SHAPES),
}


def _variants() -> dict[str, ReferFormerConfig]:
    variants = {}
    for name, backbone in _BACKBONES.items():
        config = ReferFormerConfig(backbone=backbone)
        variants[f"referformer-{name}"] = config
        variants[f"referformer-{name}-refcoco"] = replace(config, inputs=_IMAGE, is_text_encoder_frozen=False)
        variants[f"referformer-{name}-a2d"] = replace(config, inputs=_SHORT_CLIP)
        variants[f"referformer-{name}-65-classes"] = replace(config, num_classes=65)
    variants["referformer-video-swin-t-a2d-scratch"] = replace(
        variants["referformer-video-swin-t-a2d"],
        inputs=replace(_SHORT_CLIP, window_length=6),
        transformer_dropout=0.0,
    )
    return {**variants, **_TINY}


VARIANTS: dict[str, ReferFormerConfig] = _variants()
"""Backbone and stage: without a suffix for Ref-YouTube-VOS and Ref-DAVIS17 (fine-tuned, from scratch, joint),
"-refcoco" for the pretraining on images, "-a2d" for A2D- and JHMDB-Sentences, "-65-classes" for the
class-discriminative heads of the ablation (Ref-YouTube-VOS). Ours: "referformer-tiny-synthetic", small enough
to train on two CPU cores, and the same with the shapes of the synthetic world as classes."""
