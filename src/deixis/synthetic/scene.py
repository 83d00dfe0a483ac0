"""What a clip is made of, as plain values: camera, background, objects and their paths, all from one seed.

Lengths are pixels of the frame. Paths are given in *world* coordinates: those of the background plane, which
are the frame's own at the camera's rest. The camera maps a world point w to
``zoom * (w - centre) + frame centre``.
"""

from dataclasses import dataclass, field

import numpy as np

from .attributes import REFERENCE_SIDE

Pair = tuple[str, str]
"""A colour and a shape."""


@dataclass(frozen=True, kw_only=True)
class SceneSettings:
    """What kind of scenes to draw.

    Attributes:
        size: height and width of the frames.
        length: number of frames.
        min_objects: the fewest objects of a scene.
        max_objects: the most.
        forbidden_pairs: combinations of colour and shape that no object has and no expression names.
        extra_pairs: combinations that ``extra_share`` of the objects are drawn from.
        extra_share: share of the objects whose colour and shape come from ``extra_pairs``.
        moving_camera: share of the scenes in which the camera pans or zooms.
        still_share: share of the objects that never move.
        occlusion_share: share of the scenes in which paths may cross in front of one another.
    """

    size: tuple[int, int] = (128, 192)
    length: int = 16
    min_objects: int = 2
    max_objects: int = 4
    forbidden_pairs: tuple[Pair, ...] = ()
    extra_pairs: tuple[Pair, ...] = ()
    extra_share: float = 0.0
    moving_camera: float = 0.45
    still_share: float = 0.3
    occlusion_share: float = 0.35

    def __post_init__(self) -> None:
        if min(self.size) < 16 or self.length < 1:
            raise ValueError(
                f"frames of {self.size} x {self.length} are too few or too small; use at least 16x16, 1 frame"
            )
        if not 1 <= self.min_objects <= self.max_objects <= 255:
            raise ValueError(f"{self.min_objects} to {self.max_objects} objects is no range within 1 to 255")
        for name in ("extra_share", "moving_camera", "still_share", "occlusion_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is a share in [0, 1], got {getattr(self, name)}")
        if self.extra_share and not self.extra_pairs:
            raise ValueError("extra_share needs extra_pairs to draw from")

    @property
    def unit(self) -> float:
        """Pixels of this frame to one pixel of a frame whose shorter side has 128."""
        return min(self.size) / REFERENCE_SIDE

    @property
    def pace(self) -> float:
        """Factor on speeds: long clips are slower, so that what happens still fits into the frame."""
        return 16 / min(max(self.length, 16), 48)


@dataclass(frozen=True)
class Path:
    """A polyline through the world.

    Attributes:
        times: frame indices of the knots, rising; the object rests before the first and after the last.
        points: world coordinates (x, y) of the knots.
    """

    times: tuple[float, ...]
    points: tuple[tuple[float, float], ...]

    def at(self, times: np.ndarray) -> np.ndarray:
        """Return world coordinates ``[t, 2]`` at ``times [t]``."""
        points = np.asarray(self.points)
        return np.stack([np.interp(times, self.times, points[:, axis]) for axis in (0, 1)], axis=-1)

    def travelled(self, times: np.ndarray) -> np.ndarray:
        """Return the length of the way gone ``[t]`` until each of ``times [t]``."""
        steps = np.hypot(*np.diff(np.asarray(self.points), axis=0).T)
        return np.interp(times, self.times, np.concatenate([[0.0], np.cumsum(steps)]))


@dataclass(frozen=True)
class ObjectSpec:
    """One object.

    Attributes:
        id: 1, 2, ...; also its value in palette masks.
        shape: a name of ``SHAPES``.
        colour: a name of ``COLOURS``.
        size: a name of ``SIZES``.
        texture: a name of ``TEXTURES``.
        radius: half extent in world pixels.
        path: where its middle is.
        depth: distinct over a scene; a larger depth is nearer and hides the others.
        tilt: rotation in radians, clockwise as seen.
        faces_left: mirrored; only for shapes that look one way.
        grain: angle of stripes, lattice or halves of the texture, radians.
        light: factor on its colours.
    """

    id: int
    shape: str
    colour: str
    size: str
    texture: str
    radius: float
    path: Path
    depth: int
    tilt: float = 0.0
    faces_left: bool = False
    grain: float = 0.0
    light: float = 1.0


@dataclass(frozen=True)
class Camera:
    """A camera that pans along a line and zooms.

    Attributes:
        pan: travel (x, y) of its centre over the clip, world pixels.
        zoom: factors at the start and at the end.
        length: number of frames of the clip. Over more than 48 frames it swings to and fro instead.
    """

    pan: tuple[float, float] = (0.0, 0.0)
    zoom: tuple[float, float] = (1.0, 1.0)
    length: int = 16

    def at(self, times: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        """Return zoom ``[t]`` and centre ``[t, 2]`` in the world at ``times [t]`` for frames of ``size``."""
        progress = times / max(self.length - 1, 1)
        if self.length > 48:
            progress = (1 - np.cos(np.pi * times / 48)) / 2
        start, end = np.log(self.zoom)
        middle = np.array([size[1] / 2, size[0] / 2])
        return np.exp(start + (end - start) * progress), middle + np.outer(progress - 0.5, self.pan)


@dataclass(frozen=True)
class Background:
    """A painted plane: the ``kind`` of pattern, the ``seed`` that draws it and its muted ``colours``."""

    kind: str
    seed: int
    colours: tuple[tuple[float, float, float], ...]


@dataclass(frozen=True)
class Scene:
    """Everything that determines a clip, bit for bit.

    Attributes:
        seed: what the scene was drawn from.
        settings: the settings it was drawn with.
        objects: by id.
        camera: pan and zoom.
        background: the plane behind.
        flicker: amplitude and phase of a slow change of light.
        noise: standard deviation of the sensor's noise, in 8-bit steps.
    """

    seed: int
    settings: SceneSettings
    objects: tuple[ObjectSpec, ...]
    camera: Camera = field(default_factory=Camera)
    background: Background = Background("plain", 0, ((120.0, 120.0, 120.0),))
    flicker: tuple[float, float] = (0.0, 0.0)
    noise: float = 0.0
