"""Expressions to token ids, from the text of a ``tokenizer.json`` alone."""

from collections.abc import Sequence
from pathlib import Path

import torch

from deixis.errors import CheckpointError, ExpressionError
from deixis.ops.words import clean
from deixis.structures import Tokens

PAD_TOKENS = ("<pad>", "[PAD]")
"""Padding tokens of RoBERTa and of BERT."""

UNKNOWN_TOKENS = ("<unknown>", "<unk>", "[UNK]")
"""What stands for words outside of the vocabulary: ours, RoBERTa's, BERT's."""


class Tokenizer:
    """A ``tokenizer.json`` and its padding id: that of a published checkpoint, or the tiny one of ours."""

    def __init__(self, definition: str, *, pad_token: str = "", max_tokens: int = 512) -> None:
        """Build from the JSON text of a ``tokenizers`` file.

        Args:
            definition: the text.
            pad_token: fills short rows of a batch; "": the one of :data:`PAD_TOKENS` that it has.
            max_tokens: of an expression.

        Raises:
            CheckpointError: the text is not a tokenizer, or has no such padding token.
        """
        from tokenizers import Tokenizer as Backend

        try:
            self._backend = Backend.from_str(definition)
        except Exception as error:
            raise CheckpointError(f"the tokenizer file cannot be read: {error}") from error
        found = (token for token in PAD_TOKENS if self._backend.token_to_id(token) is not None)
        pad_token = pad_token or next(found, PAD_TOKENS[0])
        padding_id = self._backend.token_to_id(pad_token)
        if padding_id is None:
            raise CheckpointError(f"the tokenizer has no padding token {pad_token!r}")
        self.definition = definition
        self.pad_token = pad_token
        self.padding_id: int = padding_id
        self.max_tokens = max_tokens

    @classmethod
    def from_file(cls, path: Path, *, pad_token: str = "", max_tokens: int = 512) -> "Tokenizer":
        """Read ``tokenizer.json`` at ``path``."""
        return cls(path.read_text(encoding="utf-8"), pad_token=pad_token, max_tokens=max_tokens)

    @property
    def vocabulary_size(self) -> int:
        """How many ids there are."""
        return self._backend.get_vocab_size()

    def knows(self, expression: str) -> bool:
        """Tell whether a word of ``expression`` is in the vocabulary, at least in part.

        Raises:
            ExpressionError: an expression that :func:`clean` refuses.
        """
        unknown = {self._backend.token_to_id(token) for token in UNKNOWN_TOKENS}
        encoded = self._backend.encode(clean(expression), add_special_tokens=False)
        return not unknown.issuperset(encoded.ids)

    def __call__(self, expressions: Sequence[str]) -> Tokens:
        """Clean and encode ``expressions``; rows are padded to the longest.

        Raises:
            ExpressionError: an expression that :func:`clean` refuses, or of more than ``max_tokens`` tokens.
        """
        rows = [self._backend.encode(clean(expression)).ids for expression in expressions]
        longest = max(len(row) for row in rows)
        if longest > self.max_tokens:
            raise ExpressionError(
                f"an expression has {longest} tokens; this model takes at most {self.max_tokens}"
            )
        ids = torch.full((len(rows), longest), self.padding_id)
        padding_mask = torch.ones(len(rows), longest, dtype=torch.bool)
        for index, row in enumerate(rows):
            ids[index, : len(row)] = torch.tensor(row)
            padding_mask[index, : len(row)] = False
        return Tokens(ids, padding_mask)

    def decode(self, ids: Sequence[int]) -> str:
        """Return the sentence that the ``ids`` of one row stand for, special tokens left out."""
        return self._backend.decode(list(ids))
