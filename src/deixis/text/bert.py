"""BERT as a text encoder: transformers' architecture, built from numbers; nothing is downloaded.

Parameters are named ``encoder.*``, followed by the library's own names.

Axes: e expressions, s tokens, c channels.
"""

from collections.abc import Mapping

from jaxtyping import Float
from torch import Tensor, nn

from deixis.structures import Tokens

MAX_TOKENS = 512


class BertEncoder(nn.Module):
    """Every token's last hidden state, ``[CLS]`` and ``[SEP]`` included; no dropout, as RefVOS trains it.

    The pooler belongs to published files, but nothing here reads it.

    Attributes:
        channels: width of the word features.
        num_layers: transformer layers.
    """

    def __init__(
        self, channels: int, num_layers: int, num_heads: int, *, vocabulary_size: int = 30522
    ) -> None:
        """Build with fresh weights; the inner width is four times ``channels``."""
        super().__init__()
        from transformers import BertConfig, BertModel

        config = BertConfig(
            vocab_size=vocabulary_size,
            hidden_size=channels,
            num_hidden_layers=num_layers,
            num_attention_heads=num_heads,
            intermediate_size=4 * channels,
            max_position_embeddings=MAX_TOKENS,
            layer_norm_eps=1e-12,
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
        )
        self.channels = channels
        self.num_layers = num_layers
        self.encoder = BertModel(config)
        self.encoder.get_submodule("pooler").requires_grad_(False)

    def forward(self, tokens: Tokens) -> Float[Tensor, "e s c"]:
        """Return one vector a token.

        Raises:
            ValueError: a row has more tokens than the encoder has positions.
        """
        if tokens.ids.shape[1] > MAX_TOKENS:
            raise ValueError(f"BERT takes at most {MAX_TOKENS} tokens, got {tokens.ids.shape[1]}")
        return self.encoder(tokens.ids, attention_mask=(~tokens.padding_mask).long()).last_hidden_state

    def train_layers(self, num_layers: int) -> None:
        """Train the first ``num_layers`` layers alone: neither the embeddings nor the layers above."""
        self.requires_grad_(False)
        for layer in self.encoder.encoder.layer[:num_layers]:
            layer.requires_grad_(True)


def bert_state_dict(published: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Turn a file of BERT, with or without its language heads, into our encoder's names.

    Args:
        published: as the library saves it.
        own: what the encoder holds; the pooler, which nobody reads, stays where the file has none.
    """
    bare = {name.removeprefix("bert."): value for name, value in published.items()}
    return {
        **{name: value for name, value in own.items() if name.startswith("encoder.pooler.")},
        **{
            f"encoder.{name.replace('gamma', 'weight').replace('beta', 'bias')}": value
            for name, value in bare.items()
            if name.startswith(("embeddings.", "encoder.", "pooler.")) and not name.endswith("position_ids")
        },
    }


def bert_base() -> BertEncoder:
    """Build "bert-base-uncased" (109M parameters)."""
    return BertEncoder(channels=768, num_layers=12, num_heads=12)
