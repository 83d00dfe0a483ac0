"""What inference says of one frame, and what sinks write."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from deixis.video.frames import Frame


@dataclass(frozen=True)
class FrameResult:
    """The referents of e expressions in one frame.

    Attributes:
        frame: the frame, at the size of the source.
        masks: ``bool [e, H, W]``, all False where the referent is not visible.
        scores: ``float [e]`` in [0, 1]: how sure the model is that this is the referent.
        presence: ``float [e]`` in [0, 1]: how sure the model is that the referent is visible in this frame.
    """

    frame: Frame
    masks: Bool[np.ndarray, "e H W"]
    scores: Float[np.ndarray, "e"]
    presence: Float[np.ndarray, "e"]

    def __post_init__(self) -> None:
        count = len(self.masks)
        if self.masks.dtype != np.bool_ or self.masks.shape != (count, *self.frame.size):
            raise ValueError(
                f"masks are {self.masks.dtype} {self.masks.shape}; a frame of {self.frame.size} needs bool"
                f" [e, {self.frame.size[0]}, {self.frame.size[1]}]"
            )
        if self.scores.shape != (count,) or self.presence.shape != (count,):
            raise ValueError(
                f"{count} masks need as many scores and presences,"
                f" not {self.scores.shape} and {self.presence.shape}"
            )

    @property
    def visible(self) -> tuple[bool, ...]:
        """Say of each expression whether its mask holds a pixel."""
        return tuple(bool(mask.any()) for mask in self.masks)


def mask_box(mask: Bool[np.ndarray, "H W"]) -> tuple[int, int, int, int] | None:
    """Return left, top, width and height of the tight box around ``mask``; None around nothing."""
    rows = np.flatnonzero(mask.any(axis=1))
    if not len(rows):
        return None
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    columns = np.flatnonzero(mask[top:bottom].any(axis=0))
    left, right = int(columns[0]), int(columns[-1]) + 1
    return left, top, right - left, bottom - top
