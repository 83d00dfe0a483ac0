"""The words of the world: for every attribute several ways to say it.

"left" and "right" appear as whole words only, and in no other sense, so that a mirrored clip swaps them.
"""

from typing import NamedTuple


class Noun(NamedTuple):
    """A noun and its synonyms.

    Attributes:
        singular: synonyms.
        plural: their plurals, in the same order.
        shapes: what it surely names.
        doubtful: what some would call so and some not.
    """

    singular: tuple[str, ...]
    plural: tuple[str, ...]
    shapes: frozenset[str]
    doubtful: frozenset[str] = frozenset()


GEOMETRIC = frozenset(("circle", "square", "triangle", "star", "cross", "ring", "heart"))
FIGURES = frozenset(("person", "fish", "bird", "snake", "car"))


def _noun(
    words: str, plurals: str, shapes: frozenset[str] | str, doubtful: frozenset[str] | str = ""
) -> Noun:
    def names(value: frozenset[str] | str) -> frozenset[str]:
        return frozenset(value.split()) if isinstance(value, str) else value

    return Noun(tuple(words.split(", ")), tuple(plurals.split(", ")), names(shapes), names(doubtful))


NOUNS: dict[str, Noun] = {
    "circle": _noun("circle, disc, disk, ball", "circles, discs, disks, balls", "circle", "ring"),
    "square": _noun("square, box, block", "squares, boxes, blocks", "square"),
    "triangle": _noun("triangle, wedge, pyramid", "triangles, wedges, pyramids", "triangle"),
    "star": _noun("star, five-pointed star", "stars, five-pointed stars", "star"),
    "cross": _noun("cross, plus sign, plus", "crosses, plus signs, pluses", "cross"),
    "ring": _noun("ring, hoop, donut", "rings, hoops, donuts", "ring"),
    "heart": _noun("heart, heart shape", "hearts, heart shapes", "heart"),
    "person": _noun("person, man, walker, pedestrian", "people, men, walkers, pedestrians", "person"),
    "fish": _noun("fish, swimmer", "fish, swimmers", "fish"),
    "bird": _noun("bird, winged animal", "birds, winged animals", "bird"),
    "snake": _noun("snake, worm, serpent", "snakes, worms, serpents", "snake"),
    "car": _noun("car, vehicle, automobile", "cars, vehicles, automobiles", "car"),
    "animal": _noun("animal, creature", "animals, creatures", "fish bird snake", "person"),
    "living thing": _noun(
        "living thing, living being", "living things, living beings", "person fish bird snake"
    ),
    "shape": _noun("shape, geometric shape", "shapes, geometric shapes", GEOMETRIC, FIGURES),
    "round thing": _noun("round thing, round object", "round things, round objects", "circle ring", "heart"),
    "thing": _noun("thing, object, item", "things, objects, items", GEOMETRIC | FIGURES),
}

BASIC_NOUNS: tuple[str, ...] = tuple(name for name, noun in NOUNS.items() if noun.shapes == {name})
"""The nouns that name one shape."""

COLOUR_WORDS: dict[str, tuple[str, ...]] = {
    "red": ("red", "red", "crimson", "scarlet"),
    "orange": ("orange", "orange", "tangerine"),
    "yellow": ("yellow", "yellow", "golden"),
    "green": ("green", "green", "emerald"),
    "blue": ("blue", "blue", "azure"),
    "purple": ("purple", "purple", "violet"),
    "pink": ("pink", "pink", "rosy"),
    "brown": ("brown", "brown", "chocolate brown"),
    "white": ("white", "white", "snow white"),
    "black": ("black", "black", "jet black"),
}

SIZE_WORDS: dict[str, tuple[str, ...]] = {
    "small": ("small", "little", "tiny"),
    "medium": ("medium-sized", "mid-sized"),
    "large": ("large", "big", "huge"),
}

TEXTURE_WORDS: dict[str, tuple[str, ...]] = {
    "plain": ("plain", "solid"),
    "striped": ("striped", "stripy"),
    "spotted": ("spotted", "dotted"),
    "checkered": ("checkered", "checked"),
    "two-tone": ("two-tone", "two-toned"),
}

TEXTURE_PHRASES: dict[str, tuple[str, ...]] = {
    "plain": ("without any pattern", "of one plain colour"),
    "striped": ("with stripes", "that has stripes"),
    "spotted": ("with dots", "covered with spots"),
    "checkered": ("with a checkered pattern", "with checks"),
    "two-tone": ("with two halves of different tone", "that is half light and half dark"),
}

LOCATION_PHRASES: dict[str, tuple[str, ...]] = {
    "left": ("on the left", "on the left side", "at the left", "in the left part of the picture"),
    "right": ("on the right", "on the right side", "at the right", "in the right part of the picture"),
    "top": ("at the top", "near the top", "in the upper part of the picture"),
    "bottom": ("at the bottom", "near the bottom", "in the lower part of the picture"),
    "middle": ("in the middle", "in the center", "at the center of the picture"),
    "left top": ("in the upper left corner", "at the top left", "in the top left"),
    "right top": ("in the upper right corner", "at the top right", "in the top right"),
    "left bottom": ("in the lower left corner", "at the bottom left", "in the bottom left"),
    "right bottom": ("in the lower right corner", "at the bottom right", "in the bottom right"),
}

