"""Sentences cut into words, and words into noun phrases: "the two small black and white dogs".

A reader of referring sentences needs little grammar: which words stand before a noun and so belong to it.
What is not in the lexicon is kept as unknown and does no harm.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from deixis.ops.lexicon import (
    BASIC_COLOURS,
    CLOTHING,
    COLOUR_WORDS,
    COLOURLESS_WORDS,
    DIRECTION_WORDS,
    FAST_WORDS,
    LIGHTNESS_WORDS,
    LONGEST_NOUN,
    MOVING_VERBS,
    MOVING_WORDS,
    NUMBERS,
    ORDINALS,
    PARTS,
    PLACE_WORDS,
    PLAIN_ADJECTIVES,
    SHADE_WORDS,
    SIZE_WORDS,
    SLOW_WORDS,
    STILL_VERBS,
    STILL_WORDS,
    SUPERLATIVE_PLACES,
    TEXTURE_WORDS,
    VERB_FORMS,
    is_noun,
    is_plural,
    names_thing,
    singular,
)

Weights = tuple[float, ...]
"""How far each of the basic colours is what was asked for."""


def word_set(text: str) -> frozenset[str]:
    """Return the words of ``text``."""
    return frozenset(text.split())


POSSESSIVES = word_set("its his her their my our your")
DETERMINERS = POSSESSIVES | word_set("a an the this that these those another other each any no very most s")
AUXILIARIES = word_set("is are was were be being been am has have had does do did gets get")
RELATIVES = word_set("that who which whose whom where")
PREPOSITIONS = word_set("""
    in on at of with without by from to into onto over under above below behind beside between through across
    along past around near next towards toward against after before during for inside outside upon off out
    away up down like as while and or but not it then there just only also together alone than forth
    forward forwards backward backwards
    """)
WORN = word_set("wearing wears wear dressed wore")
ADVERBIAL_RIGHT = word_set("next behind beside in near after above under before on at to")
"""Words before which "right" is no side: "right behind the tree"."""
_FUNCTION_WORDS = DETERMINERS | AUXILIARIES | RELATIVES | PREPOSITIONS | WORN
_ATTRIBUTIVE = (MOVING_VERBS | STILL_VERBS) - word_set("""
    play kick throw catch hit dribble chase follow push pull drag carry hold eat drink ride drive shoot watch
    juggle bounce toss haul tow cross pass approach enter leave overtake read talk feed fight tackle race
    """)
"""Verbs whose participle stands before a noun that does it: "a running dog", not "throwing balls"."""
_SHORTEST_CORRECTED = 5
_LOOKS = COLOUR_WORDS.keys() | COLOURLESS_WORDS | TEXTURE_WORDS.keys() | SIZE_WORDS.keys() | ORDINALS.keys()
_MOTIONS = STILL_WORDS | MOVING_WORDS | FAST_WORDS | SLOW_WORDS
_ADJECTIVES = _LOOKS | _MOTIONS | PLAIN_ADJECTIVES | NUMBERS.keys() | SUPERLATIVE_PLACES.keys()
_DARKER, _LIGHTER = "black", "white"
_SHIFT = 0.5


@dataclass(frozen=True)
class NounPhrase:
    """A noun and what stands before it.

    Attributes:
        noun: its singular; empty where none is known.
        is_plural: the noun is in the plural, or a number of more than one stands before it.
        determiner: the last one before the noun.
        adjectives: all words between, as they were written.
        unknown: words that are in no list.
        start: index of the first word.
        end: index behind the last word.
    """

    noun: str
    is_plural: bool
    determiner: str
    adjectives: tuple[str, ...]
    unknown: tuple[str, ...]
    start: int
    end: int

    def is_worn_or_part(self) -> bool:
        """Say whether it names clothing, or a part of a body or a machine."""
        return self.noun in CLOTHING or self.noun in PARTS


def split_words(text: str) -> tuple[str, ...]:
    """Split a sentence into lower-case words and commas; correct slips of long words; drop mere shades.

    A word of five letters or more that is unknown becomes the only known one that is one letter away, in a
    sentence of which half of the other words or more are known.
    """
    raw = re.findall(r"[^\W_]+(?:[-'\u2019][^\W_]+)*|,", text.lower())
    words: list[str] = []
    for word in raw:
        word = re.sub(r"['\u2019]s?$|['\u2019]", "", word)
        words.extend([word] if is_known(word) or "-" not in word else word.split("-"))
    known = sum(is_known(word) for word in words)
    if 2 * known >= len(words) - 1:
        words = [word if is_known(word) else _corrected(word) for word in words]
    words = [word for word in words if word]
    behind = [*words, ""][1:]
    return tuple(
        word for word, following in zip(words, behind, strict=True) if not _is_shade(word, following)
    )


def _is_shade(word: str, following: str) -> bool:
    """Say whether a word only shades the colour behind it: "jet black" is no aircraft."""
    return word in SHADE_WORDS and following in BASIC_COLOURS


def is_known(word: str) -> bool:
    """Say whether a word is in some list."""
    return (
        word == ","
        or word in _FUNCTION_WORDS
        or word in _ADJECTIVES
        or word in PLACE_WORDS
        or word in DIRECTION_WORDS
        or word in LIGHTNESS_WORDS
        or word in VERB_FORMS
        or is_noun(word)
        or word in _noun_parts()
    )


def is_function_word(word: str) -> bool:
    """Say whether a word is an article, an auxiliary, a pronoun or a preposition."""
    return word in _FUNCTION_WORDS


def noun_at(words: Sequence[str], start: int) -> int:
    """Return how many words from ``start`` on make the longest noun there; 0 where there is none."""
    for count in range(min(LONGEST_NOUN, len(words) - start), 0, -1):
        if is_noun(" ".join(words[start : start + count])):
            return count
    return 0


def noun_phrase_at(words: Sequence[str], start: int) -> NounPhrase | None:
    """Read the noun phrase that begins at ``start``, if one does.

    A phrase without a known noun ("in black", "a wubble") has an empty one.
    """
    determiner, adjectives, unknown = "", [], []
    place = start
    noun, plural = "", False
    while place < len(words):
        word = words[place]
        count = noun_at(words, place)
        is_adjective = _stands_before_noun(words, place)
        if count and not (is_adjective and count == 1) and not (noun and _reads_as_verb(words, place)):
            last = " ".join(words[place : place + count])
            adjectives += [noun] if noun else []
            noun, plural, place = singular(last), is_plural(last), place + count
        elif noun or not (is_adjective or word in DETERMINERS or not is_known(word) or _is_mere_part(word)):
            break
        else:
            if word in DETERMINERS:
                determiner = word
            elif is_known(word):
                adjectives.append(word)
            else:
                unknown.append(word)
            place += 1
    if not (noun or adjectives or unknown):
        return None
    plural = plural or any(NUMBERS.get(word, 1) > 1 for word in adjectives)
    return NounPhrase(noun, plural, determiner, tuple(adjectives), tuple(unknown), start, place)


def colour_weights(adjectives: Sequence[str]) -> tuple[Weights, ...]:
    """Return how far each basic colour is meant by each colour word in turn.

    "dark" and "light" before another colour word shift it towards black or white.
    """
    found: list[Weights] = []
    for place, word in enumerate(adjectives):
        if word not in COLOUR_WORDS:
            continue
        following = adjectives[place + 1] if place + 1 < len(adjectives) else ""
        if word in LIGHTNESS_WORDS and following in COLOUR_WORDS:
            continue
        weights = dict(COLOUR_WORDS[word])
        before = LIGHTNESS_WORDS.get(adjectives[place - 1], "") if place else ""
        if before:
            other = _DARKER if before == "dark" else _LIGHTER
            weights[other] = max(weights.get(other, 0.0), _SHIFT)
        found.append(tuple(weights.get(name, 0.0) for name in BASIC_COLOURS))
    return tuple(found)


def merge_phrases(first: NounPhrase, second: NounPhrase) -> NounPhrase:
    """Give the noun of ``second`` what was said of ``first`` ("a group of black dogs")."""
    return replace(
        second,
        is_plural=first.is_plural or second.is_plural or first.noun in NUMBERS,
        adjectives=first.adjectives + second.adjectives,
        unknown=first.unknown + second.unknown,
        start=first.start,
    )


def _stands_before_noun(words: Sequence[str], place: int) -> bool:
    """Say whether a word is an adjective here: of a look, of order, or a verb or place before its noun."""
    word = words[place]
    rest = words[place + 1 :]
    following = rest[0] if rest else ""
    if word in (",", "and"):
        # "black and white", "red, white and blue"
        listed = following if following not in ("and", "a") else (rest[1] if len(rest) > 1 else "")
        return place > 0 and words[place - 1] in COLOUR_WORDS and listed in COLOUR_WORDS
    if word == "short":
        return noun_at(words, place + 1) > 0
    if word == "top" and place and words[place - 1] in (COLOUR_WORDS.keys() | TEXTURE_WORDS.keys()):
        return False
    if word == "right" and following in ADVERBIAL_RIGHT:
        return False
    next_known = place + 1
    while next_known < len(words) and not is_known(words[next_known]):
        next_known += 1
    begins_noun = following in _ADJECTIVES or (
        noun_at(words, next_known) > 0 and words[next_known] not in PREPOSITIONS
    )
    if word in _ADJECTIVES:
        # "the couple", "the crowd": a noun where none follows.
        return begins_noun or not noun_at(words, place)
    if word in PLACE_WORDS:
        return begins_noun or following in PLACE_WORDS
    is_participle = word.endswith(("ing", "ed")) and VERB_FORMS.get(word, "") in _ATTRIBUTIVE
    # "in black running": a participle stands before the colour, not behind it.
    is_behind_colour = place > 0 and words[place - 1] in COLOUR_WORDS
    return is_participle and begins_noun and not is_behind_colour and not noun_at(words, place)


def _reads_as_verb(words: Sequence[str], place: int) -> bool:
    """Say whether a word behind a noun, itself a noun, is rather the verb: "the boat rocks"."""
    word = words[place]
    if word in PLACE_WORDS:
        return True
    if place and names_thing(words[place - 1]) and word in VERB_FORMS and noun_at(words, place) == 1:
        return not (place + 1 < len(words) and noun_at(words, place + 1))
    return False


def _is_mere_part(word: str) -> bool:
    """Say whether a word is known only from nouns of several words ("cocker spaniel")."""
    is_other = is_function_word(word) or is_noun(word) or word in VERB_FORMS or word in PLACE_WORDS
    return word in _noun_parts() and not is_other and word not in DIRECTION_WORDS


@cache
def _noun_parts() -> frozenset[str]:
    from deixis.ops.lexicon import NOUN_CATEGORIES, SCENERY

    return frozenset(word for noun in NOUN_CATEGORIES.keys() | SCENERY | CLOTHING for word in noun.split())


@cache
def _vocabulary() -> frozenset[str]:
    from deixis.ops.lexicon import SINGULARS

    words = _noun_parts() | _ADJECTIVES | PLACE_WORDS.keys() | DIRECTION_WORDS.keys() | SINGULARS.keys()
    verbs = {form for form, verb in VERB_FORMS.items() if form == verb or form.endswith(("ing", "s"))}
    return frozenset(word for word in words | verbs if len(word) >= _SHORTEST_CORRECTED - 1)


def _corrected(word: str) -> str:
    if len(word) < _SHORTEST_CORRECTED or not word.isascii():
        return word
    # Short words are near many others ("slice", "slide"): only colours and places are looked for.
    is_short = len(word) == _SHORTEST_CORRECTED
    near = _one_letter_away(word) & (COLOUR_WORDS.keys() | PLACE_WORDS.keys() if is_short else _vocabulary())
    return near.pop() if len(near) == 1 else word


def _one_letter_away(word: str) -> set[str]:
    letters = "abcdefghijklmnopqrstuvwxyz"
    cuts = [(word[:place], word[place:]) for place in range(len(word) + 1)]
    removed = {start + end[1:] for start, end in cuts if end}
    swapped = {start + end[1] + end[0] + end[2:] for start, end in cuts if len(end) > 1}
    changed = {start + letter + end[1:] for start, end in cuts if end for letter in letters}
    added = {start + letter + end for start, end in cuts for letter in letters}
    return removed | swapped | changed | added
