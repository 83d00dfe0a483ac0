"""Sentences about a rendered clip, each proven: one referent, several, or none.

A claim is drawn, judged of every object (see :mod:`deixis.synthetic.predicates`), and used only if it is
clearly true or clearly false of each of them.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from deixis.data.records import Expression

from .attributes import COLOURS, SIZES, TEXTURES
from .grammar import ANYTHING, Claim, names_pair, word
from .observation import Observation, observe
from .order import ORDERS
from .predicates import DIRECTIONS, Predicate, Truths, conjunction, truths
from .render import RenderedClip
from .shapes import SHAPES
from .vocabulary import BASIC_NOUNS, LOCATION_PHRASES, MOTION_PHRASES, NOUNS, RELATION_PHRASES

KIND_WEIGHTS: dict[tuple[str, ...], float] = {
    ("appearance",): 0.30,
    ("location",): 0.21,
    ("motion",): 0.26,
    ("relation",): 0.06,
    ("order",): 0.05,
    ("appearance", "location"): 0.05,
    ("appearance", "motion"): 0.07,
    ("appearance", "relation"): 0.02,
    ("appearance", "order"): 0.02,
    ("location", "motion"): 0.02,
}
"""How often each combination of kinds is tried first; where it cannot be proven another takes its place."""

ABSENT_SHARE, SEVERAL_SHARE = 0.17, 0.05
_TRIES = 10


@dataclass(frozen=True)
class Statement:
    """A sentence with its proof.

    Attributes:
        text: the words.
        claim: what they say.
        referents: indices of the objects of which it is true.
    """

    text: str
    claim: Claim
    referents: tuple[int, ...]

    @property
    def said(self) -> frozenset[Predicate]:
        """What tells two statements apart: the same said in other words is no other statement."""
        return frozenset(self.claim.predicates)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of attribute, and "absent" or "several"."""
        extra = ("absent",) if not self.referents else ("several",) if len(self.referents) > 1 else ()
        return (*self.claim.kinds, *extra)


@dataclass(frozen=True)
class Prover:
    """Judges claims about one clip, each predicate once."""

    observation: Observation
    known: dict[Predicate, Truths] = field(default_factory=dict)

    def truths(self, predicate: Predicate) -> Truths:
        """Return the truth of ``predicate`` of every object."""
        if predicate not in self.known:
            self.known[predicate] = truths(self.observation, predicate)
        return self.known[predicate]

    def conjunction(self, predicates: tuple[Predicate, ...]) -> Truths:
        """Return of every object whether all ``predicates`` hold."""
        return conjunction([self.truths(predicate) for predicate in predicates], self.observation.num_objects)

    def referents(self, predicates: tuple[Predicate, ...]) -> tuple[int, ...] | None:
        """Return the objects of which all ``predicates`` hold, or None where one object is borderline."""
        joined = self.conjunction(predicates)
        if None in joined:
            return None
        return tuple(index for index, truth in enumerate(joined) if truth)


def describe(clip: RenderedClip, rng: np.random.Generator, count: int = 10) -> tuple[Expression, ...]:
    """Return about ``count`` expressions of ``clip``, in no particular order, with ids "0", "1", ..."""
    return tuple(
        Expression(
            id=str(number),
            text=statement.text,
            object_ids=tuple(clip.scene.objects[index].id for index in statement.referents),
            kinds=statement.kinds,
        )
        for number, statement in enumerate(state(clip, rng, count))
    )


def state(clip: RenderedClip, rng: np.random.Generator, count: int = 10) -> tuple[Statement, ...]:
    """Return the statements behind :func:`describe`: first one of each object, then at random."""
    prover = Prover(observe(clip))
    num_absent = int(ABSENT_SHARE * count + rng.random())
    num_several = int(SEVERAL_SHARE * count + rng.random())
    statements: dict[frozenset[Predicate], Statement] = {}

    def add(number: int, draw: Callable[[], Statement | None]) -> None:
        for _ in range(number):
            for _ in range(_TRIES):
                statement = draw()
                if statement is not None and statement.said not in statements:
                    statements[statement.said] = statement
                    break

    add(num_absent, lambda: _absent(prover, rng))
    add(num_several, lambda: _several(prover, rng))
    order = list(rng.permutation(prover.observation.num_objects))
    for turn in range(max(count - len(statements), 0)):
        target = int(order[turn]) if turn < len(order) else int(rng.choice(order))
        add(1, lambda target=target: _single(prover, rng, target))
    drawn = list(statements.values())
    return tuple(drawn[place] for place in rng.permutation(len(drawn)))


