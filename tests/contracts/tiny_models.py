"""One tiny configuration of each architecture that the contract tests hold to the contract.

A new family adds a line; ``test_every_family_is_here`` says so if it is forgotten.
"""

from dataclasses import replace
from typing import Any

from deixis.models.inputs import InputSpec
from deixis.models.mttr.config import MttrConfig
from deixis.models.registry import family_part

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

TINY: dict[str, tuple[str, Any]] = {
    "mttr": ("mttr", _MTTR),
    "mttr-referent": ("mttr", replace(_MTTR, matched_objects="referent", loss_stride=2)),
    "mttr-swin": ("mttr", replace(_MTTR, backbone="video-swin-t", is_text_encoder_frozen=True)),
}
"""Name -> family and configuration."""


def build(name: str) -> Any:
    """Build the tiny model ``name`` with its random weights."""
    family, config = TINY[name]
    return family_part(family, "model").MODEL(config)
