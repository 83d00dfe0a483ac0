"""Where the masks to score come from: a model, arrays, later folders. The scorer does not know which."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

import numpy as np
from jaxtyping import Bool, Float, UInt8

from deixis.data.records import VideoRecord

_FRAMES_AT_ONCE = 8


class Predictor(Protocol):
    """Masks of all expressions of a video, frame by frame, so that no video is ever held whole."""

    def __call__(
        self, record: VideoRecord, expressions: Sequence[str]
    ) -> Iterable[Bool[np.ndarray, "e H W"]]:
        """Yield the masks of every frame of ``record``, in order, at the video's own size."""
        ...


class SoftPredictor(Protocol):
    """The same with probabilities in place of masks, for protocols that let objects compete for pixels."""

    def __call__(
        self, record: VideoRecord, expressions: Sequence[str]
    ) -> Iterable[Float[np.ndarray, "e H W"]]:
        """Yield the probabilities of every frame of ``record``, in order, at the video's own size."""
        ...


def read_frames(record: VideoRecord) -> Iterator[UInt8[np.ndarray, "H W 3"]]:
    """Yield the frames of a record; a few are read at a time."""
    indices = range(len(record.frame_names))
    for start in range(0, len(indices), _FRAMES_AT_ONCE):
        yield from record.frames.read(indices[start : start + _FRAMES_AT_ONCE])


def predict_from_arrays(
    function: Callable[[UInt8[np.ndarray, "t H W 3"], Sequence[str]], Bool[np.ndarray, "e t H W"]],
) -> Predictor:
    """Make a predictor of a plain function of all frames and expressions."""

    def predict(record: VideoRecord, expressions: Sequence[str]) -> Iterator[np.ndarray]:
        masks = function(record.frames.read(range(len(record.frame_names))), expressions)
        yield from np.swapaxes(masks, 0, 1)

    return predict
