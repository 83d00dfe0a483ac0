"""Colour names of pixels, soft and robust to real light.

A pixel is named in OKLab (Ottosson, 2020), whose hue angle stays the same while a colour gets darker or
paler, by its saturation (chroma over lightness: light changes both alike), lightness and hue. Names flow into
one another, as people do not agree on borders either. Before that the light of the picture is allowed for, in
part and within limits, as nobody can tell a white wall in red light from a red wall in white light.

Axes: H W pixels, n values, k the basic colours.
"""

from functools import cache
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float, UInt8

from deixis.ops.lexicon import BASIC_COLOURS

BINS = 64
"""Of each channel of the table of names."""
MAX_GAIN = (0.88, 1.6)
"""Limits of what a channel is multiplied by to allow for the light."""
MAX_CAST = 1.06
"""By how much the gains of two channels can differ from their mean."""
_MOST = 12_000
"""Pixels that a share is taken of, at least: more do not change it by a hundredth."""
_STRIDE = 4
_BRIGHT = 95
_FULL = 245.0
_EXPOSURE = 0.7
"""Exponent of the gain for dim light: with 1, a dark scene would become an even one."""
_NEUTRAL = (0.22, 60.0, 0.02)
"""Saturation (of HSV) and brightest channel of what may be grey, and the share of such pixels asked for."""
_BORDERS = (
    ("red", 41.0, 5.0),
    ("orange", 79.0, 6.0),
    ("yellow", 115.0, 6.0),
    ("green", 187.0, 8.0),
    ("blue", 288.0, 6.0),
    ("purple", 332.0, 6.0),
    ("pink", 9.0, 6.0),
)
"""Hue at which each name ends, and over how many degrees (as a logistic scale)."""
_CUT = 240.0


