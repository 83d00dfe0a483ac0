"""Architecture choices of UniRef and UniRef++ and their variants. No torch here."""

from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from deixis.models.inputs import InputSpec

Fusion = Literal["add", "multiply"]
Order = Literal["parallel", "mask-first", "language-first"]
References = Literal["both", "first", "previous", "none"]

_VIDEO = InputSpec(
    short_side=480,
    long_side=1333,
    size_rule="round",
    window_length=1,
    window_overlap=0,
    is_online=True,
    pad_multiple=32,
    mask_resize="smooth",
    merging="product-background",
)
_IMAGE = replace(_VIDEO, short_side=800, mask_resize="cropped")


@dataclass(frozen=True, kw_only=True)
class UniRefConfig:
    """One UniRef; every default is that of the published UniRef++ checkpoints.

    Attributes:
        inputs: what the model wants from whoever feeds it.
        example_sides: short and long side of images that are examples, and of those in which the like is
            looked for; None: those of ``inputs``. 480 and 768 as published.
        backbone: name of a backbone of single frames, of strides 4, 8, 16 and 32.
        text_encoder: name of a text encoder.
        is_text_encoder_frozen: the text encoder is not trained (video stage); trained on images.
        max_tokens: of an expression, special tokens included.
        fusion: how what was read of a reference joins the pixels. "add": shifted, scaled and gated by the
            reference's embedding (UniRef++); "multiply": pixels times what they read (UniRef, supplement; the
            exact form is our reading of one sentence, and no published number belongs to it).
        order: both references "parallel" from the same pixels, as published, or one on top of the other.
        references: frames whose masks are looked at in a video. "none": expressions alone, every frame by
            itself (UniRef++ on Ref-DAVIS17).
        has_alignment_map: tell how much the sentence denotes each token, before the fusion, by projections
            that the tiny MTTR has learned; and let the fusion begin by reading, in other frames, what looks
            alike. Ours, for trainings that are too short to learn both; not in the paper.
        width: channels of tokens and queries.
        num_heads: attention heads everywhere.
        head_width: channels of a head in the fusion.
        num_encoder_layers, num_decoder_layers: of the deformable transformer.
        feedforward: inner width of the feed-forwards.
        num_points: places that a head reads in each level.
        num_queries: proposals that are decoded.
        num_classes: of the scores; the first one alone ranks proposals.
        mask_channels: of mask features and dynamic convolutions.
        place_unit: pixels of one unit of the relative coordinates of the dynamic convolutions; 1 as
            published.
        mask_widths: channels of the stages of the mask encoder, one a map of the backbone.
        fusion_dropout: of attention weights in the fusion and of the projected words.
        transformer_dropout: of encoder and decoder.
        expression_threshold: an expression's mask counts where its score is above.
        mask_threshold: the same for objects that are followed by their masks alone.
        class_weight, box_weight, giou_weight, mask_weight, dice_weight: of the losses.
        has_region_losses: masks are also taught as regions that compete with the background (video stage).
        is_taught_by_boxes: masks of the data are areas of boxes, and are taught as such (stage I).
        pairwise_warmup: share of the training over which one of the losses from boxes grows to its weight.
    """

    inputs: InputSpec = field(default_factory=lambda: _VIDEO)
    example_sides: tuple[int, int] | None = None
    backbone: str = "resnet-50"
    text_encoder: str = "bert-base-uncased"
    is_text_encoder_frozen: bool = True
    max_tokens: int = 77
    fusion: Fusion = "add"
    order: Order = "parallel"
    references: References = "both"
    has_alignment_map: bool = False
    width: int = 256
    num_heads: int = 8
    head_width: int = 256
    num_encoder_layers: int = 6
    num_decoder_layers: int = 6
    feedforward: int = 2048
    num_points: int = 4
    num_queries: int = 300
    num_classes: int = 1
    mask_channels: int = 8
    place_unit: float = 1.0
    mask_widths: tuple[int, ...] = (64, 128, 256, 512)
    fusion_dropout: float = 0.1
    transformer_dropout: float = 0.0
    expression_threshold: float = 0.3
    mask_threshold: float = 0.4
    class_weight: float = 2.0
    box_weight: float = 5.0
    giou_weight: float = 2.0
    mask_weight: float = 2.0
    dice_weight: float = 5.0
    has_region_losses: bool = True
    is_taught_by_boxes: bool = False
    pairwise_warmup: float = 0.0

    def __post_init__(self) -> None:
        if self.width % self.num_heads:
            raise ValueError(f"width {self.width} cannot be split into {self.num_heads} heads")
        if self.width % 32:
            raise ValueError(f"width must be a multiple of 32 (groups of the norms), got {self.width}")
        for name in (
            "head_width",
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
        if self.max_tokens < 2:
            raise ValueError(f"max_tokens must be at least 2, got {self.max_tokens}")
        for name in ("fusion_dropout", "transformer_dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} must lie in [0, 1), got {getattr(self, name)}")
        for name in ("expression_threshold", "mask_threshold"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must lie in [0, 1], got {getattr(self, name)}")
        if self.example_sides is not None and not 0 < self.example_sides[0] <= self.example_sides[1]:
            raise ValueError(f"example_sides are a short and a long side, got {self.example_sides}")
        if self.place_unit <= 0:
            raise ValueError(f"place_unit must be above 0, got {self.place_unit}")
        if not 0 <= self.pairwise_warmup <= 1:
            raise ValueError(f"pairwise_warmup is a share of the training, got {self.pairwise_warmup}")
        for name, choices in (("fusion", Fusion), ("order", Order), ("references", References)):
            if getattr(self, name) not in get_args(choices):
                allowed = ", ".join(get_args(choices))
                raise ValueError(f"{name} must be one of {allowed}, got {getattr(self, name)!r}")

    @property
    def example_inputs(self) -> InputSpec:
        """What images are like where examples are looked for: as for single images."""
        short_side, long_side = self.example_sides or (self.inputs.short_side, self.inputs.long_side)
        return replace(self.inputs, short_side=short_side, long_side=long_side, mask_resize="cropped")


CONFIG = UniRefConfig

_BACKBONES = {"resnet50": "resnet-50", "swin-l": "swin-l-window12"}
"""Name in a variant -> name of the backbone."""

_BENCHMARKS: dict[str, dict[str, Any]] = {
    "-davis17": {"mask_threshold": 0.3},
    "-lvos": {"mask_threshold": 0.5},
    "-ref-davis17": {"references": "none", "expression_threshold": 0.0},
}
"""End of a variant's name -> what the published code does otherwise on that benchmark."""

_WARMUP = 10_000 / 6 / 90_000
"""The code counts calls of the loss, six a step, to 10 000; of a stage of 90 000 steps."""

_TINY = UniRefConfig(
    inputs=replace(_VIDEO, short_side=128, long_side=256),
    backbone="video-conv-tiny",
    text_encoder="words-tiny",
    is_text_encoder_frozen=False,
    has_alignment_map=True,
    width=128,
    num_heads=4,
    head_width=48,
    num_encoder_layers=1,
    num_decoder_layers=2,
    feedforward=192,
    num_queries=20,
    place_unit=32.0,
    mask_widths=(32, 64),
    fusion_dropout=0.0,
)


def _variants() -> dict[str, UniRefConfig]:
    variants = {}
    for name, backbone in _BACKBONES.items():
        published = UniRefConfig(backbone=backbone, example_sides=(480, 768))
        seed = replace(published, text_encoder="roberta-base", fusion="multiply")
        for family, config in (("uniref-plus", published), ("uniref", seed)):
            variants[f"{family}-{name}"] = config
            if family == "uniref-plus":
                variants |= {
                    f"{family}-{name}{end}": replace(config, **own) for end, own in _BENCHMARKS.items()
                }
            images = replace(config, inputs=_IMAGE, is_text_encoder_frozen=False, has_region_losses=False)
            variants[f"{family}-{name}-images"] = images
            if family == "uniref":
                boxes = replace(images, is_taught_by_boxes=True, pairwise_warmup=_WARMUP)
                variants[f"{family}-{name}-boxes"] = boxes
    variants["uniref-tiny-synthetic"] = _TINY
    return variants


VARIANTS: dict[str, UniRefConfig] = _variants()
"""Family, backbone and stage. "uniref-plus": UniRef++, the published code and checkpoints; "uniref": the
choices of the ICCV supplement, of which neither code nor checkpoints were published. Without a suffix for
video (stage III), "-images" for expressions in images (stage II), "-boxes" for the first stage, in which
masks are learned from boxes. With a benchmark's name: thresholds and references of the published code there,
the same weights. Ours: "uniref-tiny-synthetic", small enough to train on one CPU core."""

FOLLOWING = tuple(
    name
    for name, config in VARIANTS.items()
    if config.references != "none" and not name.endswith(("-images", "-boxes"))
)
"""Variants that follow masks through videos."""
