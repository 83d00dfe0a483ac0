"""The kinds of things, as data: nouns with their colours and patterns."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Kind(NamedTuple):
    """A noun with what is known of its looks.

    Attributes:
        noun: the narrowest word for the thing.
        colours: names, most of the area first; empty: of any colour.
        pattern: of its coat.
    """

    noun: str
    colours: tuple[str, ...] = ()
    pattern: str = "plain"


def _kinds(text: str) -> tuple[Kind, ...]:
    """Read rows "noun", "noun: colours" or "noun: colours: pattern", divided by semicolons."""
    rows = [[field.strip() for field in row.split(":")] for row in " ".join(text.split()).split(";")]
    return tuple(
        Kind(noun, tuple(rest[0].split()) if rest else (), rest[1] if len(rest) > 1 else "plain")
        for noun, *rest in rows
    )


QUADRUPEDS: Mapping[str, tuple[Kind, ...]] = MappingProxyType(
    {
        "dog": _kinds("""
            dog; dog: white brown: patched; golden retriever: yellow; labrador: black; husky: grey white;
            dalmatian: white black: spotted; german shepherd: brown black: patched;
            beagle: brown white: patched; border collie: black white: patched; greyhound: grey; wolf: grey;
            fox: orange white; irish setter: brown; poodle: white
        """),
        "small dog": _kinds("""
            dog; puppy; pug: brown; corgi: orange white; terrier: white; dachshund: brown; bulldog: white
        """),
        "cat": _kinds("""
            cat; cat: grey black: striped; kitten: orange white: striped; cat: black white: patched;
            tiger: orange black: striped; leopard: yellow black: spotted; panther: black
        """),
        "horse": _kinds("""
            horse; horse: brown; zebra: white black: striped; pony: brown white: patched; donkey: grey
        """),
        "cow": _kinds("""
            cow; cow: black white: patched; bull: black; buffalo: brown; calf: brown white: patched
        """),
        "sheep": _kinds("sheep: white; lamb: white; sheep: white black"),
        "bear": _kinds("bear: brown; black bear: black; polar bear: white; panda: white black: patched"),
        "elephant": _kinds("elephant: grey"),
        "giraffe": _kinds("giraffe: brown yellow: spotted"),
        "deer": _kinds("deer: brown; antelope: brown white; moose: brown"),
        "pig": _kinds("pig: pink; boar: black; pig: pink black: patched"),
        "lion": _kinds("lion: yellow; lioness: yellow; cheetah: yellow black: spotted"),
        "camel": _kinds("camel: brown"),
        "rabbit": _kinds("rabbit; rabbit: white; hare: brown; squirrel: orange"),
        "goat": _kinds("goat: white; goat: black white: patched; goat: brown"),
    }
)
"""By proportions."""

QUADRUPED_WEIGHTS: Mapping[str, float] = MappingProxyType(
    {"dog": 5, "small dog": 2.5, "cat": 3, "horse": 3.5, "cow": 2.5, "bear": 2, "elephant": 2}
)
"""How often each kind of proportions is drawn; 1 where it is not named."""

BIRDS: Mapping[str, tuple[Kind, ...]] = MappingProxyType(
    {
        "stand": _kinds("""
            bird; bird; flamingo: pink; heron: grey; stork: white black; seagull: white grey; pigeon: grey;
            crow: black; chicken: brown; chicken: white; ostrich: black grey; parrot: green red;
            penguin: black white; egret: white
        """),
        "swim": _kinds(
            "duck: brown grey; duck; mallard: grey brown; swan: white; goose: grey white; swan: black"
        ),
        "fly": _kinds("""
            bird; seagull: white grey; eagle: brown; crow: black; pigeon: grey; parrot: green blue;
            swallow: black white
        """),
    }
)
"""By what they do."""

FISH = _kinds("""
    fish; fish; goldfish: orange; shark: grey; clownfish: orange white; koi: white orange; dolphin: grey
""")

BALLS = _kinds("""
    ball; ball; soccer ball: white black; football: white black; basketball: orange; tennis ball: yellow;
    beach ball: red white; balloon
""")

PEOPLE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        gait: tuple(noun.strip() for noun in nouns.split(","))
        for gait, nouns in {
            "walk": "person, man, woman, pedestrian, hiker, boy, girl, tourist",
            "run": "runner, jogger, man, woman, athlete, boy, girl, football player",
            "dance": "dancer, woman, man, girl, gymnast, tennis player, break dancer",
            "stand": "person, man, woman, boy, girl, guy, lady, spectator",
            "skate": "skater, skateboarder, rollerblader, man, boy, girl",
            "ride": "man, woman, rider, person, guy, girl",
            "sit": "boy, girl, child, woman, man, kid",
        }.items()
    }
)
"""Nouns by what the body does."""

VEHICLES: Mapping[str, tuple[Kind, ...]] = MappingProxyType(
    {
        "car": _kinds("car; car; sedan; sports car; taxi: yellow; police car: white"),
        "jeep": _kinds("jeep; suv; car"),
        "van": _kinds("van; minivan; ambulance: white; minibus"),
        "bus": _kinds("bus; school bus: yellow; city bus"),
        "truck": _kinds("truck; lorry; fire truck: red"),
        "pickup": _kinds("pickup truck; pickup; truck"),
    }
)
"""By build."""

CLOTHES: Mapping[str, float] = MappingProxyType(
    {"black": 0.16, "white": 0.16, "grey": 0.12, "red": 0.13, "blue": 0.15, "green": 0.08, "yellow": 0.06}
    | {"orange": 0.04, "purple": 0.03, "pink": 0.04, "brown": 0.03}
)
"""Colours of clothes, and how common they are."""

COATS = ("black", "white", "grey", "brown", "brown", "orange", "yellow")
"""Colours of animals of any colour."""

FEATHERS = ("black", "white", "grey", "brown", "blue", "red", "yellow", "green")
"""Colours of birds of any colour."""

LACQUERS = ("white", "black", "grey", "red", "blue", "green", "yellow", "orange", "brown", "purple")
"""Colours of machines, the commonest first."""
