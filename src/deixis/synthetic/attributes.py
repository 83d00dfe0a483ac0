"""What objects can look like: the closed sets of colours, sizes and textures, and how they are painted."""

from typing import NamedTuple


class Paint(NamedTuple):
    """A colour of the world: its main tone and the second tone of textures, both 8-bit RGB."""

    main: tuple[int, int, int]
    second: tuple[int, int, int]


COLOURS: dict[str, Paint] = {
    "red": Paint((216, 36, 40), (112, 8, 16)),
    "orange": Paint((246, 132, 16), (255, 208, 150)),
    "yellow": Paint((250, 216, 40), (255, 248, 190)),
    "green": Paint((44, 160, 60), (12, 76, 26)),
    "blue": Paint((40, 88, 220), (140, 180, 255)),
    "purple": Paint((126, 52, 178), (206, 160, 240)),
    "pink": Paint((246, 128, 186), (255, 208, 230)),
    "brown": Paint((116, 68, 32), (186, 142, 100)),
    "white": Paint((242, 242, 242), (150, 150, 154)),
    "black": Paint((26, 26, 30), (118, 118, 124)),
}
"""Second tones are another lightness of the same hue, so that a striped object still has one colour name."""

SIZES: dict[str, tuple[float, float]] = {"small": (10.0, 12.0), "medium": (17.0, 20.0), "large": (27.0, 31.0)}
"""Half extents in pixels of a frame whose shorter side has 128; they grow with the frame."""

TEXTURES: tuple[str, ...] = ("plain", "striped", "spotted", "checkered", "two-tone")

REFERENCE_SIDE = 128
"""Lengths of the world are given for frames whose shorter side has this many pixels."""
