"""Motion of frames that arrive one at a time: each frame's flow to its neighbours, looked up across no cut.

Axes: H W pixels of the frames, h w of the model's input, m motion channels.
"""

from collections.abc import Generator, Iterable
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from jaxtyping import Float, UInt8

from deixis.ops.resize import resize_frames, resized_size

from .config import MotionSpec
from .cuts import is_cut
from .estimator import FlowEstimator
from .motion import motion_channels

T = TypeVar("T")
_ANY_LENGTH = 1 << 30
"""A long side that no frame has."""


class MotionTracker(Generic[T]):
    """Takes frames with something that belongs to them, gives that something back with the frame's motion.

    It looks at most one frame ahead, and holds at most two frames and one flow. A picture that is repeated
    bit by bit keeps its motion: repetition, as in video of variable rate, is no standstill.
    """

    def __init__(self, spec: MotionSpec, estimator: FlowEstimator) -> None:
        self.spec = spec
        self.estimator = estimator
        self._frame: np.ndarray | None = None
        self._backward: np.ndarray | None = None
        self._before: np.ndarray | None = None
        self._waiting: list[tuple[T, tuple[int, int]]] = []

    @property
    def latency(self) -> int:
        """How many frames it looks ahead."""
        return 0 if self.spec.directions == "backward" else 1

    def push(
        self, image: UInt8[np.ndarray, "H W 3"], item: T, size: tuple[int, int]
    ) -> list[tuple[T, Float[np.ndarray, "m h w"]]]:
        """Take the next frame; return what is known by now: itself, or the frame before.

        Args:
            image: the frame, of the size of those before.
            item: comes back with the motion.
            size: h and w of the motion channels.
        """
        frame = work_frame(image, self.spec)
        previous, done = self._frame, []
        is_repeated = previous is not None and np.array_equal(previous, frame)
        is_linked = previous is not None and not is_repeated and not is_cut(previous, frame)
        if self._waiting:
            forward = self._flow(previous, frame) if is_linked else None
            done = self._release(forward)
        if not is_repeated:
            self._before = previous if is_linked else None
            self._backward = None
        self._frame = frame
        self._waiting.append((item, size))
        if self.latency == 0:
            done = self._release(None)
        elif self.spec.directions == "both":
            self._look_back()
        return done

    def finish(self) -> list[tuple[T, Float[np.ndarray, "m h w"]]]:
        """Return the frame that waited for another one."""
        return self._release(None) if self._waiting else []

    def state(self) -> dict[str, Any]:
        """Return all that is needed to go on later, without the waiting items: tensors and plain values."""
        held = {"frame": self._frame, "before": self._before, "backward": self._backward}
        return {name: None if value is None else torch.from_numpy(value) for name, value in held.items()}

    def load_state(self, state: dict[str, Any], waiting: Iterable[tuple[T, tuple[int, int]]]) -> None:
        """Go on from what :meth:`state` returned, with the items that waited (:attr:`waiting`)."""
        arrays = {name: None if value is None else value.numpy() for name, value in state.items()}
        self._frame, self._before, self._backward = (arrays[name] for name in ("frame", "before", "backward"))
        self._waiting = list(waiting)

    @property
    def waiting(self) -> tuple[tuple[T, tuple[int, int]], ...]:
        """Items whose motion is not known yet, with the sizes asked for."""
        return tuple(self._waiting)

    def _release(self, forward: np.ndarray | None) -> list[tuple[T, np.ndarray]]:
        """Give the waiting item its motion."""
        if forward is None or self.spec.directions != "forward":
            self._look_back()
        found = [
            (item, motion_channels(forward, self._backward, self.spec, size)) for item, size in self._waiting
        ]
        self._waiting = []
        return found

    def _look_back(self) -> None:
        """Estimate the flow to the frame before, once."""
        if self._backward is None and self._before is not None:
            assert self._frame is not None
            self._backward = self._flow(self._frame, self._before)

    def _flow(self, first: np.ndarray | None, second: np.ndarray) -> np.ndarray:
        assert first is not None
        return self.estimator(first, second)


def track(
    frames: Iterable[tuple[UInt8[np.ndarray, "H W 3"], T]],
    size: tuple[int, int],
    spec: MotionSpec,
    estimator: FlowEstimator,
) -> Generator[tuple[T, Float[np.ndarray, "m h w"]]]:
    """Yield the item of every frame with its motion, in order."""
    tracker: MotionTracker[T] = MotionTracker(spec, estimator)
    for image, item in frames:
        yield from tracker.push(image, item, size)
    yield from tracker.finish()


def work_frame(image: UInt8[np.ndarray, "H W 3"], spec: MotionSpec) -> UInt8[np.ndarray, "h w 3"]:
    """Return the frame at the size at which its flow is estimated: reduced where it is large."""
    height, width = image.shape[:2]
    if min(height, width) <= spec.short_side:
        return np.ascontiguousarray(image)
    size = resized_size(height, width, spec.short_side, _ANY_LENGTH)
    return resize_frames(image[None], size)[0]
