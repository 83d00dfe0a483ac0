"""What every data set becomes: a list of :class:`VideoRecord`. Pixels are read only when asked for."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from jaxtyping import Bool, UInt8


class FrameReader(Protocol):
    """Where the frames of a record come from: a folder, a video file, a rendered scene."""

    def read(self, indices: Sequence[int]) -> UInt8[np.ndarray, "t H W 3"]:
        """Return the frames at ``indices`` as RGB."""
        ...


class MaskReader(Protocol):
    """Where the masks of a record come from: palette PNGs, RLE, h5 files, a rendered scene."""

    def read(self, indices: Sequence[int], object_ids: Sequence[int]) -> Bool[np.ndarray, "n t H W"]:
        """Return the visible masks of ``object_ids`` at ``indices``; all False where not visible."""
        ...


@dataclass(frozen=True)
class Expression:
    """One sentence about a video.

    Attributes:
        id: its name in the data set.
        text: the sentence as written.
        object_ids: the objects it denotes; empty where nothing in the video answers it, or where the truth is
            held back (``VideoRecord.masks`` is then None).
        kinds: what it speaks of ("appearance", "location", "motion", "relation", "order", "absent",
            "several", ...), to split results by.
    """

    id: str
    text: str
    object_ids: tuple[int, ...] = ()
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True)
class VideoRecord:
    """One video of a data set, with everything said about it.

    Attributes:
        name: unique in the data set.
        frame_names: stems of the frames, in order.
        frames: reads frames by index.
        expressions: all sentences about the video.
        object_ids: annotated objects.
        masks: reads masks by index; None where the data set holds the truth back.
        annotated_frames: indices that have masks; None: all of them.
        size: height and width in pixels, None where it is known only after reading.
    """

    name: str
    frame_names: tuple[str, ...]
    frames: FrameReader
    expressions: tuple[Expression, ...]
    object_ids: tuple[int, ...] = ()
    masks: MaskReader | None = None
    annotated_frames: tuple[int, ...] | None = None
    size: tuple[int, int] | None = None
    attributes: tuple[str, ...] = field(default=())