def _single(prover: Prover, rng: np.random.Generator, target: int) -> Statement | None:
    """Draw kinds by weight, then claims of those kinds until one denotes ``target`` alone."""
    weights = np.array(list(KIND_WEIGHTS.values()))
    kinds = list(KIND_WEIGHTS)[int(rng.choice(len(weights), p=weights / weights.sum()))]
    for _ in range(_TRIES):
        claim = _claim(prover, rng, target, kinds)
        if claim is not None and prover.referents(claim.predicates) == (target,):
            return Statement(word(claim, rng), claim, (target,))
    return None


def _claim(prover: Prover, rng: np.random.Generator, target: int, kinds: tuple[str, ...]) -> Claim | None:
    """Draw a claim of ``kinds`` that is true of ``target``, perhaps of others too."""
    claim = Claim(ANYTHING)
    if "appearance" in kinds:
        claim = _appearance(prover, rng, target, sparse=len(kinds) > 1)
    for kind in kinds:
        if kind != "appearance":
            extended = _modify(prover, rng, target, claim, kind)
            if extended is None:
                return None
            claim = extended
    return claim


def _appearance(prover: Prover, rng: np.random.Generator, target: int, *, sparse: bool = False) -> Claim:
    """Draw a noun and attributes of ``target``; ``sparse`` claims say less."""
    spec = prover.observation.scene.objects[target]
    nouns = [
        name
        for name, noun in NOUNS.items()
        if spec.shape in noun.shapes and name not in ("thing", spec.shape)
    ]
    draw = rng.random()
    name = spec.shape if draw < 0.62 or not nouns else str(rng.choice(nouns)) if draw < 0.76 else "thing"
    shares = {"colour": 0.7, "size": 0.25, "texture": 0.12 if spec.texture == "plain" else 0.3}
    if sparse:
        shares = {"colour": 0.35, "size": 0.1, "texture": 0.1}
    names = [attribute for attribute, share in shares.items() if rng.random() < share]
    if name == "thing" and not names:
        names = [str(rng.choice(list(shares), p=(0.7, 0.15, 0.15)))]
    chosen = tuple(Predicate("appearance", attribute, getattr(spec, attribute)) for attribute in names)
    return Claim(Predicate("appearance", "noun", name), chosen)


def _modify(prover: Prover, rng: np.random.Generator, target: int, claim: Claim, kind: str) -> Claim | None:
    """Add a modifier of ``kind`` that is true of ``target`` to ``claim``; None where there is none."""
    anchors: dict[int, Claim] = {}
    if kind == "relation":
        anchors = _anchors(prover, rng, target)
    options = [
        option
        for option in _options(prover, kind, claim, tuple(anchors))
        if prover.truths(option)[target] is True
    ]
    if not options:
        return None
    # Directions and corners outnumber the other words; each *name* is drawn first.
    names = sorted({option.name for option in options})
    name = names[int(rng.integers(len(names)))]
    if kind == "motion" and "direction" in names and rng.random() < 0.45:
        name = "direction"
    named = [option for option in options if option.name == name]
    chosen = named[int(rng.integers(len(named)))]
    anchor = anchors.get(chosen.anchor) if chosen.anchor is not None else claim.anchor
    return replace(claim, modifiers=(*claim.modifiers, chosen), anchor=anchor)


def _options(prover: Prover, kind: str, claim: Claim, anchors: tuple[int, ...]) -> list[Predicate]:
    """List all predicates of ``kind``."""
    if kind == "location":
        return [Predicate(kind, "place", value) for value in LOCATION_PHRASES]
    if kind == "motion":
        names = [Predicate(kind, name) for name in MOTION_PHRASES]
        return names + [Predicate(kind, "direction", value) for value in DIRECTIONS]
    if kind == "relation":
        return [Predicate(kind, name, anchor=anchor) for anchor in anchors for name in RELATION_PHRASES]
    return _orders(prover, claim)


