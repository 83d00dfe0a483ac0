"""What can be measured in a rendered clip: the ground on which sentences are proven.

Legend: n objects, t frames. Lengths are pixels of a frame of 128 rows, times are frames.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from .render import RenderedWild
from .scene import WildScene

_MIN_PIXELS = 25.0
"""Fewer visible pixels than this (of a frame of 128 rows) are not seen by a person."""


@dataclass(frozen=True, eq=False)
class WildObservation:
    """Measures of the objects of a clip, by id.

    Attributes:
        scene: what was observed.
        areas: visible pixels of the frames as they are.
        seen: enough of the object is visible to notice it.
        boxes: left, top, right, bottom of what is visible as shares of width and height; NaN where not seen.
        velocities: mean speed (x, y) over the ground while the clip lasts.
        growths: mean change of the logarithm of the size a frame.
    """

    scene: WildScene
    areas: Int[np.ndarray, "n t"]
    seen: Bool[np.ndarray, "n t"]
    boxes: Float[np.ndarray, "n t 4"]
    velocities: Float[np.ndarray, "n 2"]
    growths: Float[np.ndarray, "n"]

    @property
    def places(self) -> Float[np.ndarray, "n t 2"]:
        """Middles of the boxes."""
        return (self.boxes[..., :2] + self.boxes[..., 2:]) / 2

    @property
    def sizes(self) -> Float[np.ndarray, "n"]:
        """Mean visible area over the frames in which the object is seen, 0 where it never is."""
        return (self.areas * self.seen).sum(axis=1) / np.maximum(self.seen.sum(axis=1), 1)

    @property
    def is_shown(self) -> Bool[np.ndarray, "n"]:
        """Whether the object is seen in at least one frame."""
        return np.asarray(self.seen.any(axis=1))


def observe(clip: RenderedWild) -> WildObservation:
    """Measure ``clip``."""
    scene = clip.scene
    count, (height, width) = len(scene.objects), scene.settings.size
    areas = np.zeros((count, len(clip.indices)), np.int64)
    boxes = np.full((count, len(clip.indices), 4), np.nan)
    for time, labels in enumerate(clip.labels):
        areas[:, time] = np.bincount(labels.ravel(), minlength=count + 1)[1 : count + 1]
        for index in np.flatnonzero(areas[:, time]):
            own = labels == index + 1
            columns, rows = np.flatnonzero(own.any(axis=0)), np.flatnonzero(own.any(axis=1))
            box = (columns[0] / width, rows[0] / height, (columns[-1] + 1) / width, (rows[-1] + 1) / height)
            boxes[index, time] = box
    seen = areas >= _MIN_PIXELS * scene.settings.unit**2
    boxes[~seen] = np.nan
    velocities, growths = np.zeros((count, 2)), np.zeros(count)
    for actor in scene.actors:
        for number in actor.ids:
            # What bends a path bends it alike before and after the middle of the clip: the mean stays.
            velocities[number - 1] = actor.path.velocity
            growths[number - 1] = actor.path.growth
    return WildObservation(scene, areas, seen, boxes, velocities, growths)
