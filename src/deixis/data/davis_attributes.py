"""Attributes and lengths of the videos of DAVIS 2016, as published (metrics, section 13).

AC appearance change, BC background clutter, CS camera shake, DB dynamic background, DEF deformation, EA edge
ambiguity, FM fast motion, HO heterogeneous object, IO interacting objects, LR low resolution, MB motion blur,
OCC occlusion, OV out of view, ROT rotation, SC shape complexity, SV scale variation.
"""

from collections.abc import Mapping

_ATTRIBUTES = {
    "blackswan": "",
    "bmx-trees": "LR SV SC FM CS IO MB DEF OCC HO EA BC",
    "breakdance": "FM DB MB DEF HO ROT OV AC",
    "camel": "CS IO DEF ROT",
    "car-roundabout": "ROT BC",
    "car-shadow": "LR EA AC BC",
    "cows": "CS IO DEF OCC HO",
    "dance-twirl": "SC CS IO MB DEF HO ROT OV",
    "dog": "FM CS MB DEF ROT EA",
    "drift-chicane": "LR SV FM DB HO ROT EA AC",
    "drift-straight": "LR SV FM CS MB HO ROT EA OV AC",
    "goat": "CS DEF EA BC",
    "horsejump-high": "SC IO DEF OCC HO",
    "kite-surf": "SV SC IO DB MB OCC HO EA",
    "libby": "SC MB DEF OCC HO EA",
    "motocross-jump": "SV SC FM IO MB DEF HO ROT EA OV AC",
    "paragliding-launch": "SC IO DEF HO EA",
    "parkour": "LR SV FM DEF OCC HO ROT AC",
    "scooter-black": "SV IO HO EA",
    "soapbox": "SV IO MB DEF HO ROT AC",
    "bear": "DEF",
    "bmx-bumps": "LR SV SC FM CS IO MB OCC HO EA OV",
    "boat": "SC DB EA BC",
    "breakdance-flare": "FM CS MB DEF HO ROT",
    "bus": "SC OCC HO EA",
    "car-turn": "SV ROT BC",
    "dance-jump": "SC DB MB DEF OCC HO ROT EA",
    "dog-agility": "FM MB DEF OCC HO EA OV AC",
    "drift-turn": "SV FM IO DB HO ROT OV AC",
    "elephant": "CS DB DEF EA",
    "flamingo": "SC IO DB DEF HO",
    "hike": "LR DEF HO",
    "hockey": "SC IO DEF HO ROT",
    "horsejump-low": "SC IO DEF OCC HO EA",
    "kite-walk": "SC IO DB DEF OCC HO",
    "lucia": "DEF OCC HO",
    "mallard-fly": "LR SV FM DB MB DEF ROT EA OV AC",
    "mallard-water": "LR IO DB EA",
    "motocross-bumps": "SV FM IO HO ROT OV AC BC",
    "motorbike": "LR SV SC FM IO OCC HO ROT EA",
    "paragliding": "LR SC IO HO",
    "rhino": "DEF OCC BC",
    "rollerblade": "LR FM CS MB DEF HO",
    "scooter-gray": "SC FM IO OCC HO ROT EA BC",
    "soccerball": "LR FM MB OCC HO",
    "stroller": "SC FM CS IO DEF HO",
    "surf": "SV FM CS IO DB HO OV",
    "swing": "SC FM IO DEF OCC HO",
    "tennis": "SV FM IO MB DEF HO",
    "train": "SC HO EA",
}

ATTRIBUTES: Mapping[str, tuple[str, ...]] = {name: tuple(text.split()) for name, text in _ATTRIBUTES.items()}
"""Video -> its attributes; the 20 of ``val``, then the 30 of ``train``."""

NUM_FRAMES: Mapping[str, int] = {
    "blackswan": 50,
    "bmx-trees": 80,
    "breakdance": 84,
    "camel": 90,
    "car-roundabout": 75,
    "car-shadow": 40,
    "cows": 104,
    "dance-twirl": 90,
    "dog": 60,
    "drift-chicane": 52,
    "drift-straight": 50,
    "goat": 90,
    "horsejump-high": 50,
    "kite-surf": 50,
    "libby": 49,
    "motocross-jump": 40,
    "paragliding-launch": 80,
    "parkour": 100,
    "scooter-black": 43,
    "soapbox": 99,
}
"""Video of ``val`` -> its number of frames."""
