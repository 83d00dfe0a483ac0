"""One tiny configuration of each architecture that the contract tests hold to the contract.

A new family adds a line; ``test_every_family_is_here`` says so if it is forgotten.
"""

from dataclasses import replace
from typing import Any

from deixis.models.hinet.config import VARIANTS as HINET_VARIANTS
from deixis.models.hinet.config import switched
from deixis.models.hinet_tiny.config import HinetTinyConfig
from deixis.models.inputs import InputSpec
from deixis.models.motion.config import VARIANTS as MOTION_VARIANTS
from deixis.models.mttr.config import MttrConfig
from deixis.models.referformer.config import ReferFormerConfig
from deixis.models.refvos.config import RefVosConfig
from deixis.models.registry import family_part
from deixis.models.sam3.config import Sam3Config
from tiny_sam import tiny_detector
from tiny_uniref import TINY as UNIREF

_MTTR = MttrConfig(
    inputs=InputSpec(short_side=48, long_side=96, window_length=6, window_overlap=2),
    backbone="video-conv-tiny",
    text_encoder="words-tiny",
    is_text_encoder_frozen=False,
    width=64,
    num_heads=4,
    num_encoder_layers=2,
    num_decoder_layers=2,
    feedforward=64,
    num_queries=5,
    mask_channels=4,
)

_REFERFORMER = ReferFormerConfig(
    inputs=InputSpec(short_side=48, long_side=96, window_length=6, window_overlap=2),
    backbone="video-conv-tiny",
    text_encoder="words-tiny",
    is_text_encoder_frozen=False,
    sentence="mean",
    width=64,
    num_heads=4,
    num_encoder_layers=2,
    num_decoder_layers=2,
    feedforward=64,
    num_points=2,
    mask_channels=4,
    attention_stride=8,
)

_REFVOS = RefVosConfig(
    inputs=InputSpec(short_side=48, long_side=96, is_online=True),
    backbone="image-conv-tiny",
    text_encoder="words-tiny",
    trained_text="all",
    sentence="mean",
    channels=32,
    rates=(1, 2),
)

_HINET = replace(
    HINET_VARIANTS["hinet-tiny-full"],
    channels=32,
    reduced_channels=16,
    motion_widths=(8, 16, 16),
    rates=(1, 2),
)

_HINET_TINY = HinetTinyConfig(
    network_rows=40, training_rows=32, widths=(8, 8, 12, 12, 16), blank_rate=0.0, flow_noise=0.0
)

_UNIREF = replace(
    UNIREF,
    inputs=InputSpec(short_side=48, long_side=96, is_online=True, pad_multiple=32),
    num_decoder_layers=2,
    num_queries=5,
    mask_channels=4,
)

_SAM3 = Sam3Config(network=tiny_detector())

TINY: dict[str, tuple[str, Any]] = {
    "mttr": ("mttr", _MTTR),
    "mttr-referent": ("mttr", replace(_MTTR, matched_objects="referent", loss_stride=2)),
    "mttr-aligned": (
        "mttr",
        replace(_MTTR, has_alignment_map=True, query_start="sentence", alignment_weight=1.0, num_queries=1),
    ),
    "mttr-swin": ("mttr", replace(_MTTR, backbone="video-swin-t", is_text_encoder_frozen=True)),
    "referformer": ("referformer", _REFERFORMER),
    "referformer-aligned": (
        "referformer",
        replace(_REFERFORMER, has_alignment_map=True, place_unit=32.0, alignment_weight=1.0, num_queries=3),
    ),
    "refvos": ("refvos", _REFVOS),
    **{name: ("motion", config) for name, config in MOTION_VARIANTS.items()},
    "hinet": ("hinet", _HINET),
    "hinet-single-level": ("hinet", switched(_HINET, "single-level")),
    "hinet-tiny": ("hinet_tiny", _HINET_TINY),
    "uniref": ("uniref", _UNIREF),
    "sam3": ("sam3", _SAM3),
    "uniref-multiply": ("uniref", replace(_UNIREF, fusion="multiply")),
}
"""Name -> family and configuration."""

MASK_STRIDES = {
    **dict.fromkeys((*MOTION_VARIANTS, "hinet-tiny", "sam3"), 1),
    "refvos": 8,
    "hinet-single-level": 8,
}
"""Pixels a cell of the masks, of tiny models where it is not 4."""

FRAMES_APART = ("mttr", "motion", "refvos", "hinet", "hinet_tiny", "uniref")
"""Families whose frames meet in the backbone alone, so that annotated frames are a part of all frames."""

TRAINED_OTHERWISE = ("uniref", "sam3")
"""Families whose training is not here, or takes more than clips and expressions: see their own tests."""

PADDING_APART = ("mttr",)
"""Families without convolutions or group norms between backbone and scores, which would read padded cells."""


def of_families(families: tuple[str, ...]) -> list[str]:
    """Return the tiny models of ``families``."""
    return [name for name, (family, _) in TINY.items() if family in families]


def build(name: str) -> Any:
    """Build the tiny model ``name`` with its random weights."""
    family, config = TINY[name]
    return family_part(family, "model").MODEL(config)
