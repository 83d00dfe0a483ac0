"""What every data set becomes: a list of :class:`VideoRecord`. Pixels are read only when asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
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
        annotator: number of the data set's set of annotations that it belongs to, where each set covers all
            objects and results are averaged over the sets; None where there is one set.
    """

    id: str
    text: str
    object_ids: tuple[int, ...] = ()
    kinds: tuple[str, ...] = ()
    annotator: int | None = None


@dataclass(frozen=True)
class ObjectInfo:
    """What a data set says of an annotated object besides its masks.

    Attributes:
        id: as in ``VideoRecord.object_ids``.
        category: what it is; empty where that is not told.
        is_seen: whether training knows its kind, where the data set divides its results by that.
        first_frame: index of the frame whose mask is given to a method that follows objects; None: not told.
        frames: indices at which the data set lists the object, absent or not; None: all.
        box: x, y, width, height in pixels, for data sets of images with boxes and no masks; None: not told.
    """

    id: int
    category: str = ""
    is_seen: bool | None = None
    first_frame: int | None = None
    frames: Sequence[int] | None = None
    box: tuple[float, float, float, float] | None = None


@dataclass(frozen=True)
class VideoRecord:
    """One video of a data set, with everything said about it.

    Attributes:
        name: unique in the data set.
        frame_names: stems of the frames, in order.
        frames: reads frames by index.
        expressions: all sentences about the video; empty where the data set has none.
        object_ids: annotated objects; may be read from disk when first asked for.
        masks: reads masks by index; None where the data set holds the truth back.
        annotated_frames: indices that have masks; None: all of them.
        size: height and width in pixels, None where it is known only after reading.
        attributes: what makes the video hard, to split results by.
        objects: more about the annotated objects, where the data set tells it.
        examples: for data sets that ask by examples, of each frame the indices of those that may be its
            examples, in the order in which they are taken.
    """

    name: str
    frame_names: tuple[str, ...]
    frames: FrameReader
    expressions: tuple[Expression, ...]
    object_ids: Sequence[int] = ()
    masks: MaskReader | None = None
    annotated_frames: tuple[int, ...] | None = None
    size: tuple[int, int] | None = None
    attributes: tuple[str, ...] = ()
    objects: tuple[ObjectInfo, ...] = ()
    examples: tuple[tuple[int, ...], ...] = ()
