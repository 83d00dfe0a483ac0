"""Sentences as strings: cleaning, and the words that change when a clip is mirrored."""

import re
import unicodedata

from deixis.errors import ExpressionError

MAX_WORDS = 512
"""An expression of more words than this is a mistake of the caller, not a sentence."""


def clean(expression: str) -> str:
    """Lower-case ``expression`` and join its words by single spaces (as MTTR and ReferFormer do).

    Raises:
        ExpressionError: not a string, empty, too long, or with control characters.
    """
    if not isinstance(expression, str):
        raise ExpressionError(f"an expression must be a string, got {type(expression).__name__}")
    words = expression.lower().split()
    if not words:
        raise ExpressionError("the expression is empty; say in a few words which object you mean")
    if len(words) > MAX_WORDS:
        raise ExpressionError(f"the expression has {len(words):,} words; at most {MAX_WORDS} are taken")
    cleaned = " ".join(words)
    for character in cleaned:
        if unicodedata.category(character) == "Cc":
            raise ExpressionError(
                f"the expression holds the control character U+{ord(character):04X}; remove it"
            )
    return cleaned


def swap_sides(expression: str) -> str:
    """Swap the words "left" and "right" (whole words, case kept), as the mirror image of a clip asks."""
    other = {"left": "right", "right": "left", "Left": "Right", "Right": "Left"}
    return re.sub(
        r"\b(left|right|Left|Right)(?=\b|(most|ward|wards)\b)", lambda match: other[match[0]], expression
    )


def swap_sides_published(expression: str) -> str:
    """Swap "left" and "right" by substring through the placeholder "@", as the published MTTR code does.

    "bright" becomes "bleft" and a literal "@" becomes "right": kept to repeat published trainings.
    """
    return expression.replace("left", "@").replace("right", "left").replace("@", "right")


def without_punctuation(expression: str) -> str:
    """Delete ``. , ' ! ? " ( ) * # : ;`` and put spaces in the place of ``-`` and ``/`` (UniRef, code)."""
    return expression.translate(str.maketrans("-/", "  ", ".,'!?\"()*#:;"))
