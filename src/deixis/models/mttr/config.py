"""Architecture choices of MTTR and its published variants. No torch here."""

from dataclasses import dataclass, field
from typing import Literal

from deixis.models.inputs import InputSpec


@dataclass(frozen=True, kw_only=True)
class MttrConfig:
    """One MTTR; every default is the paper's (section 4.2 and supplement A) unless said otherwise.

    Attributes:
        inputs: what the model wants from whoever feeds it.
        backbone: name of a video backbone; its finest map has stride 4, its coarsest becomes the video
            tokens.
        text_encoder: name of a text encoder.
        is_text_encoder_frozen: the text encoder is not trained (its dropout stays active in training, as
            published).
        width: channels of tokens and queries; the pixel decoder halves it from step to step.
        num_heads: attention heads of encoder and decoder.
        num_encoder_layers: layers over video and text tokens.
        num_decoder_layers: layers of the queries.
        feedforward: inner width of the feed-forwards.
        num_queries: candidates a frame.
        query_start: what the queries hold before the first decoder layer. "zeros" as published; "sentence":
            the mean of the words, so that language reaches the kernels from the first step of a short
            training.
        has_alignment_map: tell how much the sentence denotes each video token, before the fusion, and give
            that map to the encoder (in a learned direction of the tokens), to the kernels (as one more mask
            feature) and, where it is highest, to the referring score; for towers trained on concepts, whose
            inner products tell it (ours).
        mask_channels: channels of the mask features and length of a kernel.
        dropout: of the transformer and of the text projection.
        has_auxiliary_losses: every decoder layer is trained, not the last alone.
        matched_objects: which objects of a clip the queries are matched to in training. "all": every
            annotated one, as published; "referent": only the union of the referents, for models with few
            queries.
        voting_frames: which frames vote for the referent. "real": those that are not padding; "all": padding
            too, as the published code does for clips of different lengths in one batch.
        loss_stride: pixels a cell of the grid on which the mask losses are taken; 1 as published.
        referring_weight, dice_weight, focal_weight: weights of the losses.
        alignment_weight: weight of a loss that is not in the paper: words and the video tokens of what they
            denote are drawn together before the fusion, which a short training needs. 0: off.
        no_object_weight: weight of a query that is not the referent's, in the referring loss.
        referring_cost, dice_cost: weights of the terms of the matching.
    """

    inputs: InputSpec = field(default_factory=InputSpec)
    backbone: str = "video-swin-t"
    text_encoder: str = "roberta-base"
    is_text_encoder_frozen: bool = True
    width: int = 256
    num_heads: int = 8
    num_encoder_layers: int = 3
    num_decoder_layers: int = 3
    feedforward: int = 2048
    num_queries: int = 50
    query_start: Literal["zeros", "sentence"] = "zeros"
    has_alignment_map: bool = False
    mask_channels: int = 8
    dropout: float = 0.1
    has_auxiliary_losses: bool = True
    matched_objects: Literal["all", "referent"] = "all"
    voting_frames: Literal["real", "all"] = "real"
    loss_stride: int = 1
    referring_weight: float = 2.0
    dice_weight: float = 5.0
    focal_weight: float = 2.0
    alignment_weight: float = 0.0
    no_object_weight: float = 0.1
    referring_cost: float = 2.0
    dice_cost: float = 5.0

    def __post_init__(self) -> None:
        if self.width % self.num_heads:
            raise ValueError(f"width {self.width} cannot be split into {self.num_heads} heads")
        if self.width % 64:
            raise ValueError(
                f"width must be a multiple of 64 (8 groups at an eighth of it), got {self.width}"
            )
        for name in (
            "num_encoder_layers",
            "num_decoder_layers",
            "num_queries",
            "mask_channels",
            "feedforward",
            "loss_stride",
        ):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must lie in [0, 1), got {self.dropout}")
        if self.matched_objects not in ("all", "referent"):
            raise ValueError(f"matched_objects must be 'all' or 'referent', got {self.matched_objects!r}")
        if self.query_start not in ("zeros", "sentence"):
            raise ValueError(f"query_start must be 'zeros' or 'sentence', got {self.query_start!r}")
        if self.voting_frames not in ("real", "all"):
            raise ValueError(f"voting_frames must be 'real' or 'all', got {self.voting_frames!r}")


CONFIG = MttrConfig

VARIANTS: dict[str, MttrConfig] = {
    "mttr-video-swin-t": MttrConfig(
        inputs=InputSpec(short_side=360, long_side=640, window_length=24, window_overlap=6)
    ),
    "mttr-video-swin-t-a2d": MttrConfig(
        inputs=InputSpec(short_side=320, long_side=576, window_length=8, window_overlap=2)
    ),
    "mttr-tiny-synthetic": MttrConfig(
        inputs=InputSpec(
            short_side=128,
            long_side=256,
            window_length=16,
            window_overlap=4,
            presence_threshold=0.755,
        ),
        backbone="video-conv-tiny",
        text_encoder="words-tiny",
        is_text_encoder_frozen=False,
        width=128,
        num_heads=4,
        num_encoder_layers=2,
        num_decoder_layers=2,
        feedforward=512,
        num_queries=1,
        query_start="sentence",
        has_alignment_map=True,
        mask_channels=16,
        dropout=0.0,
        matched_objects="referent",
        loss_stride=2,
        alignment_weight=0.5,
        no_object_weight=1.0,
    ),
}
"""Published checkpoints: Refer-YouTube-VOS (windows of 12 in training) and A2D-Sentences (8 or 10).

Ours: "mttr-tiny-synthetic", small enough to train on two CPU cores. Its one query is the referent or says
that there is none: with the few clips that such a training sees, matching many queries to objects would not
settle.
"""
