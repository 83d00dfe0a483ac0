"""Turn a scene into frames, masks, boxes, visibility and optical flow: exact, each made when asked for.

Legend: n objects, t frames.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float32, Int32, UInt8
from PIL import Image

from .background import paint
from .layers import Layer, Poses, colour, motion, poses, rasterise
from .scene import Scene

Window = tuple[slice, slice]
"""Rows and columns."""


def render(scene: Scene, indices: Sequence[int] | None = None) -> "RenderedClip":
    """Render the frames of ``scene`` at ``indices`` (default: all). Nothing is drawn before it is asked for.

    Raises:
        IndexError: an index that the clip does not have.
    """
    chosen = range(scene.settings.length) if indices is None else tuple(int(index) for index in indices)
    for index in chosen:
        if not 0 <= index < scene.settings.length:
            raise IndexError(f"the clip has {scene.settings.length} frames, there is no frame {index}")
    return RenderedClip(scene, tuple(chosen))


@dataclass(frozen=True)
class RenderedClip:
    """The pixels of a scene.

    Attributes:
        scene: what is shown.
        indices: the frames that are shown.
    """

    scene: Scene
    indices: tuple[int, ...]

    @cached_property
    def poses(self) -> Poses:
        """Where everything is in each frame."""
        return poses(self.scene, np.asarray(self.indices, float))

    @cached_property
    def frames(self) -> UInt8[np.ndarray, "t H W 3"]:
        """RGB frames."""
        height, width = self.scene.settings.size
        frames = np.empty((len(self.indices), height, width, 3), np.uint8)
        scene, unit = self.scene, self.scene.settings.unit
        colours = [colour(spec, layer, unit) for spec, layer in zip(scene.objects, self._layers, strict=True)]
        noise = np.random.default_rng([scene.seed, 1]).standard_normal(
            (height + 16, width + 16, 1), np.float32
        )
        for time, picture in enumerate(self._backgrounds()):
            for index in self._back_to_front:
                window, cut = self._windows[index][time]
                alpha = self._layers[index].coverage[time][cut][..., None]
                patch = picture[window]
                patch += alpha * (colours[index][time][cut] - patch)
            frame = self.indices[time]
            amplitude, phase = scene.flicker
            picture *= np.float32(1 + amplitude * np.sin(0.35 * frame + phase))
            y, x = np.random.default_rng([scene.seed, 2, frame]).integers(0, 17, size=2)
            picture += np.float32(scene.noise) * noise[y : y + height, x : x + width]
            frames[time] = np.clip(picture, 0, 255, out=picture)
        return frames

    @cached_property
    def masks(self) -> Bool[np.ndarray, "n t H W"]:
        """Visible masks: disjoint; a pixel belongs to the nearest object that covers more than half of it."""
        return self._owners[None] == np.arange(1, len(self.scene.objects) + 1)[:, None, None, None]

    @cached_property
    def amodal_masks(self) -> Bool[np.ndarray, "n t H W"]:
        """Masks as if no other object were there, cut at the border of the frame."""
        masks = np.zeros((len(self.scene.objects), len(self.indices), *self.scene.settings.size), bool)
        for index, layer in enumerate(self._layers):
            for time, (window, cut) in enumerate(self._windows[index]):
                masks[index, time][window] = layer.coverage[time][cut] > 0.5
        return masks

    @cached_property
    def boxes(self) -> Float32[np.ndarray, "n t 4"]:
        """Boxes of the visible masks: left, top, right, bottom in pixels, the last two exclusive; or 0."""
        boxes = np.zeros((*self.masks.shape[:2], 4), np.float32)
        for axis in (0, 1):
            seen = np.asarray(self.masks.any(axis=2 + axis))  # the profile over x, then over y
            boxes[..., axis] = seen.argmax(axis=-1)
            boxes[..., 2 + axis] = np.where(seen.any(-1), seen.shape[-1] - seen[..., ::-1].argmax(axis=-1), 0)
        return boxes

    @cached_property
    def visibility(self) -> Float32[np.ndarray, "n t"]:
        """Visible share of the whole object: what is hidden or outside of the frame is not visible."""
        return (self.masks.sum(axis=(2, 3)) / np.maximum(self.whole_areas, 1)).astype(np.float32)

    @cached_property
    def whole_areas(self) -> Int32[np.ndarray, "n t"]:
        """Pixels of the whole object, also those hidden or outside of the frame."""
        return np.stack([(layer.coverage > 0.5).sum(axis=(1, 2)) for layer in self._layers]).astype(np.int32)

    @cached_property
    def flow(self) -> Float32[np.ndarray, "t 2 H W"]:
        """Backward flow (x, y): what pixel p shows was at p + flow[:, p] in the *previous* frame.

        It is exact also where that place was hidden or outside of the frame then. Frame 0 of the scene has no
        previous one; its flow is 0.
        """
        height, width = self.scene.settings.size
        indices = np.asarray(self.indices, float)
        before = poses(self.scene, np.maximum(indices - 1, 0))
        columns, rows = np.arange(width) + 0.5, np.arange(height) + 0.5
        flow = np.empty((len(indices), 2, height, width), np.float32)
        for axis, (pixels, extent) in enumerate(((columns[None], width), (rows[:, None], height))):
            world = (pixels - extent / 2) / self.poses.zoom[:, None, None] + self.poses.camera[
                :, axis, None, None
            ]
            place = before.zoom[:, None, None] * (world - before.camera[:, axis, None, None]) + extent / 2
            flow[:, axis] = place - pixels
        for index, (spec, layer) in enumerate(zip(self.scene.objects, self._layers, strict=True)):
            places = motion(spec, layer, before.centres[index], before.radii[index], before.phases[index])
            for time, (window, cut) in enumerate(self._windows[index]):
                own = self._owners[time][window] == index + 1
                grid = (columns[window[1]][None], rows[window[0]][:, None])
                for axis in (0, 1):
                    np.copyto(flow[time, axis][window], places[axis, time][cut] - grid[axis], where=own)
        flow[indices == 0] = 0
        return flow

    @cached_property
    def _back_to_front(self) -> tuple[int, ...]:
        order = sorted((spec.depth, index) for index, spec in enumerate(self.scene.objects))
        return tuple(index for _, index in order)

    @cached_property
    def _layers(self) -> tuple[Layer, ...]:
        track = self.poses
        return tuple(
            rasterise(spec, track.centres[index], track.radii[index], track.phases[index])
            for index, spec in enumerate(self.scene.objects)
        )

    @cached_property
    def _windows(self) -> tuple[tuple[tuple[Window, Window], ...], ...]:
        """For each object and time: the part of the frame that its layer touches, and that of the layer."""
        return tuple(tuple(self._cut(layer)) for layer in self._layers)

    def _cut(self, layer: Layer) -> Iterator[tuple[Window, Window]]:
        height, width = self.scene.settings.size
        side = layer.coverage.shape[1]
        for x, y in layer.corners.tolist():
            left, right = min(max(x, 0), width), max(min(x + side, width), 0)
            top, bottom = min(max(y, 0), height), max(min(y + side, height), 0)
            window = (slice(top, max(bottom, top)), slice(left, max(right, left)))
            yield window, (slice(top - y, window[0].stop - y), slice(left - x, window[1].stop - x))

    @cached_property
    def _owners(self) -> UInt8[np.ndarray, "t H W"]:
        """Index + 1 of the object seen at each pixel, 0 for the background."""
        owners = np.zeros((len(self.indices), *self.scene.settings.size), np.uint8)
        for index in self._back_to_front:
            for time, (window, cut) in enumerate(self._windows[index]):
                owners[time][window][self._layers[index].coverage[time][cut] > 0.5] = index + 1
        return owners

    def _backgrounds(self) -> Iterator[np.ndarray]:
        """Yield the plane as the camera sees it in each frame, ``float32 [H, W, 3]``."""
        height, width = self.scene.settings.size
        zoom, centres = self.scene.camera.at(
            np.arange(self.scene.settings.length, dtype=float), (height, width)
        )
        half = np.array([width, height]) / (2 * zoom[:, None])
        low, high = np.floor((centres - half).min(axis=0)) - 2, np.ceil((centres + half).max(axis=0)) + 2
        columns, rows = (int(value) for value in high - low)
        canvas = Image.fromarray(paint(self.scene.background, rows, columns, self.scene.settings.unit))
        for index in self.indices:
            x, y = centres[index] - half[index] - low
            step = 1 / zoom[index]
            affine = (step, 0.0, float(x), 0.0, step, float(y))
            picture = canvas.transform(
                (width, height), Image.Transform.AFFINE, affine, Image.Resampling.BILINEAR
            )
            yield np.asarray(picture, np.float32).copy()
