"""What motion a model wants to be shown. No torch here."""

from dataclasses import dataclass
from typing import Literal

ESTIMATORS = ("dis-ultrafast", "dis-fast", "dis-medium", "raft-small", "raft-large")
"""Names of flow estimators; those of DIS need no weights."""

Camera = Literal["none", "mean", "median", "homography"]
"""What is subtracted from the flow as the camera's own motion."""


@dataclass(frozen=True, kw_only=True)
class MotionSpec:
    """How the flow of a frame becomes the motion channels of a model.

    Attributes:
        estimator: one of :data:`ESTIMATORS`.
        short_side: frames whose short side is longer are reduced to it before the flow is estimated; small
            frames are never enlarged. Reducing the flow afterwards is much better than estimating it on the
            reduced frames.
        camera: "mean" subtracts the mean vector (HINet, supplement, section 5), "median" the median of each
            component, "homography" what a plane seen by a moving camera would do.
        directions: "backward": to the frame before (the only one that needs no look ahead); "forward": to the
            frame after; "both". A frame without such a neighbour (first, last, beside a cut) takes the other
            one, except that "backward" never looks ahead: it then has no motion.
        form: "map": one channel in [0, 1], the normalised magnitude, of "both" the minimum; "vectors": what
            is left of the flow after compensation, in pixels of the model's input, as u and v, of "both"
            those forward and then those backward.
    """

    estimator: str = "dis-medium"
    short_side: int = 480
    camera: Camera = "mean"
    directions: Literal["backward", "forward", "both"] = "forward"
    form: Literal["map", "vectors"] = "map"

    def __post_init__(self) -> None:
        allowed = {
            "estimator": ESTIMATORS,
            "camera": ("none", "mean", "median", "homography"),
            "directions": ("backward", "forward", "both"),
            "form": ("map", "vectors"),
        }
        for name, values in allowed.items():
            if getattr(self, name) not in values:
                raise ValueError(f"{name} must be one of {', '.join(values)}, got {getattr(self, name)!r}")
        if self.short_side < 1:
            raise ValueError(f"short_side must be at least 1, got {self.short_side}")

    @property
    def num_channels(self) -> int:
        """How many channels a frame gets."""
        if self.form == "map":
            return 1
        return 4 if self.directions == "both" else 2