DIRECTION_PHRASES: dict[str, tuple[str, ...]] = {
    "left": ("left", "to the left", "towards the left"),
    "right": ("right", "to the right", "towards the right"),
    "up": ("up", "upwards", "towards the top"),
    "down": ("down", "downwards", "towards the bottom"),
    "up left": ("up and to the left", "towards the upper left"),
    "up right": ("up and to the right", "towards the upper right"),
    "down left": ("down and to the left", "towards the lower left"),
    "down right": ("down and to the right", "towards the lower right"),
}

VERBS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "": (
        ("moving", "moves", "move"),
        ("going", "goes", "go"),
        ("heading", "heads", "head"),
        ("drifting", "drifts", "drift"),
        ("travelling", "travels", "travel"),
    ),
    "person": (("walking", "walks", "walk"), ("going", "goes", "go")),
    "fish": (("swimming", "swims", "swim"),),
    "bird": (("flying", "flies", "fly"),),
    "snake": (("crawling", "crawls", "crawl"), ("slithering", "slithers", "slither")),
    "car": (("driving", "drives", "drive"), ("rolling", "rolls", "roll")),
}
"""Participle, third person singular, plural; by noun, the empty name for all others."""

MOTION_PHRASES: dict[str, tuple[str, ...]] = {
    "still": ("standing still", "not moving", "staying in place", "that stays still", "that does not move"),
    "moving": ("that is moving", "in motion", "moving around", "that moves"),
    "fast": ("moving fast", "moving quickly", "that moves fast", "moving at high speed"),
    "slow": ("moving slowly", "that moves slowly", "moving at low speed", "creeping along"),
    "starts": ("that starts moving", "that begins to move", "that is still at first and then moves"),
    "stops": ("that stops", "that comes to a halt", "that moves and then stops"),
    "turns": ("that turns", "that changes direction", "changing direction", "that takes a turn"),
    "enters": ("that enters the picture", "coming into view", "entering the scene", "that comes in"),
    "leaves": ("that leaves the picture", "going out of view", "leaving the scene", "that goes away"),
}

PLURAL_MOTION_PHRASES: dict[str, tuple[str, ...]] = {
    "still": ("standing still", "not moving", "that stay in place", "that do not move"),
    "moving": ("that are moving", "in motion", "moving around", "that move"),
    "fast": ("moving fast", "moving quickly", "that move fast"),
    "slow": ("moving slowly", "that move slowly", "creeping along"),
    "starts": ("that start moving", "that begin to move"),
    "stops": ("that stop", "that come to a halt"),
    "turns": ("that turn", "that change direction", "changing direction"),
    "enters": ("that enter the picture", "coming into view", "entering the scene"),
    "leaves": ("that leave the picture", "going out of view", "leaving the scene"),
}

MOTION_ADJECTIVES: dict[str, tuple[str, ...]] = {
    "still": ("motionless", "stationary"),
    "moving": ("moving",),
    "fast": ("fast", "fast-moving"),
    "slow": ("slow", "slow-moving"),
}

RELATION_PHRASES: dict[str, tuple[str, ...]] = {
    "left of": ("to the left of", "left of", "on the left side of"),
    "right of": ("to the right of", "right of", "on the right side of"),
    "above": ("above", "higher than", "over"),
    "below": ("below", "under", "lower than"),
    "behind": ("behind", "partly hidden by"),
    "in front of": ("in front of", "partly covering"),
}

ORDER_PHRASES: dict[tuple[str, str], tuple[str, ...]] = {
    ("left", "first"): ("furthest to the left", "closest to the left side", "first from the left"),
    ("left", "last"): ("furthest to the right", "closest to the right side", "first from the right"),
    ("left", "second"): ("second from the left",),
    ("top", "first"): ("closest to the top", "higher than all others"),
    ("top", "last"): ("closest to the bottom", "lower than all others"),
    ("top", "second"): ("second from the top",),
    ("size", "last"): ("bigger than all others",),
    ("size", "first"): ("smaller than all others",),
    ("speed", "last"): ("faster than all others", "that moves the fastest"),
    ("entering", "first"): ("that enters first", "coming into view first"),
    ("entering", "last"): ("that enters last", "coming into view last"),
    ("leaving", "first"): ("that leaves first", "going out of view first"),
    ("leaving", "last"): ("that leaves last", "going out of view last"),
}

ORDER_ADJECTIVES: dict[tuple[str, str], tuple[str, ...]] = {
    ("top", "first"): ("highest", "topmost"),
    ("top", "last"): ("lowest",),
    ("size", "last"): ("largest", "biggest"),
    ("size", "first"): ("smallest",),
    ("speed", "last"): ("fastest",),
}
