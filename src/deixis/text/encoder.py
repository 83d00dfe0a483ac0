"""RoBERTa as a text encoder: transformers' architecture, built from numbers; nothing is downloaded.

Parameters are named ``encoder.*``, followed by the library's own names
(``encoder.embeddings.word_embeddings.weight``, ``encoder.encoder.layer.0.attention.self.query.weight``,
...). The pooler is a module of its own.

Axes: e expressions, s tokens, c channels.
"""

from jaxtyping import Float
from torch import Tensor, nn

from deixis.layers.linear import Linear
from deixis.structures import Tokens

MAX_TOKENS = 512
"""RoBERTa has 514 positions, of which the first two are never used by a word."""


class RobertaEncoder(nn.Module):
    """Every token's last hidden state, ``<s>`` and ``</s>`` included.

    Attributes:
        channels: width of the word features.
    """

    def __init__(self, channels: int, num_layers: int, num_heads: int) -> None:
        """Build with fresh weights; the inner width is four times ``channels``."""
        super().__init__()
        from transformers import RobertaConfig, RobertaModel

        config = RobertaConfig(
            vocab_size=50265,
            hidden_size=channels,
            num_hidden_layers=num_layers,
            num_attention_heads=num_heads,
            intermediate_size=4 * channels,
            max_position_embeddings=MAX_TOKENS + 2,
            type_vocab_size=1,
            layer_norm_eps=1e-5,
        )
        self.channels = channels
        self.encoder = RobertaModel(config, add_pooling_layer=False)

    def forward(self, tokens: Tokens) -> Float[Tensor, "e s c"]:
        """Return one vector a token.

        Raises:
            ValueError: a row has more tokens than the encoder has positions.
        """
        if tokens.ids.shape[1] > MAX_TOKENS:
            raise ValueError(f"RoBERTa takes at most {MAX_TOKENS} tokens, got {tokens.ids.shape[1]}")
        return self.encoder(tokens.ids, attention_mask=(~tokens.padding_mask).long()).last_hidden_state


class SentencePooler(nn.Module):
    """One vector a sentence: RoBERTa's pooler, a linear layer and tanh over the first token."""

    def __init__(self, channels: int) -> None:
        """Build for ``channels`` of the encoder."""
        super().__init__()
        self.linear = Linear(channels, channels)

    def forward(self, words: Float[Tensor, "e s c"]) -> Float[Tensor, "e c"]:
        """Return the sentence features."""
        return self.linear(words[:, 0]).tanh()


def roberta_base() -> RobertaEncoder:
    """Build "roberta-base" (124M parameters)."""
    return RobertaEncoder(channels=768, num_layers=12, num_heads=12)


def roberta_large() -> RobertaEncoder:
    """Build "roberta-large" (354M parameters)."""
    return RobertaEncoder(channels=1024, num_layers=24, num_heads=16)


def distilroberta_base() -> RobertaEncoder:
    """Build "distilroberta-base" (82M parameters)."""
    return RobertaEncoder(channels=768, num_layers=6, num_heads=12)
