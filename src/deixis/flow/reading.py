"""Frames of a video that are read in any order, each with the motion that it has when the video is played.

Axes: t frames, m motion channels, H W pixels of the frames, h w of those at which flow is estimated.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8

from .config import MotionSpec
from .cuts import is_cut
from .estimator import FlowEstimator
from .motion import motion_channels
from .tracker import work_frame

ReadFrames = Callable[[Sequence[int]], UInt8[np.ndarray, "t H W 3"]]
"""From indices to frames."""


@dataclass(frozen=True)
class MotionReader:
    """Reads frames with their neighbours, and estimates the flow to them.

    What it gives for a frame is what :class:`~deixis.flow.tracker.MotionTracker` gives for it, to the bit.

    Attributes:
        spec: which neighbours, and what becomes of the flow.
        estimator: of flow; one that remembers on disk (:class:`~deixis.flow.cache.CachedFlow`) will do.
    """

    spec: MotionSpec
    estimator: FlowEstimator

    def read(
        self, read_frames: ReadFrames, indices: Sequence[int], num_frames: int
    ) -> tuple[UInt8[np.ndarray, "t H W 3"], Float[np.ndarray, "t m h w"]]:
        """Return the frames at ``indices`` and their motion, at the size at which flow is estimated.

        Args:
            read_frames: reads frames of the video, all of one size.
            indices: of the frames that are wanted.
            num_frames: of the video.
        """
        steps = {"backward": (-1, 0), "forward": (0, 1), "both": (-1, 0, 1)}[self.spec.directions]
        near = sorted({index + step for index in indices for step in steps} & set(range(num_frames)))
        video = _Video(read_frames, self.spec, dict(zip(near, read_frames(near), strict=True)))
        motion = [self._motion(video, index, num_frames) for index in indices]
        return np.stack([video.image(index) for index in indices]), np.stack(motion)

    def _motion(self, video: "_Video", index: int, num_frames: int) -> Float[np.ndarray, "m h w"]:
        frame = video.work(index)
        forward = backward = None
        if self.spec.directions != "backward" and index + 1 < num_frames:
            after = video.work(index + 1)
            if not (np.array_equal(frame, after) or is_cut(frame, after)):
                forward = self.estimator(frame, after)
        if self.spec.directions != "forward" or forward is None:
            before = video.before(index)
            if before is not None and not is_cut(before, frame):
                backward = self.estimator(frame, before)
        height, width = frame.shape[:2]
        return motion_channels(forward, backward, self.spec, (height, width))


class _Video:
    """The frames that were read so far, as they are and at the size at which flow is estimated."""

    def __init__(self, read_frames: ReadFrames, spec: MotionSpec, images: dict[int, np.ndarray]) -> None:
        self._read_frames, self._spec, self._images = read_frames, spec, images
        self._reduced: dict[int, np.ndarray] = {}

    def image(self, index: int) -> UInt8[np.ndarray, "H W 3"]:
        if index not in self._images:
            self._images[index] = self._read_frames([index])[0]
        return self._images[index]

    def work(self, index: int) -> UInt8[np.ndarray, "h w 3"]:
        if index not in self._reduced:
            self._reduced[index] = work_frame(self.image(index), self._spec)
        return self._reduced[index]

    def before(self, index: int) -> UInt8[np.ndarray, "h w 3"] | None:
        """Return the last frame before that shows another picture."""
        for earlier in range(index - 1, -1, -1):
            if not np.array_equal(self.work(earlier), self.work(index)):
                return self.work(earlier)
        return None
