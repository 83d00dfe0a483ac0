"""Does a model know when there is nothing to show: absent expressions, and frames without the referent.

Legend: n expressions, t frames.
"""

import numpy as np
from jaxtyping import Bool, Int


def is_answered_with_nothing(
    num_empty: Int[np.ndarray, "n"], num_frames: Int[np.ndarray, "n"]
) -> Bool[np.ndarray, "n"]:
    """Tell whether more than half of an expression's frames have no predicted pixel.

    Half of the frames exactly is an answer with something.
    """
    return 2 * num_empty > num_frames


def absent_accuracy(num_empty: Int[np.ndarray, "n"], num_frames: Int[np.ndarray, "n"]) -> float:
    """Return the share of absent expressions that are answered with nothing; NaN for no expression.

    Args:
        num_empty: frames without a predicted pixel, one count an absent expression.
        num_frames: frames evaluated.
    """
    return _mean(is_answered_with_nothing(num_empty, num_frames))


def empty_share(num_empty: Int[np.ndarray, "n"], num_frames: Int[np.ndarray, "n"]) -> float:
    """Return the share of empty frames, averaged over the expressions; NaN for no expression."""
    return _mean(num_empty / num_frames)


def no_target_accuracy(num_empty: Int[np.ndarray, "n"], num_frames: Int[np.ndarray, "n"]) -> float:
    """Return the share of expressions without referent whose frames are all empty (N-acc, MeViS)."""
    return _mean(num_empty == num_frames)


def target_accuracy(num_empty: Int[np.ndarray, "n"], num_frames: Int[np.ndarray, "n"]) -> float:
    """Return the share of expressions with a referent that have a pixel in some frame (T-acc, MeViS)."""
    return _mean(num_empty < num_frames)


def num_agreeing(is_visible: Bool[np.ndarray, "t"], is_predicted: Bool[np.ndarray, "t"]) -> int:
    """Count the frames that have a predicted pixel exactly where the referent is visible."""
    return int((is_visible == is_predicted).sum())


def _mean(values: np.ndarray) -> float:
    """Return the mean, NaN of nothing."""
    return float(values.mean()) if values.size else float("nan")
