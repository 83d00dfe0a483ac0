"""Cuts between scenes, which flow must not bridge.

Real motion can be undone: the second frame, taken back along the flow, shows the same detail as the first.
Across a cut it cannot. On small copies of 15 real clips the correlation of the detail is 0.54 at least from
one frame to the next, over 0.18 in 95 of 100 pairs five frames apart, and 0.13 at most between two clips.
"""

import numpy as np
from jaxtyping import UInt8

from .dis import MIN_SIDE, Dis

_SHORT_SIDE = 96
_MIN_CORRELATION = 0.2
_MIN_DETAIL = 2.0
"""Grey levels; frames with less of it have nothing to correlate, and are compared as they are."""
_MAX_DIFFERENCE = 40.0


def is_cut(first: UInt8[np.ndarray, "H W 3"], second: UInt8[np.ndarray, "H W 3"]) -> bool:
    """Tell whether ``second`` shows another scene than ``first``, frames of one size; a third of a ms."""
    import cv2

    if min(first.shape[:2]) < MIN_SIDE:
        return False
    before, after = _thumbnail(first), _thumbnail(second)
    flow = Dis("ultrafast")(before, after)
    y, x = np.mgrid[: flow.shape[0], : flow.shape[1]].astype(np.float32)
    moved = cv2.remap(
        after, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32) for frame in (before, moved)]
    details = [frame - cv2.GaussianBlur(frame, (0, 0), 4) for frame in grey]
    strengths = [float(np.sqrt(np.square(detail).mean())) for detail in details]
    if min(strengths) < _MIN_DETAIL:
        return float(np.abs(grey[0] - grey[1]).mean()) > _MAX_DIFFERENCE
    correlation = float((details[0] * details[1]).mean()) / (strengths[0] * strengths[1])
    return correlation < _MIN_CORRELATION


def _thumbnail(frame: UInt8[np.ndarray, "H W 3"]) -> UInt8[np.ndarray, "h w 3"]:
    import cv2

    scale = _SHORT_SIDE / min(frame.shape[:2])
    size = (round(frame.shape[1] * scale), round(frame.shape[0] * scale))
    return cv2.resize(frame, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
