"""The trackers of the SAM 2 family and the names under which they are asked for. No torch here."""

from dataclasses import dataclass
from typing import Literal

Architecture = Literal["sam2", "edgetam", "sam3-tracker"]


@dataclass(frozen=True, kw_only=True)
class Sam2Config:
    """A tracker whose network and preprocessing are those of ``transformers``.

    Attributes:
        architecture: of the network. EdgeTAM compresses its memory, that of SAM 3 has its own backbone.
        hub_id: where its authors (or, for EdgeTAM, a maintainer of ``transformers``) publish the weights.
    """

    architecture: Architecture
    hub_id: str


VARIANTS: dict[str, Sam2Config] = {
    **{
        f"{version}-{size}": Sam2Config(architecture="sam2", hub_id=f"facebook/{version}-hiera-{size}")
        for version in ("sam2", "sam2.1")
        for size in ("tiny", "small", "base-plus", "large")
    },
    "edgetam": Sam2Config(architecture="edgetam", hub_id="yonigozlan/EdgeTAM-hf"),
    "sam3-tracker": Sam2Config(architecture="sam3-tracker", hub_id="facebook/sam3"),
}
"""Names of ``deixis.propagators``."""
