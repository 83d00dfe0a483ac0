"""Reading a referring sentence by rules: its head noun, and what is said of that and of nothing else.

The sentence is walked once from left to right behind the head. An owner tells whom the next words are about:
a noun of something that moves takes over ("the dog chased by the man in red": red is the man's), an auxiliary
gives back to the head ("the man near the car is walking"). Clothing and parts of the head add to its colours.
"""

from collections.abc import Sequence
from dataclasses import replace

from deixis.ops.lexicon import (
    BASIC_COLOURS,
    COLOUR_WORDS,
    NUMBERS,
    TYPICAL_COLOURS,
    TYPICAL_TEXTURES,
    noun_categories,
)

from .phrases import (
    NounPhrase,
    is_function_word,
    is_known,
    merge_phrases,
    noun_phrase_at,
    split_words,
    word_set,
)
from .request import WHOLE, ColourClaim, Request
from .spots import spot_at
from .walk import Walk

_PARTITIVES = word_set("group pair couple team bunch number one part some row line all both")


def read_sentence(text: str) -> Request:
    """Read what ``text`` asks for.

    Words of other languages, unknown nouns and slips do no harm: what is not understood is listed as unknown
    and asks for nothing.
    """
    words = split_words(text)
    unknown = tuple(word for word in words if not is_known(word))
    # Chance likeness of a foreign sentence to some English words is no request.
    if 3 * len(unknown) >= 2 * len(words) and not any(is_function_word(word) for word in words):
        return Request(unknown=unknown)
    head = _head(words)
    if head is None:
        walk = Walk("", ())
        walk.read(words, 0)
        return walk.request(count=1, unknown=unknown)
    walk = Walk(head.noun, noun_categories(head.noun))
    walk.read(words[: head.start], 0)
    walk.add_look(head, share=WHOLE)
    walk.add_adjectives(head)
    walk.read(words, head.end)
    number = max((NUMBERS.get(word, 1) for word in head.adjectives), default=1)
    request = walk.request(count=max(number, 2) if head.is_plural else 1, unknown=unknown)
    return _with_usual_look(request)


def _head(words: Sequence[str]) -> NounPhrase | None:
    """Find the noun phrase that the sentence is about: the first, behind any phrase of place."""
    place = 0
    spot = spot_at(words, 0)
    if spot is not None and spot.lead:
        place = spot.end
    while place < len(words):
        phrase = noun_phrase_at(words, place)
        if phrase is not None and (phrase.noun or phrase.unknown or phrase.adjectives):
            return _whole_of_part(words, phrase)
        place = phrase.end if phrase is not None else place + 1
    return None


def _whole_of_part(words: Sequence[str], phrase: NounPhrase) -> NounPhrase:
    """Follow "a group of dogs" and "the largest of the dogs" to the dogs."""
    is_number = phrase.noun in _PARTITIVES or phrase.noun in NUMBERS
    is_part = is_number or bool(phrase.adjectives and not phrase.noun)
    if not is_part or phrase.end >= len(words) or words[phrase.end] != "of":
        return phrase
    whole = noun_phrase_at(words, phrase.end + 1)
    if whole is None or not whole.noun:
        return phrase
    merged = merge_phrases(phrase, whole)
    is_several = phrase.is_plural or phrase.noun in NUMBERS
    return merged if is_several else replace(merged, is_plural=False)


def _with_usual_look(request: Request) -> Request:
    """Add the colours and the texture that are usual for the noun, where the sentence gives none."""
    usual = TYPICAL_COLOURS.get(request.noun)
    colours, texture = request.colours, request.texture
    if usual is not None and not colours:
        weights = tuple(usual.get(name, 0.0) for name in BASIC_COLOURS)
        is_said = any(word in COLOUR_WORDS for word in request.noun.split())
        colours = (ColourClaim(weights, WHOLE, is_said),)
    return replace(request, colours=colours, texture=texture or TYPICAL_TEXTURES.get(request.noun, ""))
