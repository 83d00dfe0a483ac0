"""Choices of hinet-tiny and its faster setting. No torch here."""

from dataclasses import dataclass, field, replace

from deixis.models.inputs import InputSpec
from deixis.models.motion import config as motion

_INPUTS = replace(motion.INPUTS, presence_threshold=0.5)
"""Flow is estimated at 240 rows, however small the network's own input."""


@dataclass(frozen=True, kw_only=True)
class HinetTinyConfig:
    """One hinet-tiny.

    Attributes:
        inputs: what the model wants from whoever feeds it; the channels of its flow are vectors both ways.
        network_rows: height at which the network looks at a frame, in inference.
        training_rows: the same in training.
        widths: channels of the network at strides 2, 4, 8, 16 and 32.
        memory: share of the colours seen before that each frame keeps.
        has_cut: the edge is placed by GrabCut in every frame; else by the colours of what was found.
        blank_rate: share of the training frames whose colours are hidden from the network, so that it learns
            to do without.
        flow_noise: standard deviation of the smooth noise on the flow of training, at most, in pixels at 128
            rows.
    """

    inputs: InputSpec = field(default_factory=lambda: _INPUTS)
    network_rows: int = 192
    training_rows: int = 128
    widths: tuple[int, int, int, int, int] = (20, 40, 64, 104, 144)
    memory: float = 0.95
    has_cut: bool = True
    blank_rate: float = 0.1
    flow_noise: float = 0.4

    def __post_init__(self) -> None:
        wanted = self.inputs.motion
        if wanted is None or wanted.form != "vectors" or wanted.directions != "both":
            raise ValueError("hinet-tiny wants flow in both directions, in the form of vectors")
        if any(self.inputs.mean) or set(self.inputs.std) != {1.0}:
            raise ValueError("hinet-tiny takes colours in [0, 1]: mean 0 and deviation 1")
        for name in ("network_rows", "training_rows"):
            if getattr(self, name) < 32:
                raise ValueError(f"{name} must be at least 32, got {getattr(self, name)}")
        if min(self.widths) < 1:
            raise ValueError(f"widths must be at least 1 each, got {self.widths}")
        for name in ("memory", "blank_rate"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must lie in [0, 1], got {getattr(self, name)}")
        if self.flow_noise < 0:
            raise ValueError(f"flow_noise must be 0 or more, got {self.flow_noise}")


CONFIG = HinetTinyConfig

VARIANTS: dict[str, HinetTinyConfig] = {
    "hinet-tiny": HinetTinyConfig(),
    "hinet-tiny-fast": replace(HinetTinyConfig(), has_cut=False),
}
"""The default, and the same weights without GrabCut: about twice as fast, with rougher edges."""
