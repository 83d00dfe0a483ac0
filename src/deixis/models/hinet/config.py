"""Architecture choices of HINet and its variants. No torch here."""

from dataclasses import dataclass, field, replace

from deixis.flow.config import MotionSpec
from deixis.models.inputs import InputSpec
from deixis.models.text_choices import Sentence, TrainedText, Truncation, check_text_choices

_ORIGINAL_SIZE = InputSpec(
    resize="none",
    wants_flow=True,
    motion=MotionSpec(),
    is_online=True,
    merging="higher-id-overrides",
)
"""One map of motion: the magnitude of the flow without its mean vector (supplement, section 5)."""


@dataclass(frozen=True, kw_only=True)
class HinetConfig:
    """One HINet; defaults are the supplement's where it has the number, and ours where it has not.

    Attributes:
        inputs: what the model wants from whoever feeds it; frames keep their size (supplement).
        backbone: name of a backbone of single frames with maps at strides 4, 8, 8, 8 (supplement: stride 8),
            or 4, 8, 16, 16, a departure that takes a third of the work with the same weights.
        text_encoder: name of a text encoder.
        trained_text: "lower-layers": the layers 0 to 9 of BERT, as in RefVOS; "all" or "none" of it.
        sentence: the sentence feature: the "first" token, or the "mean" of all, for text encoders without a
            token for the sentence.
        max_tokens: of an expression, special tokens included.
        truncation: "keep-end": an expression that is too long keeps its end token; "cut": not (RefVOS).
        levels: of the backbone at which vision and language meet; all four, or the last alone.
        has_vision_flow: motion enters the vision branch, in its first convolution.
        has_gate_flow: motion opens and closes the channels of the fused maps.
        channels: of the coarsest map and all after it (supplement: c_4).
        reduced_channels: of the others (supplement: c_1 to c_3).
        motion_widths: of the motion encoder at strides 2, 4 and 8.
        rates: dilations of the pyramid pooling.
        dropout: after the pyramid pooling and the fusion of the coarsest map.
        hardest_share: of the pixels of a frame that carry the loss (supplement: 15 % in fine-tuning); 1: the
            mean over all.
        annealed_over: share of the training over which the pixels that carry the loss shrink from all to
            ``hardest_share``: 0.5 in CFBI, which the supplement follows; the supplement says nothing of it.
        class_weights: of background and object in the loss (supplement: fine-tuning).
    """

    inputs: InputSpec = field(default_factory=lambda: _ORIGINAL_SIZE)
    backbone: str = "resnet-101-stride8"
    text_encoder: str = "bert-base-uncased"
    trained_text: TrainedText = "lower-layers"
    sentence: Sentence = "first"
    max_tokens: int = 20
    truncation: Truncation = "keep-end"
    levels: tuple[int, ...] = (1, 2, 3, 4)
    has_vision_flow: bool = True
    has_gate_flow: bool = True
    channels: int = 256
    reduced_channels: int = 48
    motion_widths: tuple[int, int, int] = (32, 64, 128)
    rates: tuple[int, ...] = (12, 24, 36)
    dropout: float = 0.1
    hardest_share: float = 0.15
    annealed_over: float = 0.0
    class_weights: tuple[float, float] = (0.9, 1.1)

    def __post_init__(self) -> None:
        check_text_choices(self)
        if not self.levels or list(self.levels) != sorted(set(self.levels) & {1, 2, 3, 4}):
            raise ValueError(f"levels must rise within 1 to 4, got {self.levels}")
        if self.levels[-1] != 4:
            raise ValueError(f"levels must end with 4, the coarsest map, got {self.levels}")
        if self.inputs.wants_flow != (self.has_vision_flow or self.has_gate_flow):
            raise ValueError("inputs.wants_flow must say whether motion enters anywhere")
        for name in ("channels", "reduced_channels"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in ("motion_widths", "rates"):
            if not getattr(self, name) or min(getattr(self, name)) < 1:
                raise ValueError(f"{name} must be at least 1 each, got {getattr(self, name)}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must lie in [0, 1), got {self.dropout}")
        if not 0 < self.hardest_share <= 1:
            raise ValueError(f"hardest_share must lie in (0, 1], got {self.hardest_share}")
        if not 0 <= self.annealed_over <= 1:
            raise ValueError(f"annealed_over must lie in [0, 1], got {self.annealed_over}")
        if min(self.class_weights) <= 0:
            raise ValueError(f"class_weights must be above 0, got {self.class_weights}")


CONFIG = HinetConfig

SWITCHES: dict[str, tuple[tuple[int, ...], bool, bool]] = {
    "single-level": ((4,), False, False),
    "static": ((1, 2, 3, 4), False, False),
    "vision-flow": ((1, 2, 3, 4), True, False),
    "gate-flow": ((1, 2, 3, 4), False, True),
    "full": ((1, 2, 3, 4), True, True),
}
"""The five models of the supplement's Figure 1: levels, motion in the vision branch, motion in the gates.
"static" is also that of its Figure 3; "single-level" is the function of RefVOS."""


def switched(config: HinetConfig, name: str) -> HinetConfig:
    """Return ``config`` as one of the :data:`SWITCHES`."""
    levels, has_vision_flow, has_gate_flow = SWITCHES[name]
    inputs = config.inputs
    if not (has_vision_flow or has_gate_flow):
        inputs = replace(inputs, wants_flow=False, motion=None)
    return replace(
        config,
        inputs=inputs,
        levels=levels,
        has_vision_flow=has_vision_flow,
        has_gate_flow=has_gate_flow,
    )


_TINY = HinetConfig(
    inputs=replace(_ORIGINAL_SIZE, resize="shortest_side", short_side=128, long_side=256),
    backbone="image-conv-tiny",
    text_encoder="words-tiny",
    trained_text="all",
    sentence="mean",
    max_tokens=64,
    channels=96,
    reduced_channels=24,
    motion_widths=(16, 24, 48),
    rates=(2, 4, 8),
)


def _variants() -> dict[str, HinetConfig]:
    whole = HinetConfig()
    every = {"hinet-resnet101": whole, "hinet-resnet101-stride16": _with_stride16(whole)}
    for name in SWITCHES:
        if name != "full":
            every[f"hinet-resnet101-{name}"] = switched(whole, name)
        every[f"hinet-tiny-{name}"] = switched(_TINY, name)
    plain = {
        f"{name}-pretraining": replace(config, hardest_share=1.0, class_weights=(1.0, 1.0))
        for name, config in every.items()
        if name.startswith("hinet-resnet101")
    }
    return {**every, **plain}


def _with_stride16(config: HinetConfig) -> HinetConfig:
    rates = tuple(rate // 2 for rate in config.rates)
    return replace(config, backbone="resnet-101-stride16", rates=rates)


VARIANTS: dict[str, HinetConfig] = _variants()
"""The full model, its ablations (:data:`SWITCHES`) and a coarser one for CPUs, with the loss of fine-tuning
and, the same networks, with that of pre-training ("-pretraining"). Tiny ones of the same five are ours, small
enough to train on two CPU cores. No weights of HINet were published."""
