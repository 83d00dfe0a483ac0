"""Rendered scenes as records of a data set: pixels are drawn when read, and only the last clip is kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Bool, UInt8

from deixis.data.records import ObjectInfo, VideoRecord

from .expressions import describe
from .render import RenderedWild, render_wild
from .scene import WildSettings, draw_wild


@dataclass(frozen=True)
class WildReader:
    """Reads frames of the scene of ``seed``."""

    seed: int
    settings: WildSettings

    def read(self, indices: Sequence[int]) -> UInt8[np.ndarray, "t H W 3"]:
        """Return the frames at ``indices`` as RGB."""
        return _last_clip(self.seed, self.settings).frames[[int(index) for index in indices]]


@dataclass(frozen=True)
class WildMaskReader:
    """Reads visible masks of the scene of ``seed``."""

    seed: int
    settings: WildSettings

    def read(self, indices: Sequence[int], object_ids: Sequence[int]) -> Bool[np.ndarray, "n t H W"]:
        """Return the visible masks of ``object_ids`` in the frames at ``indices``."""
        labels = _last_clip(self.seed, self.settings).labels[[int(index) for index in indices]]
        return labels[None] == np.array([int(number) for number in object_ids], np.uint8)[:, None, None, None]


def wild_record(seed: int, settings: WildSettings, split: str = "train") -> VideoRecord:
    """Return the scene of ``seed`` with its expressions; ``split`` only goes into the name."""
    clip = _last_clip(seed, settings)
    return VideoRecord(
        name=f"{split}_{seed:08d}",
        frame_names=tuple(f"{index:05d}" for index in range(settings.length)),
        frames=WildReader(seed, settings),
        expressions=describe(clip, np.random.default_rng([seed, 15])),
        object_ids=tuple(item.id for item in clip.scene.objects),
        masks=WildMaskReader(seed, settings),
        size=settings.size,
        objects=tuple(ObjectInfo(item.id, item.category) for item in clip.scene.objects),
    )


@lru_cache(maxsize=1)
def _last_clip(seed: int, settings: WildSettings) -> RenderedWild:
    return render_wild(draw_wild(seed, settings))
