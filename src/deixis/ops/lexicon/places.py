"""Words of place, direction and motion, of order and of number."""

from collections.abc import Mapping
from types import MappingProxyType


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _mapped(*rows: tuple[str, str]) -> Mapping[str, str]:
    return MappingProxyType({word: value for value, words in rows for word in words.split(", ")})


PLACES = ("left", "right", "top", "bottom", "middle", "front", "back")

PLACE_WORDS: Mapping[str, str] = _mapped(
    ("left", "left, left-hand, lefthand, left-side"),
    ("right", "right, right-hand, righthand, right-side"),
    ("top", "top, upper, uppermost, topmost, highest"),
    ("bottom", "bottom, lower, lowermost, bottommost, lowest"),
    ("middle", "middle, center, centre, central, mid, centered, centred"),
    ("front", "front, foreground, near, nearer, nearest, closer, closest, nearby"),
    ("back", "back, rear, background, behind, far, farther, farthest, further, furthest, distant, distance"),
)
"""Words of a place in the frame; "near" and "behind" with a noun after them speak of that noun instead."""

SUPERLATIVE_PLACES: Mapping[str, str] = _mapped(
    ("left", "leftmost, left-most"),
    ("right", "rightmost, right-most"),
    ("top", "topmost, uppermost, highest"),
    ("bottom", "bottommost, lowermost, lowest"),
    ("middle", "middlemost"),
    ("front", "frontmost, nearest, closest, foremost"),
    ("back", "backmost, farthest, furthest, rearmost, hindmost"),
)

DIRECTIONS = ("left", "right", "up", "down", "towards", "away")

DIRECTION_WORDS: Mapping[str, str] = _mapped(
    ("left", "left, leftwards, leftward"),
    ("right", "right, rightwards, rightward"),
    ("up", "up, upwards, upward, uphill, ascending, rising"),
    ("down", "down, downwards, downward, downhill, descending, falling, sinking"),
    ("towards", "towards, toward, approaching"),
    ("away", "away, leaving"),
)

MOVING_VERBS = _words("""
    accelerate approach arrive ascend back-up bike blow bounce bound canter carry catch chase circle climb
    come commute crawl creep cross cruise cycle dance dash descend dive dodge drag dribble drift drive drop
    enter escape fall fight flap flee fling flip float flutter fly follow gallivant gallop glide go haul
    head hike hit hop hover hurry hurtle jerk jog juggle jump kick land launch leap leave limp march migrate
    move orbit overtake paddle parkour pass play pounce prance propel pull punch push race return reverse
    ride rise roam rock roll rollerblade rotate run rush sail saunter scamper scurry shake shoot sink skate
    skateboard ski slide slip slither sneak snowboard soar somersault speed spin sprint stagger steer step
    stray stride stroll stumble surf sway swim swing swoop tackle take-off throw tiptoe toss tow trample
    travel trip trot tumble turn twirl twist vault waddle walk wander wave weave whirl wiggle wrestle zigzag
    zoom
    """)
"""Verbs, bare, of which the whole body takes part."""

STILL_VERBS = _words("""
    crouch doze drink eat feed freeze gaze graze hang hold idle kneel lay lean lie look nap park pause peck
    perch pose read relax remain rest sit sleep speak squat stand stare stay stop sunbathe talk wait watch
    """)
"""Verbs, bare, of a body that stays where it is."""

OTHER_VERBS = _words("""
    appear attack attempt bark begin bite brush build capture chew clean close compete cry cut defend dig do
    enjoy film find finish give groom guard guide help lead lick lift make nibble open operate paint
    participate perform pet practice practise prepare raise reach scratch search seek seem show shut sing
    smell smile sniff start support swallow take tell touch train try use warm wash write
    """)
"""Verbs, bare, that say little of motion."""

STILL_WORDS = _words("still motionless stationary static immobile parked seated asleep unmoving")

MOVING_WORDS = _words("moving motion fast quick")

FAST_WORDS = _words("fast faster fastest quick quickly rapid rapidly speeding speedy swiftly")

SLOW_WORDS = _words("slow slower slowest slowly creeping")

IRREGULAR_VERBS: Mapping[str, str] = _mapped(
    ("run", "ran, running, runs"),
    ("go", "went, gone, goes, going"),
    ("swim", "swam, swum, swimming"),
    ("fly", "flew, flown, flies, flying"),
    ("drive", "drove, driven, driving"),
    ("ride", "rode, ridden, riding"),
    ("come", "came, coming"),
    ("fall", "fell, fallen, falling"),
    ("rise", "rose, risen, rising"),
    ("throw", "threw, thrown, throwing"),
    ("leave", "left-behind, leaves, leaving"),
    ("stand", "stood, standing"),
    ("sit", "sat, sitting, seated"),
    ("lie", "lying, lies, lain, laying, laid"),
    ("sleep", "slept, sleeping"),
    ("hold", "held, holding"),
    ("eat", "ate, eaten, eating"),
    ("swing", "swung, swinging"),
    ("spin", "spun, spinning"),
    ("slide", "slid, sliding"),
    ("blow", "blew, blown, blowing"),
    ("hit", "hit, hitting"),
    ("flee", "fled, fleeing"),
    ("creep", "crept, creeping"),
    ("sink", "sank, sunk, sinking"),
    ("hang", "hung, hanging"),
    ("shoot", "shot, shooting"),
    ("catch", "caught, catching"),
    ("fight", "fought, fighting"),
    ("freeze", "froze, frozen, freezing"),
    ("feed", "fed, feeding"),
    ("dive", "dove-down, diving"),
)

ORDINALS: Mapping[str, int] = MappingProxyType(
    {
        "first": 1,
        "second": 2,
        "third": 3,
        "fourth": 4,
        "fifth": 5,
        "sixth": 6,
        "1st": 1,
        "2nd": 2,
        "3rd": 3,
        "4th": 4,
    }
    | {"last": -1, "final": -1}
)
"""Place in an order, from 1; -1 is the last."""

NUMBERS: Mapping[str, int] = MappingProxyType(
    {"two": 2, "both": 2, "three": 3, "four": 4, "five": 5, "six": 6, "couple": 2, "pair": 2}
    | {"several": 3, "many": 3, "some": 2, "all": 2, "group": 3, "few": 3, "these": 2, "those": 2}
    | {"flock": 3, "herd": 3, "crowd": 3, "team": 3, "family": 3, "fleet": 3}
)
"""At least how many things a word speaks of, where that is more than one."""

HABITATS: Mapping[str, str] = _mapped(
    ("water", "fish, boat"),
    ("air", "aircraft"),
    ("ground", "person, quadruped, vehicle, train, two-wheeler"),
)
"""Where a category is usually seen; birds and balls are seen anywhere."""
