"""What can be measured in a rendered clip, frame by frame: the ground on which predicates are proven.

Legend: n objects, t frames.
"""

from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Bool, Float, Int

from .render import RenderedClip
from .scene import Scene

_CHUNK = 64
_MIN_PIXELS = 14
"""Fewer visible pixels than this (in the reference frame) are not seen by a person."""


@dataclass(frozen=True)
class Observation:
    """Measures of a clip, all in pixels of the reference frame (shorter side 128) unless said.

    Attributes:
        scene: what was observed.
        seen: enough of the object is visible to notice it.
        places: middles of the visible masks as shares of width and height, NaN where not seen.
        frame_tracks: middles of the bodies in the frame.
        world_tracks: the same relative to the background.
        extents: longer side and area of the whole body (pixels, pixels squared).
        inside: share of the body inside the frame, hidden or not.
        areas: visible pixels of the rendered frame.
        overlaps: share of the smaller of two bodies (inside the frame) where the two overlap.
    """

    scene: Scene
    seen: Bool[np.ndarray, "n t"]
    places: Float[np.ndarray, "n t 2"]
    frame_tracks: Float[np.ndarray, "n t 2"]
    world_tracks: Float[np.ndarray, "n t 2"]
    extents: Float[np.ndarray, "n t 2"]
    inside: Float[np.ndarray, "n t"]
    areas: Int[np.ndarray, "n t"]
    overlaps: Float[np.ndarray, "n n t"]

    @property
    def num_objects(self) -> int:
        """How many objects the scene has."""
        return len(self.scene.objects)


def observe(clip: RenderedClip) -> Observation:
    """Measure ``clip``; a long one in chunks, so that its masks are never all in memory."""
    if len(clip.indices) <= _CHUNK:
        return _observe(clip)
    starts = range(0, len(clip.indices), _CHUNK)
    chunks = [_observe(RenderedClip(clip.scene, clip.indices[start : start + _CHUNK])) for start in starts]
    names = [field.name for field in fields(Observation) if field.name != "scene"]
    axes = {"overlaps": 2}
    joined = {
        name: np.concatenate([getattr(chunk, name) for chunk in chunks], axis=axes.get(name, 1))
        for name in names
    }
    return Observation(clip.scene, **joined)


def _observe(clip: RenderedClip) -> Observation:
    settings = clip.scene.settings
    unit, (height, width) = settings.unit, settings.size
    areas = clip.masks.sum(axis=(2, 3))
    amodal = clip.amodal_masks.sum(axis=(2, 3))
    seen = areas >= np.maximum(_MIN_PIXELS * unit**2, 0.15 * clip.whole_areas)
    boxes = clip.boxes
    middles = (boxes[..., :2] + boxes[..., 2:]) / 2 / np.array([width, height])
    places = np.where(seen[..., None], middles, np.nan)
    frame_tracks = (clip.poses.centres - np.array([width, height]) / 2) / unit
    world_tracks = clip.poses.world / unit
    count = len(clip.scene.objects)
    overlaps = np.zeros((count, count, len(clip.indices)))
    for first in range(count):
        for second in range(first):
            both = (clip.amodal_masks[first] & clip.amodal_masks[second]).sum(axis=(1, 2))
            share = both / np.maximum(np.minimum(amodal[first], amodal[second]), 1)
            overlaps[first, second] = overlaps[second, first] = share
    extents = np.stack([2 * clip.poses.radii / unit, clip.whole_areas / unit**2], axis=-1)
    inside = amodal / np.maximum(clip.whole_areas, 1)
    return Observation(clip.scene, seen, places, frame_tracks, world_tracks, extents, inside, areas, overlaps)
