"""Expressions to tokens to features. ``TEXT_ENCODERS`` names the architectures, ``build`` makes one."""

import importlib
from typing import TYPE_CHECKING

from deixis.errors import UnknownNameError

if TYPE_CHECKING:
    from torch import nn

__all__ = ["TEXT_ENCODERS", "build"]

TEXT_ENCODERS: dict[str, str] = {
    "words-tiny": "deixis.text.words:words_tiny",
    "roberta-base": "deixis.text.encoder:roberta_base",
    "roberta-large": "deixis.text.encoder:roberta_large",
    "distilroberta-base": "deixis.text.encoder:distilroberta_base",
    "bert-base-uncased": "deixis.text.bert:bert_base",
}
"""Name -> "module:builder". A text encoder has ``channels`` and maps :class:`~deixis.structures.Tokens` to
one vector a token, ``[e, s, c]``."""


def build(name: str) -> "nn.Module":
    """Build the text encoder ``name`` with fresh weights; nothing is downloaded.

    Raises:
        UnknownNameError: no line of ``TEXT_ENCODERS`` has it; the closest names are offered.
    """
    if name not in TEXT_ENCODERS:
        raise UnknownNameError("text encoder", name, TEXT_ENCODERS)
    module, builder = TEXT_ENCODERS[name].split(":")
    return getattr(importlib.import_module(module), builder)()
