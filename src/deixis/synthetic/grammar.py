"""From predicates to words: noun phrases with adjectives before the noun and phrases behind it."""

import re
from dataclasses import dataclass

import numpy as np

from .predicates import Predicate
from .vocabulary import (
    BASIC_NOUNS,
    COLOUR_WORDS,
    DIRECTION_PHRASES,
    LOCATION_PHRASES,
    MOTION_ADJECTIVES,
    MOTION_PHRASES,
    NOUNS,
    ORDER_ADJECTIVES,
    ORDER_PHRASES,
    PLURAL_MOTION_PHRASES,
    RELATION_PHRASES,
    SIZE_WORDS,
    TEXTURE_PHRASES,
    TEXTURE_WORDS,
    VERBS,
)

ANYTHING = Predicate("appearance", "noun", "thing")
"""The noun that says nothing."""

_NUMBERS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six"}
_ATTRIBUTES = ("size", "texture", "colour")


@dataclass(frozen=True)
class Claim:
    """A noun phrase before it has words.

    Attributes:
        noun: a predicate of name "noun".
        attributes: colour, size and texture.
        modifiers: location, motion, relation and order.
        anchor: the claim that picks out the anchor of a relation.
    """

    noun: Predicate
    attributes: tuple[Predicate, ...] = ()
    modifiers: tuple[Predicate, ...] = ()
    anchor: "Claim | None" = None

    @property
    def predicates(self) -> tuple[Predicate, ...]:
        """All that is said of the referent."""
        return (self.noun, *self.attributes, *self.modifiers)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of attribute that it speaks of; a noun that fits everything speaks of none."""
        said = [predicate.kind for predicate in self.predicates if predicate != ANYTHING]
        return tuple(dict.fromkeys(said))


def word(claim: Claim, rng: np.random.Generator, number: int = 1) -> str:
    """Say ``claim`` in words, of ``number`` objects; which synonyms and which form is drawn from ``rng``."""
    before: dict[str, str] = {}
    behind: list[str] = []
    for predicate in claim.attributes:
        # "with stripes furthest to the left" would put the stripes there.
        if predicate.name == "texture" and not claim.modifiers and rng.random() < 0.5:
            behind.append(_pick(rng, TEXTURE_PHRASES[predicate.value], plural=number > 1))
        else:
            words = {"colour": COLOUR_WORDS, "size": SIZE_WORDS, "texture": TEXTURE_WORDS}[predicate.name]
            before[predicate.name] = _pick(rng, words[predicate.value])
    for predicate in sorted(claim.modifiers, key=lambda item: item.kind):  # location, motion, order, relation
        adjective = _adjective(predicate, rng)
        if adjective:
            before[predicate.kind] = adjective
        else:
            behind.append(_phrase(predicate, claim, rng, number))
    noun = NOUNS[claim.noun.value]
    choice = int(rng.integers(len(noun.singular))) if rng.random() < 0.5 else 0
    head = noun.plural[choice] if number > 1 else noun.singular[choice]
    names = [name for name in ("order", "motion", *_ATTRIBUTES) if name in before]
    words = " ".join([*(before[name] for name in names), head, *behind])
    article = _article(words, rng, number, is_unique="order" in claim.kinds)
    if article == "the " and claim.noun == ANYTHING and number == 1 and rng.random() < 0.25:
        words = " ".join([*(before[name] for name in names), "one", *behind])
    return article + words


def _pick(rng: np.random.Generator, options: tuple[str, ...], *, plural: bool = False) -> str:
    chosen = options[int(rng.integers(len(options)))]
    if plural:
        chosen = chosen.replace("that has", "that have").replace("that is", "that are")
    return chosen


def _adjective(predicate: Predicate, rng: np.random.Generator) -> str:
    """Return the word to stand before the noun, or nothing where the predicate is better said behind it."""
    if predicate.kind == "motion" and predicate.name in MOTION_ADJECTIVES and rng.random() < 0.25:
        return _pick(rng, MOTION_ADJECTIVES[predicate.name])
    key = (predicate.name, predicate.value)
    if predicate.kind == "order" and key in ORDER_ADJECTIVES and rng.random() < 0.75:
        return _pick(rng, ORDER_ADJECTIVES[key])
    return ""


def _phrase(predicate: Predicate, claim: Claim, rng: np.random.Generator, number: int) -> str:
    """Return the words that follow the noun."""
    if predicate.kind == "location":
        return _pick(rng, LOCATION_PHRASES[predicate.value])
    if predicate.kind == "order":
        return _pick(rng, ORDER_PHRASES[predicate.name, predicate.value])
    if predicate.kind == "relation":
        assert claim.anchor is not None
        words = word(claim.anchor, rng)
        words = re.sub(r"^(the |an? )?", "the ", words)
        return f"{_pick(rng, RELATION_PHRASES[predicate.name])} {words}"
    if predicate.name != "direction":
        return _pick(rng, (PLURAL_MOTION_PHRASES if number > 1 else MOTION_PHRASES)[predicate.name])
    own = VERBS.get(claim.noun.value, ())
    verbs = own if own and rng.random() < 0.6 else VERBS[""]
    participle, singular, plural = verbs[int(rng.integers(len(verbs)))]
    form = participle if rng.random() < 0.65 else f"that {plural if number > 1 else singular}"
    return f"{form} {_pick(rng, DIRECTION_PHRASES[predicate.value])}"


def _article(words: str, rng: np.random.Generator, number: int, *, is_unique: bool) -> str:
    """Return an article with its space, or nothing."""
    if number > 1:
        options = (
            "the ",
            "all ",
            f"the {_NUMBERS.get(number, 'many')} ",
            "both " if number == 2 else "all the ",
        )
        return options[int(rng.integers(4))]
    if is_unique:
        return "the "
    indefinite = "an " if words[0] in "aeiou" else "a "
    return str(rng.choice(("the ", indefinite, ""), p=(0.6, 0.22, 0.18)))


def names_pair(claim: Claim, pairs: tuple[tuple[str, str], ...]) -> bool:
    """Whether ``claim`` (or its anchor) speaks of one of the combinations of colour and shape."""
    colours = [predicate.value for predicate in claim.attributes if predicate.name == "colour"]
    named = claim.noun.value in BASIC_NOUNS and any((colour, claim.noun.value) in pairs for colour in colours)
    return named or (claim.anchor is not None and names_pair(claim.anchor, pairs))
