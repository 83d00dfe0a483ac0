"""Rasterise one object over some frames: coverage, colours and where each of its pixels was a frame before.

Legend: t frames, s side of the square window that follows the object. Pixel (x, y) has its middle at
(x + 0.5, y + 0.5).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64, UInt8

from .attributes import COLOURS
from .scene import ObjectSpec, Scene
from .shapes import SHAPES

CYCLE_PER_RADIUS = 1.7
"""Radians of the limbs' cycle to one radius of way: nothing swings on an object that rests."""

_RIM_WIDTH, _RIM_SHADE = 1.4, 0.55


@dataclass(frozen=True)
class Poses:
    """Where everything is at t times.

    Attributes:
        world: middles of n objects in the world, ``[n, t, 2]``.
        centres: the same in the frame, pixels, ``[n, t, 2]``.
        radii: half extents in the frame, pixels, ``[n, t]``.
        phases: of the limbs' cycles, radians, ``[n, t]``.
        zoom: of the camera, ``[t]``.
        camera: its centre in the world, ``[t, 2]``.
    """

    world: np.ndarray
    centres: np.ndarray
    radii: np.ndarray
    phases: np.ndarray
    zoom: np.ndarray
    camera: np.ndarray


def poses(scene: Scene, times: np.ndarray) -> Poses:
    """Return the poses of all objects of ``scene`` at ``times [t]`` (frame indices, fractions allowed)."""
    height, width = scene.settings.size
    zoom, camera = scene.camera.at(times, scene.settings.size)
    world = np.stack([spec.path.at(times) for spec in scene.objects])
    centres = zoom[:, None] * (world - camera) + np.array([width / 2, height / 2])
    radii = np.stack([spec.radius * zoom for spec in scene.objects])
    cycles = [CYCLE_PER_RADIUS * spec.path.travelled(times) / spec.radius for spec in scene.objects]
    return Poses(world, centres, radii, np.stack(cycles), zoom, camera)


@dataclass(frozen=True)
class Layer:
    """One object in windows that follow it.

    Attributes:
        corners: frame coordinates (x, y) of the windows' first pixels, ``[t, 2]``.
        coverage: share of each pixel that the object covers, ``[t, s, s]``.
        parts: index of the part seen at each pixel.
        material: coordinates (u, v) on the body at rest, ``[2, t, s, s]``.
        rim: distance to the outline from inside, pixels.
    """

    corners: Int64[np.ndarray, "t 2"]
    coverage: Float32[np.ndarray, "t s s"]
    parts: UInt8[np.ndarray, "t s s"]
    material: Float32[np.ndarray, "2 t s s"]
    rim: Float32[np.ndarray, "t s s"]


def rasterise(spec: ObjectSpec, centres: np.ndarray, radii: np.ndarray, phases: np.ndarray) -> Layer:
    """Draw ``spec`` at middles ``[t, 2]``, half extents ``[t]`` and phases ``[t]``."""
    side = int(np.ceil(2 * 1.3 * radii.max())) + 4
    corners = np.floor(centres - side / 2).astype(np.int64)
    pixels = np.arange(side) + 0.5
    across = ((corners[:, :1] + pixels - centres[:, :1]) / radii[:, None]).astype(np.float32)[:, None, :]
    down = ((corners[:, 1:] + pixels - centres[:, 1:]) / radii[:, None]).astype(np.float32)[:, :, None]
    cosine, sine = np.float32(np.cos(spec.tilt)), np.float32(np.sin(spec.tilt))
    x = cosine * across + sine * down  # t s s
    y = cosine * down - sine * across
    if spec.faces_left:
        x = -x
    scale = radii.astype(np.float32)[:, None, None]
    coverage, rim = np.zeros_like(x), np.full_like(x, -np.inf)
    parts, material = np.zeros(x.shape, np.uint8), np.zeros((2, *x.shape), np.float32)
    for index, part in enumerate(SHAPES[spec.shape].parts):
        angle, lift = part.pose(phases)
        px, py = x - np.float32(part.joint[0]), y - np.float32(part.joint[1])
        if part.heave:
            py = py - lift.astype(np.float32)[:, None, None]
        if part.swing:
            turn = angle.astype(np.float32)[:, None, None]
            px, py = np.cos(turn) * px + np.sin(turn) * py, np.cos(turn) * py - np.sin(turn) * px
        inside = -part.distance(px, py) * scale
        own = np.clip(inside + np.float32(0.5), 0, 1)
        seen = (own > 0.5) | (own > coverage)
        parts[seen] = index
        np.copyto(material[0], px + np.float32(part.joint[0]), where=seen)
        np.copyto(material[1], py + np.float32(part.joint[1]), where=seen)
        np.maximum(coverage, own, out=coverage)
        np.maximum(rim, inside, out=rim)
    return Layer(corners, coverage, parts, material, rim)


