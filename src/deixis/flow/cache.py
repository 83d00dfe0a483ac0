"""Flow on disk, in the format of KITTI: 16-bit colour PNG, which any tool for KITTI reads.

A file is found by the pixels of its two frames, so it cannot be stale or of a wrong frame step. The layout is
``FOLDER/<method>-<8 hex digits of its settings>/<2 hex digits>/<30 more>.png`` with one ``method.json`` a
method.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from deixis.errors import SinkError
from deixis.ops.atomic import write_atomically
from deixis.ops.png import check_png

from .estimator import FlowEstimator

PER_PIXEL = 64.0
"""Steps a pixel."""
LIMIT = 512.0
"""Longer components are cut off."""
_ZERO = 1 << 15
METHOD_FILE = "method.json"


def encode_flow(flow: Float[np.ndarray, "H W 2"]) -> bytes:
    """Encode ``flow`` as KITTI does: red 64 u + 32768, green 64 v + 32768, blue 1 (valid)."""
    import cv2

    steps = np.clip(np.rint(flow.astype(np.float64) * PER_PIXEL) + _ZERO, 0, (1 << 16) - 1).astype(np.uint16)
    stored = np.stack((np.ones_like(steps[..., 0]), steps[..., 1], steps[..., 0]), axis=-1)  # blue first
    _, data = cv2.imencode(".png", stored)
    return data.tobytes()


def decode_flow(data: bytes) -> Float[np.ndarray, "H W 2"]:
    """Decode a flow PNG of KITTI; pixels marked as not valid get no motion.

    Raises:
        ValueError: it is damaged, or not a 16-bit colour PNG.
    """
    import cv2

    check_png(data)
    stored = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if stored is None:
        raise ValueError("is damaged; copy it again")
    if stored.dtype != np.uint16 or stored.ndim != 3 or stored.shape[2] != 3:
        raise ValueError(f"is not flow in KITTI's format: {stored.dtype} {list(stored.shape)}")
    flow = (stored[..., :0:-1].astype(np.float32) - _ZERO) / np.float32(PER_PIXEL)
    return flow * (stored[..., :1] > 0)


class CachedFlow:
    """An estimator that remembers on disk.

    Flow comes back rounded to 1/64 pixel, whether it was computed now or read. Several processes may share a
    folder: files appear whole, and a damaged one, or one of another size, is made anew.

    Attributes:
        estimator: makes what is not there.
        folder: of this method.
        num_made, num_read: since the beginning.
    """

    def __init__(self, estimator: FlowEstimator, cache: str | Path) -> None:
        """Prepare the folder of ``estimator`` in ``cache``.

        Raises:
            SinkError: the folder cannot be made or written.
        """
        self.estimator = estimator
        description = estimator.describe()
        settings = json.dumps(description, sort_keys=True)
        digest = hashlib.sha256(settings.encode()).hexdigest()
        self.folder = Path(cache) / f"{description['method']}-{digest[:8]}"
        self.num_made = self.num_read = 0
        if not (self.folder / METHOD_FILE).is_file():
            _write(self.folder / METHOD_FILE, (json.dumps(description, indent=2) + "\n").encode())

    def describe(self) -> dict[str, Any]:
        """Return what the estimator says of itself, and the rounding."""
        return {**self.estimator.describe(), "rounded_to": 1 / PER_PIXEL}

    def path(self, first: UInt8[np.ndarray, "H W 3"], second: UInt8[np.ndarray, "H W 3"]) -> Path:
        """Return where the flow from ``first`` to ``second`` lies, or will."""
        digest = hashlib.sha256(repr(first.shape).encode())
        for frame in (first, second):
            digest.update(frame.tobytes())
        name = digest.hexdigest()[:32]
        return self.folder / name[:2] / f"{name[2:]}.png"

    def __call__(
        self, first: UInt8[np.ndarray, "H W 3"], second: UInt8[np.ndarray, "H W 3"]
    ) -> Float[np.ndarray, "H W 2"]:
        """Return the flow from disk, or compute and write it.

        Raises:
            SinkError: it cannot be written.
        """
        path = self.path(first, second)
        flow = _read(path, first.shape[:2])
        if flow is not None:
            self.num_read += 1
            return flow
        data = encode_flow(self.estimator(first, second))
        _write(path, data)
        self.num_made += 1
        return decode_flow(data)


def _read(path: Path, size: tuple[int, ...]) -> np.ndarray | None:
    """Return the flow at ``path``; None where there is none that can be used."""
    try:
        flow = decode_flow(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return flow if flow.shape[:2] == size else None


def _write(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, data)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise SinkError(
            f"{path} cannot be written ({reason}); free space or choose another folder"
        ) from error
