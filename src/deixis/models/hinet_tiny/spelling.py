"""Sentences as letters: the tokenizer of a model that reads sentences by rules, and must lose nothing."""

import json

from deixis.text.tokenizer import Tokenizer

PAD = "<pad>"
MAX_LETTERS = 4096
"""Of a sentence: more than 512 words have."""


def make_tokenizer() -> Tokenizer:
    """Return a tokenizer of one token a byte, from which every sentence comes back as it was."""
    from tokenizers import Tokenizer as Backend
    from tokenizers import decoders, models, normalizers, pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {letter: index for index, letter in enumerate([PAD, *alphabet])}
    backend = Backend(models.BPE(vocabulary, []))
    backend.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    backend.decoder = decoders.ByteLevel()
    return Tokenizer(json.dumps(json.loads(backend.to_str())), pad_token=PAD, max_tokens=MAX_LETTERS)
