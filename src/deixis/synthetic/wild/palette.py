"""Colours with names, and natural colours without."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

Colour = tuple[float, float, float]
"""Red, green, blue, 0 to 255."""

_RANGES: Mapping[str, tuple[tuple[float, float], tuple[float, float], tuple[float, float]]] = (
    MappingProxyType(
        {
            "black": ((0.0, 1.0), (0.0, 0.35), (0.04, 0.17)),
            "white": ((0.0, 1.0), (0.0, 0.07), (0.86, 1.0)),
            "grey": ((0.0, 1.0), (0.0, 0.08), (0.36, 0.62)),
            "red": ((-0.02, 0.012), (0.68, 0.95), (0.5, 0.9)),
            "orange": ((0.05, 0.085), (0.75, 0.95), (0.8, 1.0)),
            "yellow": ((0.135, 0.165), (0.62, 0.95), (0.82, 1.0)),
            "green": ((0.25, 0.43), (0.4, 0.85), (0.28, 0.72)),
            "blue": ((0.56, 0.66), (0.5, 0.9), (0.35, 0.85)),
            "purple": ((0.75, 0.81), (0.4, 0.75), (0.35, 0.7)),
            "pink": ((0.9, 0.96), (0.3, 0.55), (0.88, 1.0)),
            "brown": ((0.05, 0.085), (0.5, 0.75), (0.25, 0.48)),
        }
    )
)
"""Hue, saturation and value (all 0 to 1) that a basic colour term surely names."""

NEIGHBOURS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        name: frozenset(others.split())
        for name, others in {
            "black": "brown grey blue",
            "white": "grey pink yellow",
            "grey": "black white blue",
            "red": "orange pink brown",
            "orange": "red yellow brown",
            "yellow": "orange white brown",
            "green": "blue yellow",
            "blue": "purple green grey black",
            "purple": "blue pink",
            "pink": "red purple white",
            "brown": "red orange yellow black",
        }.items()
    }
)
"""Colours that some would call a thing of that colour."""


def hsv_colour(hue: float, saturation: float, value: float) -> Colour:
    """Convert hue, saturation and value (0 to 1; the hue wraps) to red, green and blue."""
    hue = 6 * (hue % 1)
    parts = [abs((hue + shift) % 6 - 3) - 1 for shift in (0, 4, 2)]
    red, green, blue = (
        255 * value * (1 - saturation + saturation * min(max(part, 0.0), 1.0)) for part in parts
    )
    return red, green, blue


def named_colour(name: str, rng: np.random.Generator) -> Colour:
    """Draw a colour that ``name`` names."""
    return hsv_colour(*(float(rng.uniform(*limits)) for limits in _RANGES[name]))


def natural_colour(rng: np.random.Generator, hue: float | None = None) -> Colour:
    """Draw a colour as photographs have them: mostly muted, of any lightness."""
    drawn = rng.random() if hue is None else hue + 0.04 * rng.standard_normal()
    return hsv_colour(float(drawn), float(rng.beta(1.2, 2.6)), float(rng.uniform(0.12, 0.95)))


def natural_pair(rng: np.random.Generator) -> tuple[Colour, Colour]:
    """Draw two natural colours that are seen side by side: of one hue, or both muted."""
    hue = float(rng.random())
    if rng.random() < 0.65:
        return natural_colour(rng, hue), natural_colour(rng, hue)
    return _muted(natural_colour(rng)), _muted(natural_colour(rng))


def _muted(colour: Colour) -> Colour:
    grey = sum(colour) / 3
    red, green, blue = (grey + 0.45 * (value - grey) for value in colour)
    return red, green, blue


def scaled(colour: Colour, factor: float, added: float = 0.0) -> Colour:
    """Return ``colour`` lighter or darker."""
    red, green, blue = (min(factor * value + added, 255.0) for value in colour)
    return red, green, blue


def vary(colour: Colour, rng: np.random.Generator, amount: float = 22.0) -> Colour:
    """Return ``colour`` a little off."""
    light = rng.normal(0, amount * 0.6)
    red, green, blue = (
        float(np.clip(value + light + rng.normal(0, amount * 0.4), 0, 255)) for value in colour
    )
    return red, green, blue
