"""Sentences about a rendered clip, in the style of Ref-DAVIS and A2D, each proven (see :mod:`.claims`)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deixis.data.records import Expression
from deixis.ops.lexicon import BASIC_COLOURS, noun_categories, plural

from .claims import (
    Truths,
    all_of,
    does,
    extreme,
    has_pattern,
    heads,
    is_at,
    is_called,
    is_coloured,
    moves,
    ordered,
    referents,
    wears,
)
from .observation import WildObservation, observe
from .render import RenderedWild
from .words import (
    DIRECTIONS,
    EXTREMES,
    GARMENTS,
    GENERAL,
    ORDINALS,
    PLACES,
    SPELLINGS,
    STILL,
    SURROUNDINGS,
    SYNONYMS,
    VERBS,
)

MOVERS = "everything that moves"
"""The expression that every record begins with."""

_USUAL = {"fish": "swim", "vehicle": "drive", "train": "drive", "two-wheeler": "drive", "boat": "sail"}
_USUAL |= {"aircraft": "fly", "ball": "roll", "other": "move"}
NUMBERS = {2: "two", 3: "three"}
_TRIES = 14


@dataclass(frozen=True)
class Saying:
    """Words with what they claim.

    Attributes:
        before: words before the noun.
        noun: the head.
        after: words after it.
        truths: of each claim, of every object.
        kinds: what the words speak of.
    """

    before: tuple[str, ...] = ()
    noun: str = ""
    after: tuple[str, ...] = ()
    truths: tuple[Truths, ...] = ()
    kinds: tuple[str, ...] = ()

    def extended(
        self, truths: Truths, kind: str, *, before: str = "", after: str = "", inner: bool = False
    ) -> "Saying":
        """Return a saying that claims more; ``inner`` words stand next to the noun."""
        words = ((*self.before, before) if inner else (before, *self.before)) if before else self.before
        return Saying(
            words,
            self.noun,
            (*self.after, after) if after else self.after,
            (*self.truths, truths),
            tuple(dict.fromkeys((*self.kinds, kind))),
        )


class Speaker:
    """Finds words for one clip."""

    def __init__(self, clip: RenderedWild, rng: np.random.Generator) -> None:
        """Observe ``clip``; all chances come from ``rng``."""
        self.seen: WildObservation = observe(clip)
        self.objects = clip.scene.objects
        self.setting = clip.scene.setting.name
        self.rng = rng
        self.shown = [index for index, shown in enumerate(self.seen.is_shown) if shown]

    def pick(self, choices: Sequence[str]) -> str:
        """Draw one of ``choices``."""
        return choices[int(self.rng.integers(len(choices)))]

    def called(self, noun: str) -> Truths:
        """Judge of every object whether it is called ``noun``; what is never shown is not."""
        return tuple(
            is_called(item, noun) if self.seen.is_shown[index] else False
            for index, item in enumerate(self.objects)
        )

    def named(self, target: int) -> Saying:
        """Call ``target`` by a noun: the narrow one, a synonym or a general word."""
        item = self.objects[target]
        draw = self.rng.random()
        noun = item.noun
        if draw < 0.35:
            noun = self.pick(SYNONYMS.get(item.noun, (item.noun,)))
        elif draw < 0.6:
            noun = self.pick(GENERAL[item.category])
        return Saying((), noun, (), (self.called(noun),), ("category",))

    def coloured(self, saying: Saying, colours: tuple[str, ...]) -> Saying:
        """Say one colour or two."""
        truths = tuple(is_coloured(item, colours) for item in self.objects)
        text = " and ".join(self.pick(SPELLINGS.get(colour, (colour,))) for colour in colours)
        if self.rng.random() < 0.12:
            return saying.extended(truths, "appearance", after=f"of {text} color")
        return saying.extended(truths, "appearance", before=text, inner=True)

    def dressed(self, saying: Saying, garment: str, colour: str) -> Saying:
        """Say what a person wears."""
        truths = tuple(wears(item, garment, colour) for item in self.objects)
        said = self.pick(SPELLINGS.get(colour, (colour,)))
        if garment == "top" and self.rng.random() < 0.3:
            return saying.extended(truths, "appearance", after=f"in {said}")
        word = self.pick(GARMENTS[garment])
        link = "with" if garment == "hair" else self.pick(("in", "in a", "wearing", "with"))
        link = "in" if link == "in a" and word.endswith("s") else link
        return saying.extended(truths, "appearance", after=f"{link} {said} {word}")

    def placed(self, saying: Saying, place: str) -> Saying:
        """Say where in the frame."""
        truths = tuple(is_at(self.seen, index, place) for index in range(len(self.objects)))
        return saying.extended(truths, "location", after=self.pick(PLACES[place]))

    def heading(self, saying: Saying, item_doing: str, direction: str) -> Saying:
        """Say where to it moves."""
        truths = tuple(heads(self.seen, index, direction) for index in range(len(self.objects)))
        text = f"{self.pick(VERBS[item_doing])} {self.pick(DIRECTIONS[direction])}"
        return saying.extended(truths, "motion", after=text)

    def doing(self, saying: Saying, doing: str) -> Saying:
        """Say what it does."""
        if doing == "move":
            truths: Truths = tuple(moves(self.seen, index) for index in range(len(self.objects)))
        else:
            truths = tuple(does(item, doing) for item in self.objects)
        return saying.extended(truths, "motion", after=self.pick(VERBS[doing]))

    def still(self, saying: Saying, category: str) -> Saying:
        """Say that it does not move."""
        truths = tuple(not item.is_mover for item in self.objects)
        return saying.extended(truths, "motion", after=self.pick(STILL.get(category, STILL[""])))

    def verb(self, target: int) -> str:
        """Return what ``target`` does when it moves."""
        item = self.objects[target]
        usual = item.look.doing or _USUAL.get(item.category, "move")
        return "move" if usual == "stand" else usual

    def ranked(self, saying: Saying, target: int) -> Saying | None:
        """Tell ``target`` from others of whom the same is true: by place, size or order from one side."""
        domain = referents(all_of(saying.truths, len(self.objects)))
        if domain is None or len(domain) < 2 or target not in domain:
            return None
        if self.rng.random() < 0.25:
            return self._counted(saying, domain, target)
        ranks = [rank for rank in EXTREMES if extreme(self.seen, domain, rank) == target]
        if not ranks:
            return None
        rank = self.pick(ranks)
        words = [word for word in EXTREMES[rank] if len(domain) == 2 or word.endswith("st")]
        kind = "size" if rank in ("large", "small") else "order"
        return saying.extended(self._only(target), kind, before=self.pick(words))

    def _counted(self, saying: Saying, domain: tuple[int, ...], target: int) -> Saying | None:
        order = ordered(self.seen, domain)
        if order is None:
            return None
        side = self.pick(("left", "right"))
        place = (order if side == "left" else order[::-1]).index(target)
        if place >= len(ORDINALS):
            return None
        return saying.extended(self._only(target), "order", before=ORDINALS[place], after=f"from the {side}")

    def _only(self, target: int) -> Truths:
        return tuple(index == target for index in range(len(self.objects)))

    def text(self, saying: Saying, number: int = 0) -> str:
        """Write a saying down, of a ``number`` of things if it is of several."""
        noun = plural(saying.noun) if number else saying.noun
        head = " ".join((*saying.before, noun))
        draw = self.rng.random()
        is_ranked = bool({"order", "size"} & set(saying.kinds))
        article = "the " if draw < 0.45 or is_ranked else "" if draw < 0.72 or number else "a "
        if number and draw > 0.6:
            article = f"{NUMBERS.get(number, 'all')} "
        if article == "a " and head[0] in "aeiou":
            article = "an "
        after = list(saying.after)
        if self.rng.random() < 0.2 and self.setting in SURROUNDINGS:
            after.append(self.pick(SURROUNDINGS[self.setting]))
        return f"{article}{' '.join((head, *after))}"


def describe(clip: RenderedWild, rng: np.random.Generator, count: int = 8) -> tuple[Expression, ...]:
    """Return about ``count`` expressions of ``clip`` with ids "0", "1", ..., after one of all that moves.

    Kinds: "movers" of the first; of the others what they speak of ("category", "appearance", "location",
    "motion", "size", "order", "relation"), and "absent" (nothing is meant; the kind before it says what is
    wrong) or "several".
    """
    speaker = Speaker(clip, rng)
    movers = tuple(index for index in speaker.shown if clip.scene.objects[index].is_mover)
    said: dict[str, tuple[tuple[int, ...], tuple[str, ...]]] = {
        MOVERS: (movers, ("movers",) if movers else ("movers", "absent"))
    }
    for number in range(count if speaker.shown else 2):
        found = None
        for _ in range(_TRIES):
            if number < 2 or not speaker.shown:
                found = _absent(speaker)
            elif number == 2:
                found = _several(speaker)
            else:
                found = _single(speaker, speaker.shown[number % len(speaker.shown)])
            if found is not None and found[0] not in said:
                said[found[0]] = found[1:]
                break
    return tuple(
        Expression(str(number), text, tuple(clip.scene.objects[index].id for index in indices), kinds)
        for number, (text, (indices, kinds)) in enumerate(said.items())
    )


Said = tuple[str, tuple[int, ...], tuple[str, ...]]
"""Words, indices of the referents, kinds."""


def _single(speaker: Speaker, target: int) -> Said | None:
    """Draw true claims of ``target`` until they hold of nothing else."""
    saying = _claims(speaker, speaker.named(target), target)
    count = len(speaker.objects)
    if referents(all_of(saying.truths, count)) != (target,):
        ranked = speaker.ranked(saying, target)
        if ranked is None:
            return None
        saying = ranked
    kinds = saying.kinds
    partner = speaker.objects[target].partner
    if partner and speaker.objects[target].look.doing in ("ride", "sit") and speaker.rng.random() < 0.5:
        what = speaker.objects[partner - 1].noun
        link = "on" if speaker.objects[target].look.doing == "sit" else "riding"
        saying = Saying(saying.before, saying.noun, (f"{link} a {what}", *saying.after), saying.truths, kinds)
        kinds = (*kinds, "relation")
    return speaker.text(saying), (target,), kinds


def _claims(speaker: Speaker, saying: Saying, target: int) -> Saying:
    """Add up to three true claims of ``target``."""
    item, rng = speaker.objects[target], speaker.rng
    if item.category == "person":
        worn = list(item.look.wears)
        if worn and rng.random() < 0.6:
            garment = speaker.pick(worn)
            saying = speaker.dressed(saying, garment, item.look.wears[garment])
    elif item.colours and rng.random() < 0.6:
        saying = speaker.coloured(saying, item.colours[:2])
    if item.look.pattern in ("striped", "spotted", "checkered") and rng.random() < 0.35:
        truths = tuple(has_pattern(other, item.look.pattern) for other in speaker.objects)
        saying = saying.extended(truths, "appearance", before=item.look.pattern, inner=True)
    if rng.random() < 0.45:
        if not item.is_mover:
            saying = speaker.still(saying, item.category)
        else:
            ways = [way for way in DIRECTIONS if heads(speaker.seen, target, way)]
            verb = speaker.verb(target)
            saying = speaker.doing(saying, verb)
            if ways and rng.random() < 0.65:
                bare = Saying(saying.before, saying.noun, saying.after[:-1], saying.truths, saying.kinds)
                saying = speaker.heading(bare, verb, speaker.pick(ways))
    places = [place for place in PLACES if is_at(speaker.seen, target, place)]
    if places and rng.random() < 0.4:
        saying = speaker.placed(saying, speaker.pick(places))
    return saying


def _several(speaker: Speaker) -> Said | None:
    """Draw what is true of more than one object."""
    target = speaker.shown[int(speaker.rng.integers(len(speaker.shown)))]
    item = speaker.objects[target]
    noun = speaker.pick((*GENERAL[item.category], item.noun))
    saying = Saying((), noun, (), (speaker.called(noun),), ("category",))
    draw = speaker.rng.random()
    if item.colours and item.category != "person" and draw < 0.3:
        saying = speaker.coloured(saying, item.colours[:2])
    elif item.is_mover and draw < 0.5:
        truths = tuple(moves(speaker.seen, index) for index in range(len(speaker.objects)))
        saying = saying.extended(truths, "motion", after=speaker.pick(("moving", "that move", "on the move")))
    found = referents(all_of(saying.truths, len(speaker.objects)))
    if found is None or len(found) < 2:
        return None
    return speaker.text(saying, len(found)), found, (*saying.kinds, "several")


def _absent(speaker: Speaker) -> Said | None:
    """Draw what nothing in the clip is: another category, colour, place or direction."""
    rng = speaker.rng
    draw = rng.random()
    if draw < 0.45 or not speaker.shown:
        category = speaker.pick([name for name in GENERAL if name != "other"])
        nouns = [noun for noun in (*SYNONYMS, *GENERAL[category]) if _names_only(noun, category)]
        saying = Saying((), speaker.pick(nouns), (), (), ())
        saying = saying.extended(speaker.called(saying.noun), "category")
        if rng.random() < 0.4:
            saying = speaker.coloured(saying, (speaker.pick(BASIC_COLOURS),))
        elif rng.random() < 0.4:
            saying = speaker.placed(saying, speaker.pick(tuple(PLACES)))
        judged, kind = saying.truths[0], "category"
    else:
        target = speaker.shown[int(rng.integers(len(speaker.shown)))]
        item = speaker.objects[target]
        saying = speaker.named(target)
        if draw < 0.7:
            colour = speaker.pick(BASIC_COLOURS)
            if item.category == "person":
                saying = speaker.dressed(saying, speaker.pick(("top", "bottom")), colour)
            else:
                saying = speaker.coloured(saying, (colour,))
        elif draw < 0.85:
            saying = speaker.heading(saying, speaker.verb(target), speaker.pick(tuple(DIRECTIONS)))
        else:
            saying = speaker.placed(saying, speaker.pick(("left", "right", "top", "bottom")))
        judged, kind = all_of(saying.truths, len(speaker.objects)), saying.kinds[-1]
    if referents(judged) != ():
        return None
    return speaker.text(saying), (), (kind, "absent")


def _names_only(noun: str, category: str) -> bool:
    return noun_categories(noun) == (category,)
