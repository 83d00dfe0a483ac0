"""Dense inverse search (Kroeger et al., ECCV 2016), as OpenCV has it: no weights, a few milliseconds."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from .estimator import require_pair

PRESETS = ("ultrafast", "fast", "medium")
"""In OpenCV's order: their numbers are their places."""

MIN_SIDE = 12
"""Smaller frames get no flow."""

_SAFE_SIDES = {"ultrafast": 96, "fast": 96, "medium": 48}
"""Below, OpenCV chooses scales by the width alone, and on long low frames reads beyond its buffers (5.0.0
ends the process at 24x300): such frames are enlarged, and their flow is reduced."""


@dataclass(frozen=True)
class Dis:
    """The estimator; its flow does not depend on threads, machine load or earlier frames.

    Attributes:
        preset: "ultrafast" (finest scale a quarter of the frame), "fast" (the same, with five variational
            iterations), "medium" (half the frame).
    """

    preset: str = "medium"

    def __post_init__(self) -> None:
        if self.preset not in PRESETS:
            raise ValueError(f"preset must be one of {', '.join(PRESETS)}, got {self.preset!r}")

    def describe(self) -> dict[str, Any]:
        """Return method, preset and the version of OpenCV."""
        import cv2

        return {"method": "dis", "preset": self.preset, "opencv": cv2.__version__}

    def __call__(
        self, first: UInt8[np.ndarray, "H W 3"], second: UInt8[np.ndarray, "H W 3"]
    ) -> Float[np.ndarray, "H W 2"]:
        """Return the flow of the grey frames; zeros where a side is shorter than 12 pixels."""
        import cv2

        require_pair(first, second)
        if min(first.shape[:2]) < MIN_SIDE:
            return np.zeros((*first.shape[:2], 2), np.float32)
        grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in (first, second)]
        height, width = first.shape[:2]
        factor = math.ceil(_SAFE_SIDES[self.preset] / min(height, width))
        if factor > 1:
            size = (width * factor, height * factor)
            grey = [cv2.resize(frame, size, interpolation=cv2.INTER_CUBIC) for frame in grey]
        # A new object each time: one that is shared must not be used by two threads, and costs nothing.
        estimator = cv2.DISOpticalFlow.create(PRESETS.index(self.preset))
        start: Any = None  # an earlier flow as start would make the result depend on history
        flow = np.ascontiguousarray(estimator.calc(grey[0], grey[1], start), dtype=np.float32)
        if factor > 1:
            flow = cv2.resize(flow, (width, height), interpolation=cv2.INTER_AREA) / np.float32(factor)
        return flow