def colour_shares(
    image: UInt8[np.ndarray, "H W 3"], mask: Bool[np.ndarray, "H W"]
) -> Float[np.ndarray, "11"]:
    """Name the pixels of ``mask``.

    Args:
        image: RGB of the whole frame, which tells of the light.
        mask: the pixels asked for.

    Returns:
        Shares of the basic colours, in the order of ``BASIC_COLOURS``; sum 1, or all 0 for an empty mask.
    """
    asked = np.flatnonzero(mask)
    pixels = image.reshape(-1, 3)[asked[:: max(len(asked) // _MOST, 1)]]
    if not len(pixels):
        return np.zeros(len(BASIC_COLOURS), np.float32)
    levels = (np.arange(256)[:, None] * _gains(image) * (BINS / 256)).astype(np.int32).clip(0, BINS - 1)
    red, green, blue = (levels[:, channel][pixels[:, channel]] for channel in range(3))
    shares = _table()[(red * BINS + green) * BINS + blue].sum(axis=0)
    return shares / shares.sum()


def name_colours(colours: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 11"]:
    """Name RGB values in [0, 255], under white light: memberships that sum to 1."""
    lightness, chroma, hue = _oklab(colours)
    saturation = chroma / np.maximum(lightness, 0.05)
    dimness = ((0.45 - lightness) / 0.3).clip(0, 1)
    coloured = _step(saturation, 0.05 + 0.10 * dimness, 0.012 + 0.02 * dimness)
    # What is nearly without light has no colour, however saturated the noise.
    coloured *= _step(lightness, 0.14, 0.025)
    white = _step(lightness, 0.80, 0.035)
    black = 1 - _step(lightness, 0.42, 0.035)
    names = dict.fromkeys(BASIC_COLOURS, np.zeros(len(colours)))
    names |= {"white": white, "black": black, "grey": (1 - white) * (1 - black)}
    names = {name: (1 - coloured) * value for name, value in names.items()}
    brightness = colours.max(axis=1) / 255
    for name, value in _chromatic(lightness, saturation, hue, brightness).items():
        names[name] = names[name] + coloured * value
    table = np.stack([names[name] for name in BASIC_COLOURS], axis=1)
    return (table / table.sum(axis=1, keepdims=True)).astype(np.float32)


def _chromatic(
    lightness: Float[np.ndarray, "n"],
    saturation: Float[np.ndarray, "n"],
    hue: Float[np.ndarray, "n"],
    brightness: Float[np.ndarray, "n"],
) -> dict[str, Float[np.ndarray, "n"]]:
    """Name colours by hue, then move the dark and the pale ones to the names that English has for these."""
    # From the middle of blue once around, so that no border lies where the circle is cut.
    angle = np.where(hue < _CUT, hue + 360, hue)
    steps = {name: _step(angle, end + 360 * (end < _CUT), width) for name, end, width in _BORDERS}
    zone = {"blue": (1 - steps["blue"]) + steps["green"]}
    order = ("blue", "purple", "pink", "red", "orange", "yellow", "green")
    zone |= {name: steps[before] * (1 - steps[name]) for before, name in pairwise(order)}
    pale = _step(lightness, 0.66, 0.04) * (1 - _step(saturation, 0.22, 0.03))
    vivid = _step(brightness, 0.72, 0.05) * _step(saturation, 0.14, 0.015)
    dark = 1 - _step(lightness, 0.42, 0.04)
    red, orange, yellow, pink = zone["red"], zone["orange"], zone["yellow"], zone["pink"]
    dull = 1 - _step(saturation, 0.17, 0.02)
    brown_red = red * (1 - pale) * np.maximum(0.3 * dark, 0.7 * dull)
    olive = 1 - _step(brightness, 0.62, 0.05)
    dull_yellow = (
        yellow * (1 - olive) * (1 - _step(saturation, 0.11, 0.012)) * (1 - _step(brightness, 0.88, 0.03))
    )
    pale_orange = orange * (1 - vivid) * pale
    cream = pale_orange * _step(brightness, 0.92, 0.02)
    return {
        "red": red * (1 - pale) - brown_red + 0.5 * pink * dark,
        "orange": orange * vivid + 0.15 * pale_orange + 0.35 * cream,
        "brown": brown_red
        + orange * (1 - vivid)
        - 0.35 * pale_orange
        - 0.35 * cream
        + 0.55 * yellow * olive
        + 0.6 * dull_yellow,
        "yellow": yellow * (1 - olive) - 0.6 * dull_yellow,
        "green": zone["green"] + 0.45 * yellow * olive,
        "blue": zone["blue"],
        "purple": zone["purple"] + 0.5 * pink * dark,
        "pink": pink * (1 - dark) + red * pale + 0.2 * pale_orange,
    }


def _step(value: np.ndarray, at: np.ndarray | float, width: np.ndarray | float) -> np.ndarray:
    """Rise from 0 to 1 around ``at``."""
    return 1 / (1 + np.exp(-((value - at) / width).clip(-40, 40)))


def _oklab(colours: Float[np.ndarray, "n 3"]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return lightness in [0, 1], chroma and hue in degrees of RGB in [0, 255]."""
    values = colours / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    cones = linear @ np.array(
        [
            [0.4122214708, 0.2119034982, 0.0883024619],
            [0.5363325363, 0.6806995451, 0.2817188376],
            [0.0514459929, 0.1073969566, 0.6299787005],
        ]
    )
    lightness, a, b = (
        np.cbrt(cones)
        @ np.array(
            [
                [0.2104542553, 1.9779984951, 0.0259040371],
                [0.7936177850, -2.4285922050, 0.7827717662],
                [-0.0040720468, 0.4505937099, -0.8086757660],
            ]
        )
    ).T
    return lightness, np.hypot(a, b), np.degrees(np.arctan2(b, a)) % 360


@cache
def _table() -> Float[np.ndarray, "n 11"]:
    """Return the names at the middle of each bin of RGB."""
    middles = (np.arange(BINS) + 0.5) * (256 / BINS)
    table = name_colours(
        np.stack(np.meshgrid(middles, middles, middles, indexing="ij"), axis=-1).reshape(-1, 3)
    )
    table.setflags(write=False)
    return table


def _gains(image: UInt8[np.ndarray, "H W 3"]) -> Float[np.ndarray, "3"]:
    """Return what each channel is multiplied by to allow for dim light and for a cast on what looks grey."""
    sample = image[::_STRIDE, ::_STRIDE].reshape(-1, 3).astype(np.float32)
    brightest = sample.max(axis=1)
    exposure = (_FULL / max(float(np.percentile(brightest, _BRIGHT)), 1.0)) ** _EXPOSURE
    saturation, floor, share = _NEUTRAL
    grey = (brightest - sample.min(axis=1) < saturation * brightest) & (brightest > floor)
    cast = np.ones(3)
    if grey.mean() > share:
        means = sample[grey].mean(axis=0)
        cast = (means.mean() / means).clip(1 / MAX_CAST, MAX_CAST)
    return (exposure * cast).clip(*MAX_GAIN)
