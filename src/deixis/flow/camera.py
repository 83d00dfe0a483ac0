"""What of a flow the camera does not explain.

Without this step the magnitude of the flow says less than nothing: where the camera follows the object, it is
the background that moves.

Axes: H W pixels.
"""

import numpy as np
from jaxtyping import Float

from .config import Camera

_GRID = 12
"""Pixels between the points that a homography is fitted to, at 240 rows."""
_MIN_POINTS = 16


def residual_flow(flow: Float[np.ndarray, "H W 2"], camera: Camera) -> Float[np.ndarray, "H W 2"]:
    """Subtract the camera's motion from ``flow``; see :class:`~deixis.flow.config.MotionSpec`.

    A homography that cannot be fitted (tiny frames, flow without a plane in it) is replaced by the median.
    """
    if camera == "none":
        return flow
    if camera == "mean":
        return flow - flow.mean(axis=(0, 1), dtype=np.float64).astype(np.float32)
    if camera == "homography":
        background = _homography_flow(flow)
        if background is not None:
            return flow - background
    return flow - np.median(flow, axis=(0, 1)).astype(np.float32)


def _homography_flow(flow: Float[np.ndarray, "H W 2"]) -> Float[np.ndarray, "H W 2"] | None:
    """Return the flow of the plane that most of the frame moves with; None where there is none."""
    import cv2

    height, width = flow.shape[:2]
    step = max(round(_GRID * min(height, width) / 240), 1)
    rows, columns = np.meshgrid(
        np.arange(step // 2, height, step), np.arange(step // 2, width, step), indexing="ij"
    )
    if rows.size < _MIN_POINTS or min(rows.shape) < 2:
        return None
    before = np.stack((columns, rows), axis=-1).reshape(-1, 2).astype(np.float32)
    after = before + flow[rows, columns].reshape(-1, 2)
    # One pixel at 480 rows (prototypes on real clips); OpenCV draws from a generator with a fixed seed.
    threshold = max(height / 480, 0.35)
    matrix, _ = cv2.findHomography(before, after, cv2.RANSAC, threshold)
    if matrix is None:
        return None
    y, x = np.mgrid[:height, :width].astype(np.float32)
    matrix = matrix.astype(np.float32)
    depth = matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 2]
    if not np.isfinite(depth).all() or depth.min() <= 0.1:  # points behind the camera: not a real motion
        return None
    u = (matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2]) / depth - x
    v = (matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2]) / depth - y
    return np.stack((u, v), axis=-1)
