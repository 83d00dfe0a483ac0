"""A tiny text encoder and its tokenizer, trained here: a small vocabulary, all else ``<unknown>``.

Unknown words must not break a sentence: training replaces known words by ``<unknown>`` now and then, so the
encoder learns to read around the gaps.

Axes: e expressions, s tokens, c channels.
"""

from collections import Counter
from collections.abc import Iterable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from deixis.ops.words import clean
from deixis.structures import Tokens
from deixis.text.tokenizer import Tokenizer

PAD, UNKNOWN = "<pad>", "<unknown>"
VOCABULARY_SIZE = 1024
MAX_TOKENS = 64


class WordsEncoder(nn.Module):
    """Word and position embeddings and a few transformer layers.

    Attributes:
        channels: width of the word features.
    """

    def __init__(
        self,
        channels: int = 128,
        num_layers: int = 2,
        num_heads: int = 4,
        vocabulary_size: int = VOCABULARY_SIZE,
        max_tokens: int = MAX_TOKENS,
        unknown_rate: float = 0.05,
    ) -> None:
        """Build with ``unknown_rate``: the share of words that training replaces by ``<unknown>``."""
        super().__init__()
        self.channels = channels
        self.unknown_rate = unknown_rate
        self.words = nn.Embedding(vocabulary_size, channels)
        self.positions = nn.Embedding(max_tokens, channels)
        layer = nn.TransformerEncoderLayer(
            channels,
            num_heads,
            4 * channels,
            dropout=0.1,
            activation="gelu",
            batch_first=True,
            norm_first=True,
        )
        self.layers = nn.TransformerEncoder(
            layer, num_layers, nn.LayerNorm(channels), enable_nested_tensor=False
        )
        nn.init.normal_(self.words.weight, std=0.5)
        nn.init.normal_(self.positions.weight, std=0.1)

    def forward(self, tokens: Tokens) -> Float[Tensor, "e s c"]:
        """Return one vector a token."""
        ids = tokens.ids
        if self.training and self.unknown_rate > 0:
            hidden = torch.rand(ids.shape, device=ids.device) < self.unknown_rate
            ids = torch.where(hidden & ~tokens.padding_mask, 1, ids)
        x = self.words(ids) + self.positions.weight[: ids.shape[1]]
        return self.layers(x, src_key_padding_mask=tokens.padding_mask)


def words_tiny() -> WordsEncoder:
    """Build the encoder of that name."""
    return WordsEncoder()


def train_tokenizer(expressions: Iterable[str], vocabulary_size: int = VOCABULARY_SIZE) -> Tokenizer:
    """Make the word-level tokenizer of the ``vocabulary_size - 2`` most frequent words."""
    import json

    from tokenizers import Tokenizer as Backend
    from tokenizers import models, normalizers, pre_tokenizers

    pieces = pre_tokenizers.Whitespace()
    counts: Counter[str] = Counter()
    for expression in expressions:
        counts.update(word for word, _ in pieces.pre_tokenize_str(clean(expression)))
    ranked = sorted(counts, key=lambda word: (-counts[word], word))[: vocabulary_size - 2]
    vocabulary = {word: index for index, word in enumerate([PAD, UNKNOWN, *ranked])}
    backend = Backend(models.WordLevel(vocabulary, unk_token=UNKNOWN))
    backend.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    backend.pre_tokenizer = pieces
    return Tokenizer(json.dumps(json.loads(backend.to_str())), pad_token=PAD, max_tokens=MAX_TOKENS)
