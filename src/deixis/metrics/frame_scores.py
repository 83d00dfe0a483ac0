"""Everything that is measured about a prediction in one pass over its frames.

Legend: t frames, H W pixels.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from deixis.metrics.contour import TOLERANCE, packed_contour_accuracy
from deixis.metrics.packed import count, has_pixels, pack
from deixis.metrics.region import check_masks, similarity_of_counts


@dataclass(frozen=True)
class FrameScores:
    """Scores of one predicted mask against one annotated mask in each of t frames.

    Attributes:
        region: J of each frame, in [0, 1].
        contour: F of each frame, in [0, 1].
        intersection: pixels in both masks.
        union: pixels in either mask.
        is_visible: the annotation has a pixel.
        is_predicted: the prediction has a pixel.
    """

    region: Float[np.ndarray, "t"]
    contour: Float[np.ndarray, "t"]
    intersection: Int[np.ndarray, "t"]
    union: Int[np.ndarray, "t"]
    is_visible: Bool[np.ndarray, "t"]
    is_predicted: Bool[np.ndarray, "t"]

    def __len__(self) -> int:
        return len(self.region)

    @property
    def region_and_contour(self) -> float:
        """J&F: the mean of J's and F's means over the frames."""
        return float(self.region.mean() + self.contour.mean()) / 2


def score_frames(
    prediction: Shaped[np.ndarray, "t H W"],
    annotation: Shaped[np.ndarray, "t H W"],
    void: Shaped[np.ndarray, "t H W"] | None = None,
    tolerance: float = TOLERANCE,
) -> FrameScores:
    """Score t frames; masks are packed once and every measure is taken from the bits.

    Raises:
        ValueError: the shapes differ.
    """
    first, second = (pack(masks) for masks in check_masks(prediction, annotation, void))
    intersection, union = count(first & second), count(first | second)
    return FrameScores(
        region=similarity_of_counts(intersection, union),
        contour=packed_contour_accuracy(first, second, annotation.shape[-2:], tolerance),
        intersection=intersection,
        union=union,
        is_visible=has_pixels(second),
        is_predicted=has_pixels(first),
    )


def concatenate(parts: list[FrameScores]) -> FrameScores:
    """Join the scores of consecutive frames."""
    names = ("region", "contour", "intersection", "union", "is_visible", "is_predicted")
    return FrameScores(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})
