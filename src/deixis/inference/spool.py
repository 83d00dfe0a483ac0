"""Mask logits of candidates on disk, until it is known which candidate is the referent.

Axes: e expressions, t frames, k candidates, h w cells.
"""

import os
import tempfile

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from deixis.errors import SinkError

_OUTSIDE = -1.0


class MaskSpool:
    """A temporary file of mask logits, window by window; gone when closed, or when the process ends.

    Of each map only the box around its positive cells is stored, one cell wider: whatever lies beyond is
    negative and next to negative cells only, so bilinear interpolation between them stays negative whatever
    their values, and they come back as -1. Masks made from what :meth:`read` returns are therefore exactly
    those of the full maps.
    """

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="deixis-")  # noqa: SIM115  closed by close()
        self._boxes_at: list[int] = []
        self._shapes: list[tuple[int, ...]] = []
        self._loaded = -1
        self._boxes = np.empty(0)

    def __enter__(self) -> "MaskSpool":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove the file."""
        self._file.close()

    @property
    def num_bytes(self) -> int:
        """Size on disk."""
        return self._file.seek(0, os.SEEK_END)

    def append(self, mask_logits: Float[Tensor, "e t k h w"]) -> None:
        """Store the maps of one window.

        Raises:
            SinkError: the temporary folder is full.
        """
        maps = mask_logits.detach().float().cpu().numpy()
        boxes = _boxes(maps > 0)
        offset = self._file.seek(0, os.SEEK_END)
        try:
            for index in np.ndindex(maps.shape[:3]):
                _, top, bottom, left, right = boxes[index]
                boxes[index][0] = offset
                offset += self._file.write(maps[index][top:bottom, left:right].tobytes())
            self._file.write(boxes.tobytes())
        except OSError as error:
            raise no_room("masks", error) from error
        self._boxes_at.append(offset)
        self._shapes.append(maps.shape)

    def read(self, window: int, frame: int, expression: int, candidate: int) -> Float[Tensor, "h w"]:
        """Return the map of a ``candidate`` of an ``expression`` in a ``frame`` of a ``window``."""
        boxes = self._boxes_of(window)
        offset, top, bottom, left, right = boxes[expression, frame, candidate]
        full = np.full(self._shapes[window][3:], _OUTSIDE, dtype=np.float32)
        if bottom > top:
            self._file.seek(offset)
            values = self._file.read(4 * (bottom - top) * (right - left))
            full[top:bottom, left:right] = np.frombuffer(values, np.float32).reshape(bottom - top, -1)
        return torch.from_numpy(full)

    def _boxes_of(self, window: int) -> np.ndarray:
        if window != self._loaded:
            shape = (*self._shapes[window][:3], 5)
            self._file.seek(self._boxes_at[window])
            values = self._file.read(8 * int(np.prod(shape)))
            self._boxes, self._loaded = np.frombuffer(values, np.int64).reshape(shape), window
        return self._boxes


def no_room(kind: str, error: OSError) -> SinkError:
    """Return the error to raise where temporary files of a ``kind`` find no room on disk."""
    return SinkError(
        f"no room for temporary {kind} in {tempfile.gettempdir()} ({error.strerror}); "
        "free some, or name another folder in the environment variable TMPDIR"
    )


def _boxes(positive: np.ndarray) -> np.ndarray:
    """Return ``int64 [e, t, k, 5]``: room for an offset, then top, bottom, left, right of the wider boxes."""
    boxes = np.zeros((*positive.shape[:3], 5), dtype=np.int64)
    is_filled = positive.any(axis=(-2, -1))
    for axis, column in ((-1, 1), (-2, 3)):
        lines = np.asarray(positive.any(axis=axis))  # e t k h, then e t k w
        size = lines.shape[-1]
        first = lines.argmax(axis=-1) - 1
        last = size - lines[..., ::-1].argmax(axis=-1)
        boxes[..., column] = np.where(is_filled, first.clip(min=0), 0)
        boxes[..., column + 1] = np.where(is_filled, (last + 1).clip(max=size), 0)
    return boxes
