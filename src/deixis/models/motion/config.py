"""Choices of the motion baseline and its variants. No torch here."""

from dataclasses import dataclass, field, replace

from deixis.flow.config import MotionSpec
from deixis.models.inputs import InputSpec

INPUTS = InputSpec(
    short_side=240,
    long_side=960,
    mean=(0.0, 0.0, 0.0),
    std=(1.0, 1.0, 1.0),
    window_length=1,
    window_overlap=0,
    wants_flow=True,
    motion=MotionSpec(short_side=240, camera="homography", directions="both", form="vectors"),
    is_online=True,
    mask_resize="stretched",
)
"""Flow at 240 rows: at 128 the masks lose 0.07 of J (prototypes on real clips)."""


@dataclass(frozen=True, kw_only=True)
class MotionBaselineConfig:
    """One motion baseline; its numbers were found by hand on prototypes, and results hardly depend on them.

    Attributes:
        inputs: what the model wants from whoever feeds it; the channels of its flow are vectors.
        has_colour: the colours of what moves and of the rest, learned while the video goes on, have a say.
        has_cut: the edge is then placed by GrabCut in every frame; needs ``has_colour``.
        memory: share of the colours seen before that each frame keeps; below 1, so that a change of light is
            forgotten. A cut forgets all.
    """

    inputs: InputSpec = field(default_factory=lambda: INPUTS)
    has_colour: bool = False
    has_cut: bool = False
    memory: float = 0.95

    def __post_init__(self) -> None:
        if self.has_cut and not self.has_colour:
            raise ValueError("has_cut refines what the colours say; it needs has_colour")
        if not 0 <= self.memory <= 1:
            raise ValueError(f"memory must lie in [0, 1], got {self.memory}")
        if self.inputs.motion is None or self.inputs.motion.form != "vectors":
            raise ValueError("the motion baseline wants flow, in the form of vectors")
        if any(self.inputs.mean) or set(self.inputs.std) != {1.0}:
            raise ValueError("the motion baseline takes colours in [0, 1]: mean 0 and deviation 1")


CONFIG = MotionBaselineConfig

_COLOUR = MotionBaselineConfig(has_colour=True)

VARIANTS: dict[str, MotionBaselineConfig] = {
    "motion-baseline": MotionBaselineConfig(),
    "motion-baseline-colour": _COLOUR,
    "motion-baseline-cut": replace(_COLOUR, has_cut=True),
}
"""Motion alone; with colours; with colours and GrabCut, the best and the slowest."""
