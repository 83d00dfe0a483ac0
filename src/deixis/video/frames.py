"""What a source gives: frames, one at a time, and what is known about them beforehand."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

#: Frames without a clock (folders, arrays) get their ``Frame.time`` at this rate unless another one is given.
ASSUMED_FRAME_RATE = 25.0


@dataclass(frozen=True)
class Frame:
    """One picture of a video.

    Attributes:
        index: its position in the source from 0, before ``start`` and ``stride`` left frames out.
        time: seconds since the beginning of the source; the true timestamp where the source has one.
        name: the stem of its file, or its index with at least five digits.
        image: ``uint8 [H, W, 3]`` RGB, upright.
    """

    index: int
    time: float
    name: str
    image: UInt8[np.ndarray, "H W 3"]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.image.shape[0], self.image.shape[1]


@dataclass(frozen=True)
class AudioTrack:
    """The sound of a source, for sinks that keep it: a file, and the seconds of it that the frames cover."""

    path: Path
    start: float = 0.0
    end: float | None = None


@dataclass(frozen=True)
class Source:
    """Frames to be read one at a time; iterate it. At most one frame is held in memory.

    Files, folders and arrays can be iterated again; iterators and cameras only once.

    Attributes:
        name: what to call it: the stem of a file, the name of a folder, ``"array"``, ``"frames"``,
            ``"camera-0"``.
        size: height and width of every frame, None where the first frame must be awaited to know.
        frame_rate: frames a second as delivered (after ``stride``), None where nothing says it.
        num_frames: how many frames will be delivered; None where it cannot be known (streams, iterators).
        audio: the sound that belongs to the frames, None where there is none.
        reader: starts reading from the first frame.
    """

    name: str
    size: tuple[int, int] | None
    frame_rate: float | None
    num_frames: int | None
    reader: Callable[[], Iterator[Frame]] = field(repr=False)
    audio: AudioTrack | None = None

    def __iter__(self) -> Iterator[Frame]:
        return self.reader()


def index_name(index: int) -> str:
    """Return the name of a frame that has no file of its own: its index with at least five digits."""
    return f"{index:05d}"
