"""Phrases of place in a sentence: "on the far left side of the picture", "closest to the camera"."""

from collections.abc import Sequence
from dataclasses import dataclass

from deixis.ops.lexicon import PLACE_WORDS, SUPERLATIVE_PLACES, is_noun, names_thing

from .phrases import ADVERBIAL_RIGHT, POSSESSIVES, noun_phrase_at, word_set

CORE_WORDS = frozenset(PLACE_WORDS) - word_set(
    "near nearer nearest closer closest nearby behind far farther farthest further furthest distant"
)
"""Words of a place that need no other thing."""
FRAME_NOUNS = word_set("picture image frame view video screen scene camera shot viewer lens")
_REGION_NOUNS = word_set("side corner edge part half end hand area border portion lane row section")
_LEADS = word_set("on at in to from near by toward towards into for")
_FAR = word_set("far very extreme most")
_FILLERS = frozenset(("the", "a", "very", "far", "extreme", "most", "more", "and", "of"))
_OPPOSED = frozenset(("front", "top", "back", "bottom"))


@dataclass(frozen=True)
class Spot:
    """A phrase of place.

    Attributes:
        lead: its preposition, if any.
        places: as in ``PLACES``.
        is_extreme: "the far left".
        anchor: noun after "of", if any; empty where it is the frame.
        is_own: of a possessive: "on its back".
        end: index behind its last word.
    """

    lead: str
    places: tuple[str, ...]
    is_extreme: bool
    anchor: str
    is_own: bool
    end: int

    @property
    def is_relative(self) -> bool:
        """Whether it is a place beside, before or on another thing, not in the frame."""
        is_solid = bool(self.anchor) and (names_thing(self.anchor) or self.places[0] in _OPPOSED)
        return self.is_own or is_solid


def spot_at(words: Sequence[str], start: int) -> Spot | None:
    """Read the phrase of place that begins at ``start``, if one does."""
    place, lead, is_extreme, is_own = start, "", False, False
    while place < len(words) and (words[place] in _LEADS or words[place] in _FILLERS - {"of", "and"}):
        lead = words[place] if words[place] in _LEADS else lead
        is_extreme |= words[place] in _FAR
        place += 1
    if place < len(words) and words[place] in POSSESSIVES:
        is_own, place = True, place + 1
    places: list[str] = []
    while place < len(words) and _is_core(words, place, bool(places)):
        if words[place] in CORE_WORDS:
            places.append(PLACE_WORDS[words[place]])
        place += 1
    if not places:
        return None
    while place < len(words) and words[place] in _REGION_NOUNS:
        place += 1
    if place < len(words) and words[place] == "most":
        is_extreme, place = True, place + 1
    anchor = ""
    phrase = None
    if place + 1 < len(words) and words[place] in ("of", "from"):
        phrase = noun_phrase_at(words, place + 1)
    if phrase is not None and words[place] == "of":
        anchor = "" if phrase.noun in FRAME_NOUNS else phrase.noun or "one"
        place = phrase.end if not anchor else place
    elif phrase is not None and names_thing(phrase.noun):
        anchor = phrase.noun
    return Spot(lead, tuple(dict.fromkeys(places)), is_extreme, anchor, is_own, place)


def extreme_at(words: Sequence[str], start: int) -> tuple[str, int] | None:
    """Read a superlative of place at ``start``: the place that it ends in, and the index behind it.

    "closest to the camera" is "front", "furthest to the left" and "closest to the left side" are "left".
    """
    word = words[start]
    if word not in SUPERLATIVE_PLACES:
        return None
    if start + 1 < len(words) and words[start + 1] in ("to", "from"):
        spot = spot_at(words, start + 1)
        if spot is not None and not spot.is_relative:
            return spot.places[0], spot.end
        phrase = noun_phrase_at(words, start + 2)
        if phrase is not None and phrase.noun not in FRAME_NOUNS:
            return None
        return SUPERLATIVE_PLACES[word], phrase.end if phrase is not None else start + 2
    return SUPERLATIVE_PLACES[word], start + 1


def _is_core(words: Sequence[str], place: int, has_begun: bool) -> bool:
    word = words[place]
    following = words[place + 1] if place + 1 < len(words) else ""
    if word == "back" and tuple(words[place + 1 : place + 3]) == ("and", "forth"):
        return False
    if word in ("and", ",", "-", "most", "hand"):
        return has_begun and following in CORE_WORDS
    if word not in CORE_WORDS:
        return False
    is_led = place > 0 and (words[place - 1] in _FILLERS or words[place - 1] in _LEADS)
    if word == "right" and following in ADVERBIAL_RIGHT and not (is_led or has_begun):
        return False
    # "to the left car": what stands there is a noun, and the place belongs to that.
    return not following or following in _REGION_NOUNS or following in CORE_WORDS or not is_noun(following)
