"""The contract of flow estimators, and finding one by its name.

Flow is ``float32 [H, W, 2]``: how far each pixel of the first frame moves to the right (u) and down (v), in
pixels, until the second.
"""

from pathlib import Path
from typing import Any, Protocol

import numpy as np
from jaxtyping import Float, UInt8

from deixis.errors import UnknownNameError

from .config import ESTIMATORS


class FlowEstimator(Protocol):
    """Two frames in, flow out; the same frames always give the same flow."""

    def describe(self) -> dict[str, Any]:
        """Return everything that changes the flow, as plain values: method, settings, versions."""
        ...

    def __call__(
        self, first: UInt8[np.ndarray, "H W 3"], second: UInt8[np.ndarray, "H W 3"]
    ) -> Float[np.ndarray, "H W 2"]:
        """Return the flow from ``first`` to ``second``, RGB frames of one size (of any size)."""
        ...


def find_estimator(name: str, *, weights: str | Path | None = None, device: str = "cpu") -> FlowEstimator:
    """Return the estimator ``name``.

    Args:
        name: one of :data:`~deixis.flow.config.ESTIMATORS`.
        weights: of RAFT: a file, or one of torchvision's names; see :class:`~deixis.flow.raft.Raft`.
        device: where RAFT runs ("auto" is a GPU where there is one); DIS runs on the CPU.

    Raises:
        UnknownNameError: there is no such estimator.
        CheckpointError: RAFT without weights, or with weights that do not fit.
        ValueError: weights for DIS, which has none.
    """
    if name not in ESTIMATORS:
        raise UnknownNameError("flow estimator", name, ESTIMATORS)
    method, _, setting = name.partition("-")
    if method == "raft":
        from .raft import load_raft

        return load_raft(setting, weights, device=device)
    if weights is not None:
        raise ValueError(f"{name} has no weights; leave them out, or choose raft-small or raft-large")
    from .dis import Dis

    return Dis(preset=setting)


def require_pair(first: np.ndarray, second: np.ndarray) -> None:
    """Raise an error unless both are frames of one size.

    Raises:
        ValueError: they are not.
    """
    for frame in (first, second):
        if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8:
            raise ValueError(f"flow takes uint8 [H, W, 3], got {frame.dtype} {list(frame.shape)}")
    if first.shape != second.shape:
        raise ValueError(f"flow takes frames of one size, got {first.shape[:2]} and {second.shape[:2]}")
