"""Architecture choices of RefVOS and its published variants. No torch here."""

from dataclasses import dataclass, field, replace

from deixis.models.inputs import InputSpec
from deixis.models.text_choices import Sentence, TrainedText, Truncation, check_text_choices

_ORIGINAL_SIZE = InputSpec(resize="none", is_online=True, merging="higher-id-overrides")


@dataclass(frozen=True, kw_only=True)
class RefVosConfig:
    """One RefVOS; every default is that of the published checkpoints.

    Attributes:
        inputs: what the model wants from whoever feeds it; frames keep their size.
        backbone: name of a backbone of single frames; its last map is read alone.
        text_encoder: name of a text encoder.
        trained_text: "lower-layers": the layers 0 to 9 of BERT, as published; "all" or "none" of it.
        sentence: the sentence feature: the "first" token, or the "mean" of all, for text encoders without a
            token for the sentence.
        max_tokens: of an expression, special tokens included: 20 for RefCOCO and RefCOCO+, 10 for DAVIS and
            A2D-Sentences.
        truncation: "cut": an expression that is too long loses its end token, as published; "keep-end": it
            keeps it.
        channels: of the visual map and all after it.
        rates: dilations of the pyramid pooling.
        dropout: after the pyramid pooling and after the fusion.
    """

    inputs: InputSpec = field(default_factory=lambda: _ORIGINAL_SIZE)
    backbone: str = "resnet-101-stride8"
    text_encoder: str = "bert-base-uncased"
    trained_text: TrainedText = "lower-layers"
    sentence: Sentence = "first"
    max_tokens: int = 20
    truncation: Truncation = "cut"
    channels: int = 256
    rates: tuple[int, ...] = (12, 24, 36)
    dropout: float = 0.5

    def __post_init__(self) -> None:
        check_text_choices(self)
        if self.channels < 1:
            raise ValueError(f"channels must be at least 1, got {self.channels}")
        if not self.rates or min(self.rates) < 1:
            raise ValueError(f"rates must be dilations of at least 1, got {self.rates}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must lie in [0, 1), got {self.dropout}")


CONFIG = RefVosConfig

_SHORT = replace(RefVosConfig(), max_tokens=10)

VARIANTS: dict[str, RefVosConfig] = {
    "refvos-resnet101": RefVosConfig(),
    "refvos-resnet101-davis": _SHORT,
    "refvos-resnet101-a2d": _SHORT,
}
"""Published checkpoints: RefCOCO and RefCOCO+; DAVIS-2017; A2D-Sentences, with and without RefCOCO before."""
