"""What a sentence asks for, as far as a model without learned words can use it."""

from dataclasses import dataclass

from deixis.ops.lexicon import BASIC_COLOURS

WHOLE, SEVERAL, WORN = 0.7, 0.25, 0.3
"""Share of a thing's area that its colour covers; one of several colours; that of clothing or a part."""


@dataclass(frozen=True)
class ColourClaim:
    """A colour that the referent has.

    Attributes:
        weights: how far each of the basic colours is what was asked for, 0 to 1; the highest is 1.
        share: of the referent's area that it may be expected to cover.
        is_said: of the sentence; False where it is only usual for the noun.
    """

    weights: tuple[float, ...]
    share: float
    is_said: bool = True

    def names(self) -> tuple[str, ...]:
        """Return the basic colours that are fully meant."""
        return tuple(name for name, weight in zip(BASIC_COLOURS, self.weights, strict=True) if weight >= 1.0)


@dataclass(frozen=True)
class Order:
    """A place in an order among things.

    Attributes:
        key: what they are ordered by, its extreme first: a place ("left": the leftmost is first), "small",
            "large", "slow", "fast", "enters" or "leaves".
        rank: from 1; -1 is the last.
    """

    key: str
    rank: int


@dataclass(frozen=True)
class Request:
    """What a sentence asks for. Every field has a value that means: nothing said.

    Attributes:
        noun: the head, singular; empty when it is unknown.
        categories: that its silhouette may have, the likeliest first; empty: any.
        joined: of others that belong to the referent ("the rider and the horse").
        ridden: of what the referent sits on and may be one thing with ("a man riding a horse").
        colours: all of them hold.
        texture: one of ``TEXTURES``.
        places: in the frame; all of them hold ("left", "top").
        directions: of the motion; all of them hold.
        moves: False: it stands still.
        speed: "fast" or "slow".
        size: "small" or "large".
        order: by which it is told from others that fit.
        count: at least how many things are meant.
        unknown: words that were not understood.
    """

    noun: str = ""
    categories: tuple[str, ...] = ()
    joined: tuple[str, ...] = ()
    ridden: tuple[str, ...] = ()
    colours: tuple[ColourClaim, ...] = ()
    texture: str = ""
    places: tuple[str, ...] = ()
    directions: tuple[str, ...] = ()
    moves: bool | None = None
    speed: str = ""
    size: str = ""
    order: Order | None = None
    count: int = 1
    unknown: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing that can be used was understood."""
        return self == Request(noun=self.noun, unknown=self.unknown)
