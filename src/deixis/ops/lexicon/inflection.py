"""Plurals and verb forms of English, and the reading of a word back to its plain form."""

from collections.abc import Mapping
from types import MappingProxyType

from .nouns import AMBIGUOUS_NOUNS, CLOTHING, GENERIC_NOUNS, NOUNS, PARTS, SCENERY
from .places import IRREGULAR_VERBS, MOVING_VERBS, OTHER_VERBS, STILL_VERBS

IRREGULAR_PLURALS: Mapping[str, str] = MappingProxyType(
    {
        "person": "people",
        "man": "men",
        "woman": "women",
        "child": "children",
        "goose": "geese",
        "mouse": "mice",
        "ox": "oxen",
        "foot": "feet",
        "calf": "calves",
        "wolf": "wolves",
        "leaf": "leaves",
        "thief": "thieves",
        "shelf": "shelves",
        "hoof": "hooves",
        "wife": "wives",
        "fish": "fish",
        "sheep": "sheep",
        "deer": "deer",
        "moose": "moose",
        "bison": "bison",
        "aircraft": "aircraft",
        "cattle": "cattle",
        "people": "people",
        "salmon": "salmon",
        "trout": "trout",
        "passerby": "passersby",
        "jeans": "jeans",
        "potato": "potatoes",
        "buffalo": "buffaloes",
        "mosquito": "mosquitoes",
    }
)


def plural(noun: str) -> str:
    """Give the plural of a singular noun; of several words the last is changed.

    >>> plural("fishing boat"), plural("policeman"), plural("bus"), plural("pony")
    ('fishing boats', 'policemen', 'buses', 'ponies')
    """
    start, _, last = noun.rpartition(" ")
    prefix = f"{start} " if start else ""
    if last in IRREGULAR_PLURALS:
        return prefix + IRREGULAR_PLURALS[last]
    for ending in ("woman", "man", "fish"):
        if last.endswith(ending) and last != "human":
            return prefix + last.removesuffix(ending) + IRREGULAR_PLURALS[ending]
    if last.endswith(("s", "x", "z", "ch", "sh")):
        return prefix + last + "es"
    if last.endswith("y") and last[-2:-1] not in ("a", "e", "i", "o", "u", ""):
        return prefix + last[:-1] + "ies"
    return prefix + last + "s"


def _categories() -> dict[str, tuple[str, ...]]:
    table = {noun: (category,) for category, nouns in NOUNS.items() for noun in nouns}
    return table | dict(AMBIGUOUS_NOUNS)


NOUN_CATEGORIES: Mapping[str, tuple[str, ...]] = MappingProxyType(_categories())
"""The categories of every singular noun of a thing that may move; empty where it says nothing of them."""

_NAMED = frozenset(NOUN_CATEGORIES) | GENERIC_NOUNS
_ALL_NOUNS = _NAMED | CLOTHING | PARTS | SCENERY

SINGULARS: Mapping[str, str] = MappingProxyType(
    {plural(noun): noun for noun in sorted(_ALL_NOUNS) if plural(noun) not in _ALL_NOUNS}
)
"""The singular of the plural of every noun of the lexicon."""

LONGEST_NOUN = max(noun.count(" ") + 1 for noun in _ALL_NOUNS)
"""Words of the longest noun."""


def singular(noun: str) -> str:
    """Give the singular of a noun of the lexicon, and any other word as it came."""
    return SINGULARS.get(noun, noun)


def is_plural(noun: str) -> bool:
    """Say whether a word is a plural that differs from its singular, and a plural of the lexicon."""
    return noun in SINGULARS or noun in ("people", "cattle", "ones", "others", "they", "them")


def noun_categories(noun: str) -> tuple[str, ...]:
    """Give the categories of a noun, singular or plural, the likeliest first; none where it says nothing."""
    return NOUN_CATEGORIES.get(singular(noun), ())


def is_noun(words: str) -> bool:
    """Say whether ``words`` are a noun of the lexicon, singular or plural."""
    return singular(words) in _ALL_NOUNS


def names_thing(words: str) -> bool:
    """Say whether ``words`` name something that may move or whatever there is, singular or plural."""
    return singular(words) in _NAMED


def _forms(verb: str) -> set[str]:
    stems = {verb, verb + verb[-1]}
    if verb.endswith("e"):
        stems.add(verb[:-1])
    forms = {stem + ending for stem in stems for ending in ("ing", "ed", "s", "es")} | {verb}
    return forms | ({verb[:-1] + "ies", verb[:-1] + "ied"} if verb.endswith("y") else set())


VERB_FORMS: Mapping[str, str] = MappingProxyType(
    {form: verb for verb in sorted(MOVING_VERBS | STILL_VERBS | OTHER_VERBS) for form in sorted(_forms(verb))}
    | dict(IRREGULAR_VERBS)
)
"""The bare verb of every form; forms that English does not use are in it too, as people write them."""
