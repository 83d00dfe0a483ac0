"""Paint planes: sky, hills, forest, houses, ground."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, UInt8

from .palette import Colour, named_colour, natural_colour, natural_pair, scaled, vary
from .setting import Setting
from .textures import leaves, noise

Picture = UInt8[np.ndarray, "h w 3"]


@dataclass(frozen=True, eq=False)
class Plane:
    """A painted plane.

    Attributes:
        pixels: RGB and alpha.
        depth: 1 is the ground, less is farther.
        origin: place (x, y) of the middle of the frame at time 0 in ``pixels``.
    """

    pixels: UInt8[np.ndarray, "h w 4"]
    depth: float
    origin: tuple[float, float]


def paint_planes(
    setting: Setting, size: tuple[int, int], margins: tuple[int, int, int, int]
) -> tuple[Plane, ...]:
    """Paint the planes of ``setting``, the farthest first, ``margins`` beyond the frame on each side."""
    rng = np.random.default_rng([setting.seed, 1])
    left, top, right, bottom = margins
    height, width = size[0] + top + bottom, size[1] + left + right
    unit = size[0] / 128
    origin = (left + size[1] / 2, top + size[0] / 2)
    ground_kind = str(rng.choice(setting.grounds))
    back_kind = str(rng.choice(setting.backs))
    ground = _shade(GROUNDS[ground_kind](height, width, unit, rng), rng)
    if setting.horizon < 0.08:
        return (Plane(_opaque(ground), 1.0, origin),)
    line = int(top + setting.horizon * size[0])
    planes = []
    back = _shade(BACKS[back_kind](height, width, line, unit, rng), rng)
    planes.append(Plane(_opaque(back), float(rng.uniform(0.15, 0.85)), origin))
    rough = float(rng.uniform(0.1, 0.6)) if rng.random() < 0.6 else float(rng.uniform(0.6, 4))
    edge = line + unit * rough * noise(1, width, 25 * unit, rng)[0]
    rows = np.arange(height, dtype=np.float32)[:, None]
    alpha = (np.clip(rows - edge + 0.5, 0, 1) * 255).astype(np.uint8)
    planes.append(Plane(np.dstack([ground, alpha]), 1.0, origin))
    return tuple(planes)


def _opaque(picture: Picture) -> UInt8[np.ndarray, "h w 4"]:
    return np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)])


def _shade(picture: Float32[np.ndarray, "h w 3"] | Picture, rng: np.random.Generator) -> Picture:
    """Lay uneven light over a picture."""
    import cv2

    grid = np.exp(rng.normal(0, rng.uniform(0.02, 0.2), (4, 5))).astype(np.float32)
    light = cv2.resize(grid, picture.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    lit = cv2.multiply(np.ascontiguousarray(picture, np.float32), cv2.merge([light, light, light]))
    if rng.random() < 0.35:
        sigma = float(rng.uniform(0.5, 2.5))
        lit = cv2.GaussianBlur(lit, (0, 0), sigma)
    return np.clip(lit, 0, 255).astype(np.uint8)


def _mottled(
    height: int, width: int, colours: tuple[Colour, ...], cell: float, rng: np.random.Generator, *,
    aspect: float = 1.0, grain: float = 10.0,
) -> Float32[np.ndarray, "h w 3"]:  # fmt: skip
    """Mix two colours by noise, with fine grain over both."""
    import cv2

    mix = np.clip(0.5 + 0.5 * noise(height, width, cell, rng, octaves=4, aspect=aspect), 0, 1)
    first, second = np.array(colours[0], np.float32), np.array(colours[1], np.float32)
    fine = 0.5 * rng.standard_normal((256, 256), np.float32) + 0.8 * noise(256, 256, 3.5, rng, octaves=2)
    fine *= np.float32(grain)
    tiled = np.tile(fine, (height // 256 + 1, width // 256 + 1))[:height, :width]
    channels = [first[c] + mix * (second[c] - first[c]) + tiled for c in range(3)]
    return cv2.merge(channels)


def _either(rng: np.random.Generator, colour: Colour, chance: float = 0.85) -> Colour:
    """Return a usual colour a little off, or now and then any."""
    return vary(colour, rng, 30) if rng.random() < chance else natural_colour(rng)


def _flat(
    base: Colour, other: Colour, cell: float, grain: tuple[float, float], aspect: float = 2.5
) -> Callable:
    def paint(height: int, width: int, unit: float, rng: np.random.Generator) -> np.ndarray:
        colours = (_either(rng, base), _either(rng, other))
        strength = float(rng.uniform(*grain))
        return _mottled(height, width, colours, cell * unit, rng, aspect=aspect, grain=strength)

    return paint


def _road(height: int, width: int, unit: float, rng: np.random.Generator) -> np.ndarray:
    import cv2

    grey = float(rng.uniform(70, 150))
    picture = _mottled(
        height,
        width,
        ((grey, grey, grey), vary((grey, grey, grey), rng, 18)),
        14 * unit,
        rng,
        aspect=3,
        grain=5,
    )
    if rng.random() < 0.7:
        y = float(rng.uniform(0.55, 0.95)) * height
        tone = (225.0, 225.0, 220.0) if rng.random() < 0.75 else (215.0, 180.0, 60.0)
        slope, dash = float(rng.normal(0, 0.08)), float(rng.uniform(8, 40)) * unit
        gap = dash * float(rng.uniform(0.0, 1.2))
        for x in np.arange(0, width, dash + gap):
            ends = [(int(v), int(y + slope * (v - width / 2))) for v in (x, x + dash)]
            cv2.line(picture, ends[0], ends[1], tone, max(int(unit * rng.uniform(1, 3)), 1), cv2.LINE_AA)
    return picture


def _water(height: int, width: int, unit: float, rng: np.random.Generator) -> np.ndarray:
    tone = [(60.0, 95.0, 120.0), (40.0, 70.0, 60.0), (120.0, 140.0, 150.0), (35.0, 60.0, 110.0)][
        int(rng.integers(4))
    ]
    light = scaled(tone, 1.5, 25.0)
    base = _mottled(
        height, width, (_either(rng, tone), light), 9 * unit, rng, aspect=float(rng.uniform(2.5, 6)), grain=4
    )
    return base


def _tiles(height: int, width: int, unit: float, rng: np.random.Generator) -> np.ndarray:
    import cv2

    base = natural_colour(rng, float(rng.choice((0.07, 0.1, 0.6))))
    picture = _mottled(height, width, (base, vary(base, rng, 20)), 20 * unit, rng, aspect=2, grain=4)
    if rng.random() < 0.6:
        dark = scaled(base, 0.7)
        step = float(rng.uniform(10, 30)) * unit
        for y in np.arange(0, height, step):
            cv2.line(picture, (0, int(y)), (width, int(y)), dark, 1, cv2.LINE_AA)
        for x in np.arange(-height, width + height, step * 1.6):
            cv2.line(picture, (int(x), 0), (int(x + (x - width / 2) * 0.8), height), dark, 1, cv2.LINE_AA)
    return picture


def _court(height: int, width: int, unit: float, rng: np.random.Generator) -> np.ndarray:
    import cv2

    base = named_colour(str(rng.choice(("green", "blue", "red", "brown"))), rng)
    muted = scaled(base, 0.65, 40.0)
    picture = _mottled(height, width, (muted, vary(muted, rng, 8)), 40 * unit, rng, grain=4)
    for _ in range(int(rng.integers(1, 5))):
        x, y = float(rng.uniform(0, width)), float(rng.uniform(0.2, 1)) * height
        turn = float(rng.choice((0.0, 0.05, -0.6, 0.7)))
        shift = (width * np.cos(turn), width * np.sin(turn))
        ends = [(int(x + k * shift[0]), int(y + k * shift[1])) for k in (-1, 1)]
        cv2.line(picture, ends[0], ends[1], (235, 235, 230), max(int(1.3 * unit), 1), cv2.LINE_AA)
    return picture


def _dead_leaves(height: int, width: int, unit: float, rng: np.random.Generator) -> np.ndarray:
    hue = float(rng.random()) if rng.random() < 0.75 else None
    colours = [natural_colour(rng, hue) for _ in range(int(rng.integers(2, 6)))]
    picture = leaves(
        height, width, colours, int(rng.integers(40, 220)), float(rng.uniform(4, 22)) * unit, rng
    )
    return (
        picture + np.float32(rng.uniform(2, 10)) * noise(height, width, 2 * unit, rng, octaves=2)[..., None]
    )


def _noise(height: int, width: int, unit: float, rng: np.random.Generator) -> np.ndarray:
    colours = natural_pair(rng)
    return _mottled(
        height, width, colours, float(rng.uniform(8, 50)) * unit, rng, aspect=float(rng.uniform(0.5, 2))
    )


def _patches(height: int, width: int, unit: float, rng: np.random.Generator) -> np.ndarray:
    pair = natural_pair(rng)
    colours = [np.array(colour, np.float32) for colour in (*pair, vary(pair[0], rng, 50))]
    first = noise(height, width, float(rng.uniform(8, 40)) * unit, rng, octaves=3)
    second = noise(height, width, float(rng.uniform(8, 40)) * unit, rng, octaves=2)
    index = (first > 0.1).astype(np.intp) + (second > 0.6)
    return np.stack(colours)[index] + 6 * noise(height, width, 3 * unit, rng, octaves=2)[..., None]


def _stripes(height: int, width: int, unit: float, rng: np.random.Generator) -> np.ndarray:
    period, turn = float(rng.uniform(5, 30)) * unit, float(rng.uniform(0, np.pi))
    x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
    wave = np.sin(2 * np.pi / period * (x * np.cos(turn) + y * np.sin(turn)))
    if rng.random() < 0.5:
        wave = wave * np.sin(2 * np.pi / period * (y * np.cos(turn) - x * np.sin(turn)))
    mix = np.clip(0.5 + 2 * wave, 0, 1)[..., None]
    a, b = (np.array(colour, np.float32) for colour in natural_pair(rng))
    return a + mix * (b - a) + 8 * noise(height, width, 4 * unit, rng)[..., None]


GROUNDS: dict[str, Callable[[int, int, float, np.random.Generator], np.ndarray]] = {
    "grass": _flat((95.0, 120.0, 50.0), (60.0, 85.0, 35.0), 6, (8, 24), 0.8),
    "dirt": _flat((140.0, 115.0, 85.0), (105.0, 85.0, 65.0), 10, (4, 16)),
    "sand": _flat((205.0, 185.0, 145.0), (180.0, 160.0, 125.0), 16, (3, 12)),
    "snow": _flat((235.0, 238.0, 242.0), (205.0, 212.0, 225.0), 20, (2, 6)),
    "pavement": _flat((150.0, 145.0, 140.0), (125.0, 120.0, 118.0), 10, (4, 12)),
    "carpet": _flat((120.0, 80.0, 70.0), (90.0, 65.0, 60.0), 30, (3, 10), 1.0),
    "deep": _flat((30.0, 90.0, 120.0), (15.0, 50.0, 80.0), 50, (2, 6), 1.0),
    "clouds": _flat((120.0, 165.0, 215.0), (225.0, 230.0, 235.0), 45, (1, 4), 2.0),
    "road": _road,
    "water": _water,
    "floor": _tiles,
    "court": _court,
    "leaves": _dead_leaves,
    "noise": _noise,
    "patches": _patches,
    "stripes": _stripes,
}
"""What the ground may be."""


def _sky(height: int, width: int, line: int, unit: float, rng: np.random.Generator) -> np.ndarray:
    high, low = _either(rng, (95.0, 145.0, 205.0), 0.8), _either(rng, (210.0, 220.0, 228.0), 0.85)
    ramp = np.clip(np.arange(height, dtype=np.float32) / max(line, 1), 0, 1)[:, None, None]
    picture = np.array(high, np.float32) + ramp * (np.array(low, np.float32) - np.array(high, np.float32))
    cloud = np.clip(noise(height, width, 30 * unit, rng, octaves=4, aspect=2.5) - 0.3, 0, 1)[..., None]
    return picture + float(rng.uniform(0, 1)) * cloud * (np.float32(235) - picture)


def _hills(height: int, width: int, line: int, unit: float, rng: np.random.Generator) -> np.ndarray:
    picture = _sky(height, width, line, unit, rng)
    rows = np.arange(height, dtype=np.float32)[:, None]
    for rank in range(int(rng.integers(1, 4))):
        rise = unit * float(rng.uniform(6, 30)) / (rank + 1)
        edge = line - rise + 0.6 * rise * noise(1, width, 50 * unit, rng, octaves=4)[0]
        tone = _either(rng, (90.0 - 12 * rank, 110.0 - 10 * rank, 95.0 - 22 * rank), 0.8)
        body = np.array(tone, np.float32) + 9 * noise(height, width, 7 * unit, rng)[..., None]
        picture = np.where((rows > edge)[..., None], body, picture)
    return picture


def _forest(height: int, width: int, line: int, unit: float, rng: np.random.Generator) -> np.ndarray:
    import cv2

    picture = np.ascontiguousarray(_sky(height, width, line, unit, rng), np.float32)
    base = _either(rng, (70.0, 90.0, 45.0), 0.8)
    rise = float(rng.uniform(0.3, 1.3)) * line
    for _ in range(int(rng.integers(3, 14))):
        x = int(rng.uniform(0, width))
        trunk = vary((75.0, 60.0, 48.0), rng, 25)
        cv2.line(
            picture,
            (x, int(line - 0.6 * rise)),
            (x, line + 4),
            trunk,
            max(int(unit * rng.uniform(1, 4)), 1),
            cv2.LINE_AA,
        )
    count = int(rng.integers(60, 200))
    spots = np.stack([rng.uniform(0, width, count), line - rise * rng.beta(1.2, 1.6, count)], axis=1)
    sizes = unit * np.exp(rng.uniform(np.log(2), np.log(11), count))
    for (x, y), radius in zip(spots, sizes, strict=True):
        tone = vary(base, rng, 34)
        axes = (int(radius * 16), int(radius * rng.uniform(0.5, 1) * 16))
        cv2.ellipse(
            picture,
            (int(x * 16), int(y * 16)),
            axes,
            float(rng.uniform(0, 180)),
            0,
            360,
            tone,
            -1,
            cv2.LINE_AA,
            4,
        )
    return picture + float(rng.uniform(4, 14)) * noise(height, width, 2.5 * unit, rng, octaves=2)[..., None]


def _buildings(height: int, width: int, line: int, unit: float, rng: np.random.Generator) -> np.ndarray:
    import cv2

    picture = np.ascontiguousarray(_sky(height, width, line, unit, rng), np.float32)
    x = -10.0 * unit
    while x < width:
        wide, high = float(rng.uniform(18, 70)) * unit, float(rng.uniform(0.35, 1.6)) * line
        tone = natural_colour(rng, float(rng.choice((0.06, 0.1, 0.6))))
        roof = int(line - high)
        cv2.rectangle(picture, (int(x), roof), (int(x + wide), line + 6), tone, -1)
        pane = scaled(tone, float(rng.uniform(0.35, 0.7)))
        step = float(rng.uniform(5, 13)) * unit
        w, h = step * float(rng.uniform(0.3, 0.65)), step * float(rng.uniform(0.45, 0.9))
        for row in np.arange(roof + 0.4 * step, line - 0.4 * step, step * 1.35):
            for column in np.arange(x + 0.35 * step, x + wide - w, step):
                cv2.rectangle(picture, (int(column), int(row)), (int(column + w), int(row + h)), pane, -1)
        x += wide + float(rng.choice((0.0, 0.0, 12.0))) * unit
    return picture + 5 * noise(height, width, 4 * unit, rng, octaves=2)[..., None]


def _wall(height: int, width: int, line: int, unit: float, rng: np.random.Generator) -> np.ndarray:
    import cv2

    base = natural_colour(rng, float(rng.choice((0.08, 0.12, 0.55))))
    picture = _mottled(
        height, width, (base, vary(base, rng, 14)), 40 * unit, rng, grain=float(rng.uniform(1, 7))
    )
    draw = rng.random()
    dark = scaled(base, 0.78)
    if draw < 0.35:
        step = float(rng.uniform(4, 9)) * unit
        for number, y in enumerate(np.arange(0, line, step)):
            cv2.line(picture, (0, int(y)), (width, int(y)), dark, 1)
            for x in np.arange((number % 2) * step, width, 2 * step):
                cv2.line(picture, (int(x), int(y)), (int(x), int(y + step)), dark, 1)
    for _ in range(int(rng.integers(0, 6))):
        x, y = float(rng.uniform(0, width)), float(rng.uniform(0.1, 1.0)) * line
        w, h = rng.uniform(5, 35, 2) * unit
        cv2.rectangle(picture, (int(x - w), int(y - h)), (int(x + w), int(y)), natural_colour(rng), -1)
        cv2.rectangle(picture, (int(x - w), int(y - h)), (int(x + w), int(y)), dark, 1)
    return picture


def _crowd(height: int, width: int, line: int, unit: float, rng: np.random.Generator) -> np.ndarray:
    import cv2

    picture = np.ascontiguousarray(_wall(height, width, line, unit, rng), np.float32)
    size = float(rng.uniform(4, 10)) * unit
    for y in np.arange(max(line - 45 * unit, size), line + size, size * 1.3):
        for x in np.arange(0, width, size * 1.25):
            if rng.random() < 0.12:
                continue
            px, py = x + rng.normal(0, 0.25 * size), y + rng.normal(0, 0.2 * size)
            cv2.ellipse(
                picture,
                (int(px), int(py + 0.6 * size)),
                (int(0.55 * size), int(0.8 * size)),
                0,
                0,
                360,
                natural_colour(rng),
                -1,
            )
            skin = scaled((235.0, 190.0, 160.0), float(rng.uniform(0.35, 0.95)))
            cv2.circle(picture, (int(px), int(py - 0.3 * size)), max(int(0.28 * size), 1), skin, -1)
    return picture


BACKS: dict[str, Callable[[int, int, int, float, np.random.Generator], np.ndarray]] = {
    "sky": _sky,
    "hills": _hills,
    "forest": _forest,
    "buildings": _buildings,
    "wall": _wall,
    "crowd": _crowd,
    "leaves": lambda height, width, line, unit, rng: _dead_leaves(height, width, unit, rng),
    "noise": lambda height, width, line, unit, rng: _noise(height, width, unit, rng),
}
"""What the distance may be."""
