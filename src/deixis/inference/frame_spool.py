"""Frames on disk, to be read in any order: what going backward through a video needs.

Axes: H W pixels.
"""

import tempfile
from collections.abc import Iterable, Iterator

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from deixis.errors import SourceError
from deixis.video.frames import Frame

from .spool import no_room


class FrameSpool:
    """A temporary file of the pixels of all frames, ``3 H W`` bytes each; gone when closed."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="deixis-")  # noqa: SIM115  closed by close()
        self._size = (0, 0)
        self._length = 0

    def __enter__(self) -> "FrameSpool":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove the file."""
        self._file.close()

    def record(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Pass frames on, keeping a copy of the pixels of each.

        Raises:
            SourceError: a frame has another size than the first.
            SinkError: the temporary folder is full.
        """
        for frame in frames:
            if self._length and frame.size != self._size:
                raise SourceError(
                    f"frame {frame.name!r} is {frame.size[1]}x{frame.size[0]} but the frames before it are "
                    f"{self._size[1]}x{self._size[0]}; bring all frames to one size first"
                )
            self._size = frame.size
            try:
                self._file.seek(self._length * self._num_bytes)
                self._file.write(np.ascontiguousarray(frame.image).tobytes())
            except OSError as error:
                raise no_room("frames", error) from error
            self._length += 1
            yield frame

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> UInt8[Tensor, "3 H W"]:
        if not 0 <= index < self._length:
            raise IndexError(f"no frame {index} of {self._length}")
        self._file.seek(index * self._num_bytes)
        pixels = np.frombuffer(self._file.read(self._num_bytes), np.uint8).reshape(*self._size, 3)
        return torch.from_numpy(pixels.copy()).permute(2, 0, 1)

    @property
    def _num_bytes(self) -> int:
        return 3 * self._size[0] * self._size[1]
