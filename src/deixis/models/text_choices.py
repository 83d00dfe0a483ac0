"""What a configuration says of a text side that gives one vector a sentence. No torch here."""

from typing import Literal, Protocol, runtime_checkable

Sentence = Literal["first", "mean"]
Truncation = Literal["cut", "keep-end"]
TrainedText = Literal["lower-layers", "all", "none"]


@runtime_checkable
class TextChoices(Protocol):
    """Fields of the configurations of RefVOS and HINet, which say what they mean."""

    @property
    def text_encoder(self) -> str:
        """Name of a text encoder."""
        ...

    @property
    def trained_text(self) -> TrainedText:
        """What of it is trained."""
        ...

    @property
    def sentence(self) -> Sentence:
        """What stands for the sentence."""
        ...

    @property
    def max_tokens(self) -> int:
        """Of an expression."""
        ...

    @property
    def truncation(self) -> Truncation:
        """What happens to more tokens."""
        ...


def check_text_choices(choices: TextChoices) -> None:
    """Raise a :class:`ValueError` where a configuration says what cannot be."""
    allowed = {
        "sentence": ("first", "mean"),
        "truncation": ("cut", "keep-end"),
        "trained_text": ("lower-layers", "all", "none"),
    }
    for name, values in allowed.items():
        if getattr(choices, name) not in values:
            raise ValueError(f"{name} must be one of {', '.join(values)}, got {getattr(choices, name)!r}")
    if choices.trained_text == "lower-layers" and not choices.text_encoder.startswith("bert"):
        raise ValueError(
            f"only the lower layers of BERT can be trained alone, not those of {choices.text_encoder}; "
            "choose trained_text 'all' or 'none'"
        )
    if choices.max_tokens < 2:
        raise ValueError(f"max_tokens must be at least 2, got {choices.max_tokens}")