def colour(spec: ObjectSpec, layer: Layer, unit: float) -> Float32[np.ndarray, "t s s 3"]:
    """Paint the texture onto the body, with a darker rim; 8-bit RGB values as floats."""
    paint = COLOURS[spec.colour]
    main, second = (np.asarray(tone, np.float32) * np.float32(spec.light) for tone in paint)
    share = _texture(spec, layer.material, unit)
    colours = (
        main + (second - main) * share[..., None]
        if share is not None
        else np.broadcast_to(main, (*layer.rim.shape, 3)).copy()
    )
    for index, part in enumerate(SHAPES[spec.shape].parts):
        if part.paint is not None:
            colours[layer.parts == index] = part.paint
    depth = np.clip(layer.rim / np.float32(_RIM_WIDTH * unit), 0, 1)
    colours *= (np.float32(_RIM_SHADE) + np.float32(1 - _RIM_SHADE) * depth)[..., None]
    return colours


def _texture(spec: ObjectSpec, material: np.ndarray, unit: float) -> np.ndarray | None:
    """Return the share of the second tone at each pixel in [0, 1]; None for a plain object."""
    if spec.texture == "plain":
        return None
    radius = spec.radius / unit
    period = np.float32(max(0.46, 6.0 / radius))
    sharpness = np.float32(0.5 * period * spec.radius)  # edges about two pixels wide
    cosine, sine = np.float32(np.cos(spec.grain)), np.float32(np.sin(spec.grain))
    along = cosine * material[0] + sine * material[1]
    across = cosine * material[1] - sine * material[0]
    if spec.texture == "two-tone":
        return np.clip(along * np.float32(spec.radius) + 0.5, 0, 1)
    wave = np.sin(along * np.float32(2 * np.pi / period))
    if spec.texture == "striped":
        return np.clip(wave * sharpness * 0.5 + 0.5, 0, 1)
    if spec.texture == "checkered":
        other = np.sin(across * np.float32(2 * np.pi / period))
        return np.clip(wave * other * sharpness * 0.5 + 0.5, 0, 1)
    cell_x, cell_y = along / period % 1 - 0.5, across / period % 1 - 0.5
    distance = np.hypot(cell_x, cell_y) * period
    return np.clip((0.29 * period - distance) * np.float32(spec.radius) + 0.5, 0, 1)


def motion(
    spec: ObjectSpec, layer: Layer, centres: np.ndarray, radii: np.ndarray, phases: np.ndarray
) -> Float32[np.ndarray, "2 t s s"]:
    """Return where in the frame each pixel's piece of the body is at other poses (those a frame before)."""
    x, y = np.zeros_like(layer.rim), np.zeros_like(layer.rim)
    for index, part in enumerate(SHAPES[spec.shape].parts):
        angle, lift = (value.astype(np.float32)[:, None, None] for value in part.pose(phases))
        px, py = (layer.material[axis] - np.float32(part.joint[axis]) for axis in (0, 1))
        seen = layer.parts == index
        np.copyto(x, np.cos(angle) * px - np.sin(angle) * py + np.float32(part.joint[0]), where=seen)
        np.copyto(y, np.sin(angle) * px + np.cos(angle) * py + np.float32(part.joint[1]) + lift, where=seen)
    if spec.faces_left:
        x = -x
    cosine, sine = np.float32(np.cos(spec.tilt)), np.float32(np.sin(spec.tilt))
    scale, middle = radii[:, None, None], centres[:, :, None, None]
    before = [middle[:, 0] + scale * (cosine * x - sine * y), middle[:, 1] + scale * (sine * x + cosine * y)]
    return np.stack(before).astype(np.float32)
