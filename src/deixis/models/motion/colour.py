"""Colours of what moves, learned from the video itself, and the edge where they change.

Motion finds parts of an object, and a rim around it; its colours complete the one and cut off the other.

Axes: r rounds, k classes (moves, rests), n colour bins, H W pixels.
"""

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from .seed import LIMIT

BINS = (16, 32, 32)
"""Of lightness and of the two colour axes of CIE Lab."""
ROUNDS = 2
SURE = (0.6, 0.4)
"""Pixels above the first teach the colours of what moves, below the second those of the rest."""
MAX_RATIO = 3.0
OWN_WEIGHT = 0.6
"""Of the logits that the colours are added to."""
REACH = 8 / 192
"""Width of the neighbourhood of the seed, in heights of the frame."""
_CUT_STEPS = 3
_CUT_SURE = (0.9, 0.2)
_CUT_LOGIT = -1.386
"""Of the second of these."""
_CUT_MARGIN = 7
_CUT_NEIGHBOURHOOD = 0.1
"""Heights of the frame around what is possibly object that GrabCut sees: a third less time, J the same."""

Histograms = Float[np.ndarray, "r k n"]


def empty_histograms() -> Histograms:
    """Return what is known of colours before the first frame."""
    return np.zeros((ROUNDS, 2, BINS[0] * BINS[1] * BINS[2]), np.float32)


def add_colours(
    logits: Float[np.ndarray, "H W"],
    image: UInt8[np.ndarray, "H W 3"],
    histograms: Histograms,
    memory: float,
) -> tuple[Float[np.ndarray, "H W"], Histograms]:
    """Add to the seed what its colours say, in two rounds.

    Args:
        logits: the seed.
        image: the frame, RGB.
        histograms: of the frames before.
        memory: the share of them that is kept.

    Returns:
        The new logits, and the histograms with this frame's colours.
    """
    import cv2

    bins = _bins(image)
    near = _near(logits > 0)
    learned = np.empty_like(histograms)
    for index in range(ROUNDS):
        chance = 1 / (1 + np.exp(-logits))
        learned[index] = memory * histograms[index] + _count(bins, chance)
        ratio = _log_ratio(learned[index])[bins]
        logits = OWN_WEIGHT * np.clip(logits, -LIMIT, LIMIT) + ratio - np.where(near, 0, LIMIT)
        logits = cv2.GaussianBlur(logits.astype(np.float32), (0, 0), 1)
    return logits, learned


def place_edge(
    logits: Float[np.ndarray, "H W"], image: UInt8[np.ndarray, "H W 3"]
) -> Bool[np.ndarray, "H W"]:
    """Cut the object out by GrabCut (Rother et al., SIGGRAPH 2004); the same frame gives the same mask.

    Only the neighbourhood of the object is looked at: what is far from it tells nothing of its edge, and
    takes time. Where one of the two sides would be empty, the mask stays as it is.
    """
    mask = logits > 0
    window = _window(logits > _CUT_LOGIT)
    if window is not None:
        mask[window] = _cut_out(logits[window], np.ascontiguousarray(image[window]))
    return mask


def _window(possible: Bool[np.ndarray, "H W"]) -> tuple[slice, slice] | None:
    """Return rows and columns of what is possibly object, and a margin; None where there is nothing."""
    rows, columns = np.flatnonzero(possible.any(axis=1)), np.flatnonzero(possible.any(axis=0))
    if not len(rows):
        return None
    margin = round(_CUT_NEIGHBOURHOOD * possible.shape[0])
    return (
        slice(max(rows[0] - margin, 0), rows[-1] + margin + 1),
        slice(max(columns[0] - margin, 0), columns[-1] + margin + 1),
    )


def _cut_out(logits: Float[np.ndarray, "H W"], image: UInt8[np.ndarray, "H W 3"]) -> Bool[np.ndarray, "H W"]:
    import cv2

    chance = 1 / (1 + np.exp(-logits))
    marks = np.where(chance > 0.5, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    marks[chance > _CUT_SURE[0]] = cv2.GC_FGD
    margin = np.ones((_CUT_MARGIN, _CUT_MARGIN), np.uint8)
    marks[cv2.dilate((chance > _CUT_SURE[1]).astype(np.uint8), margin) == 0] = cv2.GC_BGD
    is_object = np.isin(marks, (cv2.GC_FGD, cv2.GC_PR_FGD))
    if min(is_object.sum(), (~is_object).sum()) < _CUT_MARGIN**2:
        return logits > 0
    cv2.setRNGSeed(0)  # its clusters start from OpenCV's global generator
    try:
        cv2.grabCut(
            image,
            marks,
            (0, 0, 0, 0),
            np.zeros((1, 65)),
            np.zeros((1, 65)),
            _CUT_STEPS,
            cv2.GC_INIT_WITH_MASK,
        )
    except cv2.error:
        return logits > 0  # too few colours for its mixtures
    return np.isin(marks, (cv2.GC_FGD, cv2.GC_PR_FGD))


def _bins(image: UInt8[np.ndarray, "H W 3"]) -> Int[np.ndarray, "H W"]:
    import cv2

    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB).astype(np.int32)
    place = [lab[..., axis] * count // 256 for axis, count in enumerate(BINS)]
    return (place[0] * BINS[1] + place[1]) * BINS[2] + place[2]


def _count(bins: Int[np.ndarray, "H W"], chance: Float[np.ndarray, "H W"]) -> Float[np.ndarray, "k n"]:
    """Count the colours of sure pixels, weighted by how sure."""
    size = BINS[0] * BINS[1] * BINS[2]
    weights = (np.where(chance > SURE[0], chance, 0), np.where(chance < SURE[1], 1 - chance, 0))
    return np.stack([np.bincount(bins.ravel(), weight.ravel(), size) for weight in weights]).astype(
        np.float32
    )


def _log_ratio(counts: Float[np.ndarray, "k n"]) -> Float[np.ndarray, "n"]:
    """Return the log likelihood ratio of each colour, within +-3; 0 while one of the two is unknown."""
    from scipy.ndimage import gaussian_filter

    if not counts.any(axis=1).all():
        return np.zeros(counts.shape[1], np.float32)
    smooth = [gaussian_filter(count.reshape(BINS), 1.0).ravel() for count in counts]
    moves, rests = (one / one.sum() for one in smooth)
    return np.clip(np.log((moves + 1e-6) / (rests + 1e-6)), -MAX_RATIO, MAX_RATIO).astype(np.float32)


def _near(seed: Bool[np.ndarray, "H W"]) -> Bool[np.ndarray, "H W"]:
    """Return where the seed is not far."""
    import cv2

    sigma = max(REACH * seed.shape[0], 1.0)
    return 3 * cv2.GaussianBlur(seed.astype(np.float32), (0, 0), sigma) >= 0.1
