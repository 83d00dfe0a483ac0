"""Choices of SAM 3 for videos and its variant. No torch here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from deixis.models.inputs import InputSpec

HUB_ID = "facebook/sam3"
"""Where the weights are published, to whoever has accepted their licence."""

_HALF = (0.5, 0.5, 0.5)
_INPUTS = InputSpec(
    mean=_HALF,
    std=_HALF,
    window_length=1,
    window_overlap=0,
    is_online=True,
    resize="none",
    mask_resize="stretched",
)
"""Frames keep their size: the network's own processor squeezes them into a square."""


@dataclass(frozen=True, kw_only=True)
class Sam3Config:
    """One SAM 3 for videos.

    Attributes:
        inputs: what the model wants from whoever feeds it.
        network: where the configuration of the network differs from the defaults of ``transformers``, which
            are those of the published weights.
        max_tokens: of an expression, special tokens included.
        max_tracks: objects that are followed at most, of all expressions together; later ones are left out.
            In a stream ``transformers`` never gives a track up, and bounds them at 10,000.
    """

    inputs: InputSpec = field(default_factory=lambda: _INPUTS)
    network: Mapping[str, Any] = field(default_factory=dict)
    max_tokens: int = 32
    max_tracks: int = 64

    def __post_init__(self) -> None:
        for name in ("max_tokens", "max_tracks"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.inputs.resize != "none" or self.inputs.mean != _HALF or self.inputs.std != _HALF:
            raise ValueError("SAM 3 takes frames at their own size, with mean and deviation 0.5")


CONFIG = Sam3Config

VARIANTS: dict[str, Sam3Config] = {"sam3-video": Sam3Config()}
"""The published one."""
