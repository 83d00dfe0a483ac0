"""The words of the wild world's sentences: what else a thing may be called, what it does, where it is."""

from collections.abc import Mapping
from types import MappingProxyType


def _listed(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(","))


GENERAL: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "person": _listed("person, human, person, individual"),
        "quadruped": _listed("animal, animal, mammal, creature"),
        "bird": _listed("bird, bird, birdie"),
        "fish": _listed("fish"),
        "vehicle": _listed("vehicle, vehicle, automobile"),
        "train": _listed("train"),
        "two-wheeler": _listed("bike, two wheeler"),
        "boat": _listed("boat, vessel"),
        "aircraft": _listed("aircraft, aircraft, flying machine"),
        "ball": _listed("ball"),
        "other": _listed("thing, object"),
    }
)
"""Words that are true of the whole category, and of nothing else but what ``SHARED`` says."""

SHARED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "animal": _listed("quadruped, bird, fish"),
        "creature": _listed("quadruped, bird, fish"),
        "vehicle": _listed("vehicle, train, two-wheeler, boat, aircraft"),
        "thing": _listed(
            "person, quadruped, bird, fish, vehicle, train, two-wheeler, boat, aircraft, ball, other"
        ),
        "object": _listed("vehicle, train, two-wheeler, boat, aircraft, ball, other"),
    }
)
"""Categories that a general word may mean."""

DOUBTFUL: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "animal": ("person", "other"),
        "mammal": ("person", "fish", "other"),
        "creature": ("person", "other"),
        "flying machine": ("bird", "ball"),
        "two wheeler": ("person",),
        "bike": ("person",),
        "ball": ("other",),
        "object": ("person", "quadruped", "bird", "fish"),
        "vessel": ("other",),
    }
)
"""Categories of which some would say the word and some not."""

SYNONYMS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "dog": _listed("""
            dog, dog, hound, doggy, retriever, poodle, mutt, spaniel, boxer dog, rottweiler, pitbull,
            terrier, setter, shepherd dog, mastiff, doberman
        """),
        "puppy": _listed("puppy, small dog, dog, lapdog"),
        "cat": _listed("cat, cat, kitty, tomcat, house cat"),
        "kitten": _listed("kitten, cat, kitty"),
        "horse": _listed("horse, horse, mare, stallion, foal"),
        "cow": _listed("cow, cow, cattle, calf, ox"),
        "sheep": _listed("sheep, ewe, ram"),
        "bear": _listed("bear, grizzly, bear"),
        "rabbit": _listed("rabbit, bunny"),
        "goat": _listed("goat, billy goat"),
        "bird": _listed("bird, bird, finch, thrush, robin, dove, sparrow"),
        "duck": _listed("duck, duck, drake, waterfowl"),
        "car": _listed("car, car, hatchback, coupe, automobile, convertible"),
        "jeep": _listed("jeep, off-road car, suv"),
        "truck": _listed("truck, lorry, pick up truck"),
        "boat": _listed("boat, boat, dinghy, vessel"),
        "man": _listed("man, man, guy, gentleman, dude, worker, fireman, instructor"),
        "woman": _listed("woman, woman, lady, bride, nurse, female"),
        "boy": _listed("boy, boy, kid, child, lad"),
        "girl": _listed("girl, girl, kid, child, toddler"),
        "person": _listed("person, person, guide, visitor, trainer, teacher, photographer, coach"),
        "airplane": _listed("airplane, plane, jet, airliner"),
        "bicycle": _listed("bicycle, bike, bike, cycle"),
        "motorbike": _listed("motorbike, motorcycle, bike, dirt bike"),
    }
)
"""What a thing of a noun may be called as well; of a breed or a trade that its looks do not tell."""

VERBS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "walk": _listed("walking, walking, strolling, wandering, is walking"),
        "run": _listed("running, running, jogging, sprinting, is running"),
        "dance": _listed("dancing, jumping, moving, doing gymnastics, spinning"),
        "skate": _listed("skating, skateboarding, gliding, rollerblading"),
        "ride": _listed("riding, is riding"),
        "sit": _listed("swinging, sitting on a swing"),
        "fly": _listed("flying, gliding, flapping its wings, is flying"),
        "swim": _listed("swimming, floating, is swimming"),
        "drive": _listed("driving, moving, going, is driving"),
        "sail": _listed("sailing, floating, moving"),
        "roll": _listed("rolling, flying, moving, bouncing"),
        "move": _listed("moving, that moves, is moving"),
    }
)
"""Forms of what things do."""

STILL: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "person": _listed("standing, standing still, not moving, is standing"),
        "quadruped": _listed("standing, standing still, resting, not moving"),
        "bird": _listed("resting, not moving, standing still"),
        "vehicle": _listed("parked, parked, not moving, that stands still"),
        "": _listed("not moving, that does not move, standing still"),
    }
)
"""Forms of doing nothing, by category."""

DIRECTIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "left": _listed("to the left, left, towards the left, to the left side, from right to left"),
        "right": _listed("to the right, right, towards the right, to the right side, from left to right"),
        "towards": _listed("towards the camera, toward us, towards the viewer"),
        "away": _listed("away from the camera, away from us, away"),
    }
)

PLACES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "left": _listed("on the left, on the left side, at the left, in the left"),
        "right": _listed("on the right, on the right side, at the right, in the right"),
        "middle": _listed("in the middle, in the center, in the centre"),
        "top": _listed("at the top, on the top, in the upper part"),
        "bottom": _listed("at the bottom, on the bottom, in the lower part"),
    }
)

EXTREMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "left": _listed("leftmost, left most, left"),
        "right": _listed("rightmost, right most, right"),
        "large": _listed("largest, biggest, larger, bigger, big, large"),
        "small": _listed("smallest, smaller, small, little"),
    }
)
"""Words before the noun that tell one of several from the others; comparatives are of two."""

ORDINALS = ("first", "second", "third")

SURROUNDINGS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "street": _listed("on the street, in the street, in the city"),
        "lake": _listed("on the water, in the water, on the lake"),
        "under water": _listed("in the water, under water"),
        "sky": _listed("in the sky, in the air"),
        "court": _listed("on the court, on the field"),
        "meadow": _listed("in the field, outdoors, in the countryside"),
        "indoors": _listed("indoors, in the room, in the hall"),
        "railway": _listed("next to the trees, outdoors"),
    }
)
"""Words for places that hold for everything there, and so tell nothing apart."""

GARMENTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "top": _listed("shirt, shirt, t-shirt, jacket, top, sweater, jersey"),
        "bottom": _listed("pants, trousers, shorts, jeans"),
        "hair": _listed("hair"),
    }
)

SPELLINGS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "grey": _listed("grey, gray, gray, silver"),
        "yellow": _listed("yellow, yellow, golden"),
        "brown": _listed("brown, brown, brown, dark brown"),
        "blue": _listed("blue, blue, blue, dark blue"),
        "red": _listed("red, red, red, crimson"),
        "purple": _listed("purple, violet"),
        "orange": _listed("orange"),
    }
)
"""Ways to say a colour, where there is more than one."""