def _orders(prover: Prover, claim: Claim) -> list[Predicate]:
    """List the ranks among the objects that ``claim`` already fits: at least two, three for a second."""
    options = []
    for by, ranks in ORDERS.items():
        narrowed = claim.predicates
        if by in ("entering", "leaving"):
            narrowed = (*narrowed, Predicate("motion", "enters" if by == "entering" else "leaves"))
        domain = prover.referents(narrowed)
        if domain is None or len(domain) < 2:
            continue
        options += [
            Predicate("order", by, rank, domain=domain)
            for rank in ranks
            if rank != "second" or len(domain) > 2
        ]
    return options


def _anchors(prover: Prover, rng: np.random.Generator, target: int) -> dict[int, Claim]:
    """Return, for the other objects that a look alone picks out, a claim that does."""
    found = {}
    for index in range(prover.observation.num_objects):
        for _ in range(3):
            claim = _appearance(prover, rng, index)
            if index != target and prover.referents(claim.predicates) == (index,):
                found[index] = claim
                break
    return found


def _several(prover: Prover, rng: np.random.Generator) -> Statement | None:
    """Draw what is true of a random object, until it is true of more than one."""
    target = int(rng.integers(prover.observation.num_objects))
    kinds = (("appearance",), ("appearance",), ("motion",), ("location",), ("appearance", "motion"))
    claim = _claim(prover, rng, target, kinds[int(rng.integers(len(kinds)))])
    referents = None if claim is None else prover.referents(claim.predicates)
    if claim is None or referents is None or len(referents) < 2:
        return None
    return Statement(word(claim, rng, number=len(referents)), claim, referents)


def _absent(prover: Prover, rng: np.random.Generator) -> Statement | None:
    """Draw something that no object of the clip is, most often one that is nearly there."""
    draw, target = rng.random(), int(rng.integers(prover.observation.num_objects))
    if draw < 0.55:
        claim = _wrong_look(prover, rng, target)
    else:
        claim = Claim(ANYTHING) if draw < 0.75 else _appearance(prover, rng, target, sparse=True)
        kind = str(rng.choice(("motion", "location", "relation"), p=(0.5, 0.35, 0.15)))
        anchors = _anchors(prover, rng, target) if kind == "relation" else {}
        options = _options(prover, kind, claim, tuple(anchors))
        if not options:
            return None
        chosen = options[int(rng.integers(len(options)))]
        anchor = anchors[chosen.anchor] if chosen.anchor is not None else None
        claim = replace(claim, modifiers=(chosen,), anchor=anchor)
    if (
        names_pair(claim, prover.observation.scene.settings.forbidden_pairs)
        or prover.referents(claim.predicates) != ()
    ):
        return None
    return Statement(word(claim, rng), claim, ())


def _wrong_look(prover: Prover, rng: np.random.Generator, target: int) -> Claim:
    """Change the look of ``target``: by an attribute of another object (hard), or by any (easy)."""
    objects = prover.observation.scene.objects
    claim = _appearance(prover, rng, target)
    if claim.noun == ANYTHING or rng.random() < 0.5:
        claim = replace(claim, noun=Predicate("appearance", "noun", objects[target].shape))
    other = objects[int(rng.integers(len(objects)))]
    name = str(rng.choice(("colour", "noun", "size", "texture"), p=(0.4, 0.35, 0.1, 0.15)))
    values = {
        "colour": list(COLOURS),
        "noun": list(BASIC_NOUNS),
        "size": list(SIZES),
        "texture": list(TEXTURES),
    }
    value = str(rng.choice(values[name]))
    if rng.random() < 0.65:
        value = other.shape if name == "noun" else getattr(other, name)
    if name == "noun":
        assert value in SHAPES
        attributes = claim.attributes or (Predicate("appearance", "colour", objects[target].colour),)
        return Claim(Predicate("appearance", "noun", value), attributes)
    kept = tuple(predicate for predicate in claim.attributes if predicate.name != name)
    return replace(claim, attributes=(*kept, Predicate("appearance", name, value)))
