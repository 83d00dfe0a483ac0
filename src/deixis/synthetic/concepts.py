"""Phrases about no clip in particular, judged of the objects of any: what words mean, learned apart.

A sentence of :mod:`deixis.synthetic.expressions` tells one object from the others of its clip, and a clip
carries ten of them. A phrase of this module ("striped hoop", "thing moving left") is true, false or
borderline of every object of every clip, so that a few clips and a few phrases make thousands of examples.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Int8

from .attributes import COLOURS, SIZES, TEXTURES
from .expressions import Prover
from .grammar import ANYTHING, Claim, names_pair, word
from .observation import observe
from .predicates import DIRECTIONS, Predicate
from .render import RenderedClip
from .scene import Pair
from .vocabulary import LOCATION_PHRASES, MOTION_PHRASES, NOUNS

CONCEPT_KINDS = ("appearance", "motion", "location")
"""What a phrase may speak of without the other objects of a clip."""

_VALUES = {"colour": tuple(COLOURS), "size": tuple(SIZES), "texture": tuple(TEXTURES)}
_NOUN_SHARE, _PLAIN_NOUN_SHARE = 0.6, 0.35
_SHARES_WITH_NOUN = {"colour": 0.4, "size": 0.12, "texture": 0.15}
_SHARES_ALONE = {"colour": 0.6, "size": 0.2, "texture": 0.25}
_LOOK_SHARE = 0.3
_DIRECTION_SHARE = 0.45


@dataclass(frozen=True)
class Concept:
    """A phrase.

    Attributes:
        text: the words.
        claim: what they say.
    """

    text: str
    claim: Claim


def draw_concepts(
    rng: np.random.Generator, count: int, kinds: Collection[str], forbidden_pairs: tuple[Pair, ...] = ()
) -> tuple[Concept, ...]:
    """Draw ``count`` phrases, each of one of ``kinds`` and perhaps of a look besides.

    Args:
        rng: of the draw.
        count: how many.
        kinds: some of :data:`CONCEPT_KINDS`.
        forbidden_pairs: colours and shapes that no phrase names together.
    """
    ordered = sorted(kinds)
    concepts: list[Concept] = []
    while len(concepts) < count:
        claim = _draw_claim(rng, ordered[int(rng.integers(len(ordered)))])
        if not names_pair(claim, forbidden_pairs):
            concepts.append(Concept(word(claim, rng), claim))
    return tuple(concepts)


def judge(clip: RenderedClip, concepts: tuple[Concept, ...]) -> Int8[np.ndarray, "q n"]:
    """Say of which objects of ``clip`` each phrase is true (1), false (0) or borderline (-1)."""
    prover = Prover(observe(clip))
    return np.array(
        [
            [-1 if truth is None else int(truth) for truth in prover.conjunction(concept.claim.predicates)]
            for concept in concepts
        ],
        np.int8,
    )


def _draw_claim(rng: np.random.Generator, kind: str) -> Claim:
    claim = _draw_look(rng) if kind == "appearance" or rng.random() < _LOOK_SHARE else Claim(ANYTHING)
    if kind == "motion":
        is_direction = rng.random() < _DIRECTION_SHARE
        name = "direction" if is_direction else _pick(rng, tuple(MOTION_PHRASES))
        value = _pick(rng, tuple(DIRECTIONS)) if is_direction else ""
        return replace(claim, modifiers=(Predicate("motion", name, value),))
    if kind == "location":
        place = Predicate("location", "place", _pick(rng, tuple(LOCATION_PHRASES)))
        return replace(claim, modifiers=(place,))
    return claim


def _draw_look(rng: np.random.Generator) -> Claim:
    """Draw a noun, attributes, or both."""
    shares: dict[str, float] = _SHARES_ALONE
    noun = ANYTHING
    if rng.random() < _NOUN_SHARE:
        noun = Predicate("appearance", "noun", _pick(rng, tuple(name for name in NOUNS if name != "thing")))
        shares = {} if rng.random() < _PLAIN_NOUN_SHARE else _SHARES_WITH_NOUN
    names = [name for name, share in shares.items() if rng.random() < share]
    if noun == ANYTHING and not names:
        names = ["colour"]
    return Claim(noun, tuple(Predicate("appearance", name, _pick(rng, _VALUES[name])) for name in names))


def _pick(rng: np.random.Generator, options: tuple[str, ...]) -> str:
    return options[int(rng.integers(len(options)))]
