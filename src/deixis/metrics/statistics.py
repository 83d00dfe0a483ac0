"""Mean, recall and decay of a sequence of per-frame scores (DAVIS)."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

RECALL_THRESHOLD = 0.5
_NUM_BINS = 4


@dataclass(frozen=True)
class Statistics:
    """A sequence of scores in three figures: mean, recall (share above 0.5), decay (lower is better)."""

    mean: float
    recall: float
    decay: float


def summarise(scores: Float[np.ndarray, "t"], *, decay_in_8_bits: bool = False) -> Statistics:
    """Return mean, recall and decay of the scores of ``t >= 1`` frames.

    NaN frames (not evaluated) are left out of mean and decay, and count as failures in the recall.

    Args:
        scores: one a frame.
        decay_in_8_bits: compute the decay as the published code does, which keeps the bins' edges in 8 bits
            and gives nonsense, or NaN, for 256 frames or more. Without, they are whole numbers of any size.

    Raises:
        ValueError: there are no frames, or not one axis.
    """
    if scores.ndim != 1 or not scores.size:
        raise ValueError(f"need the scores of at least one frame on one axis, got shape {list(scores.shape)}")
    bins = decay_bins(len(scores), in_8_bits=decay_in_8_bits)
    decay = _mean(scores[bins[0]]) - _mean(scores[bins[-1]])
    with np.errstate(invalid="ignore"):
        recall = float((scores > RECALL_THRESHOLD).mean())
    return Statistics(_mean(scores), recall, decay)


def decay_bins(num_frames: int, *, in_8_bits: bool = False) -> tuple[slice, ...]:
    """Return the four quarters of a sequence; neighbours share one frame.

    Args:
        num_frames: at least 1.
        in_8_bits: let edges, and what follows them, wrap at 256 as in the published code under NumPy 2.
    """
    edges = np.round(np.linspace(1, num_frames, _NUM_BINS + 1) + 1e-10).astype(int) - 1
    if in_8_bits:
        edges = edges % 256
    ends = (edges + 1) % 256 if in_8_bits else edges + 1
    return tuple(slice(int(first), int(end)) for first, end in zip(edges[:-1], ends[1:], strict=True))


def _mean(scores: np.ndarray) -> float:
    """Return the mean of what is not NaN; NaN when nothing is left."""
    known = scores[~np.isnan(scores)]
    return float(known.mean()) if known.size else float("nan")
