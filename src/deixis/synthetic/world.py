"""Rendered scenes as records of a data set: pixels are drawn when read, and only the last clip is kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Bool, Float32, UInt8

from deixis.data.records import ObjectInfo, VideoRecord

from .expressions import describe
from .render import RenderedClip, render
from .sampling import sample_scene
from .scene import SceneSettings

WHOLE_CLIP = 96
"""Clips of up to this many frames are drawn at once and kept; of longer ones, only the frames asked for."""


@dataclass(frozen=True)
class SceneReader:
    """Reads frames of the scene of ``seed``; also its exact flow."""

    seed: int
    settings: SceneSettings

    def read(self, indices: Sequence[int]) -> UInt8[np.ndarray, "t H W 3"]:
        """Return the frames at ``indices`` as RGB."""
        clip, places = self._clip(indices)
        return clip.frames[places]

    def read_flow(self, indices: Sequence[int]) -> Float32[np.ndarray, "t 2 H W"]:
        """Return the exact flow of the frames at ``indices`` to their previous ones, in pixels (x, y)."""
        clip, places = self._clip(indices)
        return clip.flow[places]

    def _clip(self, indices: Sequence[int]) -> tuple[RenderedClip, list[int]]:
        return _clip(self.seed, self.settings, indices)


@dataclass(frozen=True)
class SceneMaskReader:
    """Reads visible masks of the scene of ``seed``."""

    seed: int
    settings: SceneSettings

    def read(self, indices: Sequence[int], object_ids: Sequence[int]) -> Bool[np.ndarray, "n t H W"]:
        """Return the visible masks of ``object_ids`` in the frames at ``indices``."""
        clip, places = _clip(self.seed, self.settings, indices)
        ids = [spec.id for spec in clip.scene.objects]
        return clip.masks[[ids.index(object_id) for object_id in object_ids]][:, places]


def scene_record(seed: int, settings: SceneSettings, split: str = "train") -> VideoRecord:
    """Return the scene of ``seed`` with its expressions; ``split`` only goes into the name."""
    clip = _last_clip(seed, settings)
    scene = clip.scene
    return VideoRecord(
        name=f"{split}_{seed:08d}",
        frame_names=tuple(f"{index:05d}" for index in range(settings.length)),
        frames=SceneReader(seed, settings),
        expressions=describe(clip, np.random.default_rng([seed, 3])),
        object_ids=tuple(spec.id for spec in scene.objects),
        masks=SceneMaskReader(seed, settings),
        size=settings.size,
        objects=tuple(ObjectInfo(spec.id, spec.shape) for spec in scene.objects),
    )


@lru_cache(maxsize=1)
def _last_clip(seed: int, settings: SceneSettings) -> RenderedClip:
    return render(sample_scene(seed, settings))


def _clip(seed: int, settings: SceneSettings, indices: Sequence[int]) -> tuple[RenderedClip, list[int]]:
    """Return a clip that has the frames at ``indices``, and their places in it."""
    if settings.length <= WHOLE_CLIP:
        return _last_clip(seed, settings), [int(index) for index in indices]
    return render(_last_clip(seed, settings).scene, indices), list(range(len(indices)))
