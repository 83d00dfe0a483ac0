"""Turn a scene into frames and label maps.

Legend: t frames, h w of a frame.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8

from .paths import Pose
from .scene import Actor, WildScene
from .scenery import Plane, paint_planes
from .sensor import draw_noise, expose, line_kernel
from .sprites import Patch, Sprite, assemble, make_sprites, relief
from .surfaces import Ripples, cast_shadow, draw_ripples, mirror, ripple

_LARGEST_MARGIN = 0.6
"""Of the frame; what the camera sees beyond is mirrored."""


@dataclass(frozen=True, eq=False)
class RenderedWild:
    """The pixels of a scene.

    Attributes:
        scene: what is shown.
        indices: the frames that are shown.
        frames: RGB.
        labels: id of the visible object, 0: scenery.
    """

    scene: WildScene
    indices: tuple[int, ...]
    frames: UInt8[np.ndarray, "t H W 3"]
    labels: UInt8[np.ndarray, "t H W"]


def render_wild(scene: WildScene, indices: Sequence[int] | None = None) -> RenderedWild:
    """Render the frames of ``scene`` at ``indices`` (default: all).

    A frame does not depend on which others are rendered with it.

    Raises:
        IndexError: an index that the clip does not have.
    """
    chosen = range(scene.settings.length) if indices is None else [int(index) for index in indices]
    for index in chosen:
        if not 0 <= index < scene.settings.length:
            raise IndexError(f"the clip has {scene.settings.length} frames, there is no frame {index}")
    stage = _Stage(scene)
    height, width = scene.settings.size
    frames = np.empty((len(chosen), height, width, 3), np.uint8)
    labels = np.zeros((len(chosen), height, width), np.uint8)
    for place, index in enumerate(chosen):
        picture = stage.draw(scene.time(index), labels[place])
        frames[place] = expose(picture, scene.sensor, stage.noise, scene.time(index), scene.seed)
    return RenderedWild(scene, tuple(chosen), frames, labels)


class _Stage:
    """A scene with everything painted that does not change from frame to frame."""

    def __init__(self, scene: WildScene) -> None:
        self.scene = scene
        self.unit = scene.settings.unit
        self.planes: tuple[Plane, ...] = paint_planes(scene.setting, scene.settings.size, self._margins())
        self.ripples: Ripples | None = draw_ripples(scene.setting)
        self.noise = draw_noise(scene.sensor, scene.settings.size, scene.seed)
        ground = self.planes[-1].pixels
        self.sprites: list[tuple[Sprite, ...]] = [
            make_sprites(actor, self.unit, ground) for actor in scene.actors
        ]
        rng = np.random.default_rng([scene.seed, 14])
        angle = float(rng.uniform(-2.6, -0.5))
        self.light, self.relief = (float(np.cos(angle)), float(np.sin(angle))), float(rng.uniform(0.15, 0.75))
        self.reflection = float(rng.uniform(0.2, 0.75)) if rng.random() < 0.75 else 0.0

    def view(self, time: float, depth: float) -> Float[np.ndarray, "3 3"]:
        """Return the map from the plane at ``depth`` to the frame."""
        return self.scene.camera.view(time, self.scene.followed(time), depth, self.scene.settings.size)

    def _margins(self) -> tuple[int, int, int, int]:
        """Return how far beyond the frame (left, top, right, bottom) the camera looks over the clip."""
        height, width = self.scene.settings.size
        frame = np.array([[0, 0, 1], [width, 0, 1], [0, height, 1], [width, height, 1]], float)
        low, high, half = np.zeros(2), np.zeros(2), np.array([width, height]) / 2
        last = (self.scene.settings.length - 1) / 2
        for time in np.linspace(-last, last, min(self.scene.settings.length, 9)):
            seen = frame @ np.linalg.inv(self.view(float(time), 1.0)).T
            spots = seen[:, :2] / seen[:, 2:]
            low = np.minimum(low, spots.min(axis=0) + half)
            high = np.maximum(high, spots.max(axis=0) - half)
        limit = _LARGEST_MARGIN * np.array([width, height])
        before, beyond = np.minimum(-low, limit) + 6, np.minimum(high, limit) + 6
        return int(before[0]), int(before[1]), int(beyond[0]), int(beyond[1])

    def draw(self, time: float, labels: UInt8[np.ndarray, "h w"]) -> UInt8[np.ndarray, "h w 3"]:
        """Draw the picture at ``time`` and write the ids of what is seen into ``labels``."""
        picture = self._backdrop(time)
        for actor, sprites in zip(self.scene.actors, self.sprites, strict=True):
            self._add(picture, labels, actor, sprites, time)
        return picture

    def _backdrop(self, time: float) -> UInt8[np.ndarray, "h w 3"]:
        import cv2

        height, width = self.scene.settings.size
        picture: np.ndarray | None = None
        for plane in self.planes:
            shift = np.array([[1, 0, -plane.origin[0]], [0, 1, -plane.origin[1]], [0, 0, 1.0]])
            matrix = self.view(time, plane.depth) @ shift
            border = cv2.BORDER_REFLECT_101
            seen = cv2.warpPerspective(
                plane.pixels, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=border
            )
            colours = cv2.cvtColor(seen, cv2.COLOR_RGBA2RGB)
            if picture is not None:
                cv2.copyTo(picture, (seen[..., 3] < 128).astype(np.uint8), colours)
            picture = colours
        assert picture is not None
        ground = self.view(time, 1.0)
        if self.ripples is not None:
            picture = ripple(picture, self.ripples, ground, time, self.scene.setting.horizon)
        kernel = line_kernel(self._travel(time, (0.0, 0.0), (0.0, 0.0), 1.0))
        return picture if kernel is None else cv2.filter2D(picture, -1, kernel)

    def _travel(
        self, time: float, here: tuple[float, float], there: tuple[float, float], depth: float
    ) -> tuple[float, float]:
        """Return how far something goes in the frame while the shutter is open."""
        start = _project(self.view(time, depth), here, self.unit)
        stop = _project(self.view(time + 1, depth), there, self.unit)
        shutter = self.scene.sensor.shutter
        return shutter * (stop[0] - start[0]), shutter * (stop[1] - start[1])

    def _add(
        self, picture: np.ndarray, labels: np.ndarray, actor: Actor, sprites: tuple[Sprite, ...], time: float
    ) -> None:
        import cv2

        pose = actor.path.at(time)
        view = self.view(time, actor.depth)
        camera, followed = self.scene.camera, self.scene.followed(time)
        upright = camera.view(time, followed, actor.depth, self.scene.settings.size, is_upright=True)
        place = self._place(actor, pose, view, upright)
        size = self.scene.settings.size
        kernel = line_kernel(self._travel(time, pose.place, actor.path.at(time + 1).place, actor.depth))
        margin = 4 if kernel is None else 4 + kernel.shape[0] // 2
        transforms = actor.role.figure.transforms(pose.phase, actor.vigour)
        patch = assemble(sprites, transforms, place, size, margin)
        if patch is None:
            return
        if actor.wobble:
            patch = _wobble(patch, place, actor.wobble, pose.phase)
        scale = float(np.hypot(place[0, 0], place[1, 0]))
        relief(patch, int(np.clip(0.06 * scale, 1, 30)), self.light, self.relief)
        foot = (float(place[0, 2]), float(place[1, 2]))
        if actor.role.habitat == "water":
            patch = _cut_below(patch, foot[1])
            if self.reflection:
                mirror(picture, patch, foot[1], self.reflection, time)
        elif "water" in self.scene.setting.grounds and actor.role.habitat == "ground" and self.reflection:
            mirror(picture, patch, foot[1], 0.8 * self.reflection, time)
        elif actor.shadow[0]:
            cast_shadow(picture, patch, foot, *actor.shadow)
        pixels = patch.pixels if kernel is None else cv2.filter2D(patch.pixels, -1, kernel)
        _blend(picture, labels, actor.ids, patch, pixels)

    def _place(
        self, actor: Actor, pose: Pose, view: np.ndarray, upright: np.ndarray
    ) -> Float[np.ndarray, "2 3"]:
        """Return the map from the figure to the frame, affine: the view is straightened about the origin."""
        x, y = _project(view, pose.place, self.unit)
        seen = upright @ (pose.place[0] * self.unit, pose.place[1] * self.unit, 1.0)
        slope = (upright[:2, :2] - np.outer(seen[:2] / seen[2], upright[2, :2])) / seen[2]
        cos, sin = np.cos(pose.tilt), np.sin(pose.tilt)
        scale = pose.scale * self.unit
        own = scale * np.array([[cos, -sin], [sin, cos]]) @ np.diag([actor.facing, 1.0])
        return np.column_stack([slope @ own, (x, y)])


def _project(view: np.ndarray, place: tuple[float, float], unit: float) -> tuple[float, float]:
    x, y, weight = view @ (place[0] * unit, place[1] * unit, 1.0)
    return float(x / weight), float(y / weight)


def _wobble(patch: Patch, place: np.ndarray, amplitude: float, phase: float) -> Patch:
    """Bend a patch by slow waves that are fixed to the figure."""
    import cv2

    rows, columns = patch.pixels.shape[:2]
    scale = float(np.hypot(place[0, 0], place[1, 0]))
    x = (np.arange(columns, dtype=np.float32)[None] + np.float32(patch.corner[0] - place[0, 2])) / scale
    y = (np.arange(rows, dtype=np.float32)[:, None] + np.float32(patch.corner[1] - place[1, 2])) / scale
    size = np.float32(amplitude * scale)
    bend_x = size * np.sin(9 * y + np.float32(phase)) * np.cos(4 * x)
    bend_y = size * np.sin(8 * x + np.float32(0.7 * phase)) * np.cos(5 * y)
    map_x = (np.arange(columns, dtype=np.float32)[None] + bend_x).astype(np.float32)
    map_y = (np.arange(rows, dtype=np.float32)[:, None] + bend_y).astype(np.float32)
    pixels = cv2.remap(patch.pixels, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    owners = cv2.remap(patch.owners, map_x, map_y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT)
    return Patch(patch.corner, pixels, owners)


def _cut_below(patch: Patch, line: float) -> Patch:
    """Hide what is under water."""
    keep = int(np.clip(np.ceil(line) - patch.corner[1], 0, patch.pixels.shape[0]))
    pixels, owners = patch.pixels.copy(), patch.owners.copy()
    pixels[keep:], owners[keep:] = 0, 0
    return Patch(patch.corner, pixels, owners)


def _blend(
    picture: np.ndarray, labels: np.ndarray, ids: tuple[int, ...], patch: Patch, pixels: np.ndarray
) -> None:
    height, width = picture.shape[:2]
    left, top = patch.corner
    rows, columns = pixels.shape[:2]
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + columns, width), min(top + rows, height)
    if x1 <= x0 or y1 <= y0:
        return
    cut = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
    drawn, owners = pixels[cut], patch.owners[cut]
    window = picture[y0:y1, x0:x1]
    mixed = window * (1 - drawn[..., 3:] * np.float32(1 / 255)) + drawn[..., :3]
    window[:] = np.clip(mixed, 0, 255).astype(np.uint8)
    values = np.array([0, *(ids or (0,))], np.uint8)
    np.copyto(labels[y0:y1, x0:x1], values[np.minimum(owners, len(values) - 1)], where=owners > 0)
