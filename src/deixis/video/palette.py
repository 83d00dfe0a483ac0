"""Colours: of overlays, told apart also by eyes that see red and green alike, and of palette PNGs."""

import colorsys
from functools import cache

Colour = tuple[int, int, int]

# Hue and lightness vary together, so that neighbours in the list stay apart without the red-green difference.
_OVERLAY: tuple[Colour, ...] = (
    (0, 160, 255),  # azure
    (255, 176, 0),  # amber
    (224, 60, 138),  # magenta
    (153, 255, 179),  # mint
    (48, 32, 255),  # blue
    (204, 16, 0),  # red
    (255, 240, 120),  # pale yellow
    (88, 28, 120),  # plum
)


def overlay_colour(number: int) -> Colour:
    """Return the colour of expression ``number`` (from 0): eight chosen, then hues by the golden angle."""
    if number < len(_OVERLAY):
        return _OVERLAY[number]
    step = number - len(_OVERLAY)
    red, green, blue = colorsys.hls_to_rgb((0.08 + 0.618034 * step) % 1, (0.45, 0.7)[step % 2], 0.8)
    return round(255 * red), round(255 * green), round(255 * blue)


@cache
def davis_palette() -> tuple[int, ...]:
    """Return the 256 colours of masks in DAVIS and PASCAL VOC as 768 numbers: the id's bits, interleaved."""
    palette = []
    for identity in range(256):
        channels = [0, 0, 0]
        for place in range(8):
            for channel in range(3):
                channels[channel] |= ((identity >> (3 * place + channel)) & 1) << (7 - place)
        palette.extend(channels)
    return tuple(palette)
