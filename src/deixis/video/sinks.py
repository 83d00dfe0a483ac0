"""Where results go: each sink is a context manager that takes one :class:`FrameResult` after another.

    with OverlayVideo("out/overlay.mp4", expressions, frame_rate=25) as sink:
        for result in results:
            sink.write(result)

An output stands under its name only when it is complete: it is written as ``NAME.partial`` and renamed when
the ``with`` block ends well; when it ends with an exception the partial output is removed.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from math import prod
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO, TypeVar

import numpy as np
from jaxtyping import Bool, Float, Int
from PIL import Image

from deixis.errors import SinkError
from deixis.video.formats import cut_mask, expression_folder, frame_record, palette_ids
from deixis.video.palette import davis_palette
from deixis.video.partial import Partial, reported_errors
from deixis.video.results import FrameResult

_MAX_PALETTE_IDS = 255
S = TypeVar("S", bound="Sink")


class Sink(ABC):
    """What all sinks share: nothing under the final name before the end, errors in one line.

    Attributes:
        path: the final path.
        num_frames: how many results were written.
    """

    def __init__(self, path: str | Path, *, overwrite: bool = False, is_folder: bool = False) -> None:
        self.path = Path(path)
        self.num_frames = 0
        self._overwrite = overwrite
        self._is_folder = is_folder
        self._partial: Partial | None = None

    def __enter__(self: S) -> S:
        """Make room for the output.

        Raises:
            SinkError: it exists and ``overwrite`` is False, or cannot be written.
        """
        self._partial = Partial(self.path, is_folder=self._is_folder, overwrite=self._overwrite)
        return self

    def write(self, result: FrameResult) -> None:
        """Write the results of the next frame.

        Raises:
            SinkError: the disk is full, or the result is not what this sink can hold.
        """
        if self._partial is None:
            raise SinkError(f"{self.path} is not open; write inside a 'with' block")
        with reported_errors(self.path):
            self._write(result, self._partial.path)
        self.num_frames += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the output its name, or remove it after an error.

        Raises:
            SinkError: the end cannot be written, or no frame was.
        """
        partial, self._partial = self._partial, None
        if partial is None:
            return
        is_good = False
        try:
            if kind is None:
                if not self.num_frames:
                    raise SinkError(f"there was no frame to write to {self.path}; nothing is left there")
                with reported_errors(self.path):
                    self._finish(partial.path)
                partial.commit()
                is_good = True
        finally:
            if not is_good:
                self._abandon()
                partial.discard()

    @abstractmethod
    def _write(self, result: FrameResult, partial: Path) -> None:
        """Write one result to the partial path."""

    def _finish(self, partial: Path) -> None:  # noqa: B027  # sinks of single files have nothing left to do
        """Write what remains."""

    def _abandon(self) -> None:  # noqa: B027
        """Let go of open files; called instead of, or after a failed, :meth:`_finish`."""


class PalettePngs(Sink):
    """A folder of indexed PNGs named after the frames: 0 is background; 1, 2, ... are the expressions.

    Where masks overlap the expression of the higher score in that frame wins, the earlier one on ties.
    Colours are those of DAVIS. At most 255 expressions. ``object_ids`` are shown in place of 1, 2, ...
    """

    def __init__(
        self, path: str | Path, *, object_ids: Sequence[int] | None = None, overwrite: bool = False
    ) -> None:
        super().__init__(path, overwrite=overwrite, is_folder=True)
        numbers = range(1, _MAX_PALETTE_IDS + 1) if object_ids is None else object_ids
        self._table = np.array([0, *numbers], dtype=np.uint8)

    def _write(self, result: FrameResult, partial: Path) -> None:
        if len(result.masks) > _MAX_PALETTE_IDS:
            raise SinkError(f"{self.path}: palette PNGs hold 255 expressions, not {len(result.masks)}")
        picture = Image.fromarray(self._table[palette_ids(result.masks, result.scores)])
        picture.putpalette(davis_palette())
        picture.save(partial / f"{result.frame.name}.png")


class BinaryPngs(Sink):
    """A folder with a subfolder an expression, of PNGs named after the frames: 255 on the referent, else 0.

    The subfolders are ``1-the-dog-on-the-left``, ``2-the-woman``, ...: see :func:`expression_folder`.
    """

    def __init__(self, path: str | Path, expressions: Sequence[str], *, overwrite: bool = False) -> None:
        super().__init__(path, overwrite=overwrite, is_folder=True)
        self._folders = [expression_folder(number, text) for number, text in enumerate(expressions)]

    def _write(self, result: FrameResult, partial: Path) -> None:
        for folder, mask in zip(self._folders, result.masks, strict=True):
            (partial / folder).mkdir(exist_ok=True)
            picture = Image.fromarray(mask.astype(np.uint8) * np.uint8(255))
            picture.save(partial / folder / f"{result.frame.name}.png")


class RleJsonLines(Sink):
    """One JSON object a line and frame.

    ``{"frame": 0, "name": "00000", "time": 0.0, "size": [H, W], "objects": [{"expression": "the dog",
    "segmentation": {"size": [H, W], "counts": "..."}, "score": 0.93, "presence": 0.99, "box": [x, y, w, h]},
    ...]}``

    One object an expression, in the order given; ``segmentation`` is COCO run lengths, ``box`` is null where
    the mask is empty.
    """

    def __init__(self, path: str | Path, expressions: Sequence[str], *, overwrite: bool = False) -> None:
        super().__init__(path, overwrite=overwrite)
        self._expressions = tuple(expressions)
        self._file: TextIO | None = None

    def _write(self, result: FrameResult, partial: Path) -> None:
        if self._file is None:
            self._file = partial.open("w", encoding="utf-8")
        self._file.write(json.dumps(frame_record(result, self._expressions), ensure_ascii=False) + "\n")

    def _finish(self, partial: Path) -> None:
        if self._file is not None:
            self._file.close()

    def _abandon(self) -> None:
        if self._file is not None:
            with suppress(OSError):  # a full disk fails the closing too: the first error is the one to tell
                self._file.close()


class CutOutPngs(Sink):
    """A folder of RGBA PNGs named after the frames: the referents as they are, the rest transparent."""

    def __init__(self, path: str | Path, *, expression: int | None = None, overwrite: bool = False) -> None:
        """Prepare the folder; ``expression``: the index of the one to cut out, None: all of them together."""
        super().__init__(path, overwrite=overwrite, is_folder=True)
        self._expression = expression

    def _write(self, result: FrameResult, partial: Path) -> None:
        mask = cut_mask(result.masks, self._expression)
        # Colours under transparent pixels would only make the files larger.
        image = np.where(mask[:, :, None], result.frame.image, np.uint8(0))
        rgba = np.concatenate([image, mask[:, :, None].astype(np.uint8) * np.uint8(255)], axis=2)
        Image.fromarray(rgba).save(partial / f"{result.frame.name}.png", compress_level=4)


class Arrays(Sink):
    """Keeps results in memory, packed to bits; with a path also writes them there as a compressed ``.npz``.

    The file holds ``scores``, ``presence``, ``indices``, ``times``, and the masks packed: dense they are
    ``np.unpackbits(packed_masks, axis=1, count=np.prod(shape[1:])).reshape(shape).astype(bool)``.

    Attributes:
        masks: ``bool [t, e, H, W]``, made dense when asked for.
        scores: ``float [t, e]``.
        presence: ``float [t, e]``.
        indices: ``int64 [t]``.
        times: ``float [t]`` seconds.
    """

    def __init__(self, path: str | Path | None = None, *, overwrite: bool = False) -> None:
        super().__init__(path or "arrays", overwrite=overwrite)
        self._is_saved = path is not None
        self._packed: list[np.ndarray] = []
        self._shape: tuple[int, ...] = ()
        self._rows: list[tuple[Any, Any, int, float]] = []

    def __enter__(self) -> "Arrays":
        return super().__enter__() if self._is_saved else self

    def write(self, result: FrameResult) -> None:
        """Keep the results of the next frame."""
        if self._is_saved:
            super().write(result)
        else:
            self._write(result, self.path)
            self.num_frames += 1

    @property
    def masks(self) -> Bool[np.ndarray, "t e H W"]:
        """All masks, dense."""
        shape = (len(self._packed), *self._shape)
        return np.unpackbits(np.stack(self._packed), axis=1, count=prod(shape[1:])).view(bool).reshape(shape)

    @property
    def scores(self) -> Float[np.ndarray, "t e"]:
        """All scores."""
        return np.array([row[0] for row in self._rows])

    @property
    def presence(self) -> Float[np.ndarray, "t e"]:
        """All presences."""
        return np.array([row[1] for row in self._rows])

    @property
    def indices(self) -> Int[np.ndarray, "t"]:
        """The index of each frame in the source."""
        return np.array([row[2] for row in self._rows], dtype=np.int64)

    @property
    def times(self) -> Float[np.ndarray, "t"]:
        """The seconds of each frame."""
        return np.array([row[3] for row in self._rows])

    def _write(self, result: FrameResult, partial: Path) -> None:
        self._packed.append(np.packbits(result.masks))
        self._shape = result.masks.shape
        self._rows.append((result.scores, result.presence, result.frame.index, result.frame.time))

    def _finish(self, partial: Path) -> None:
        with partial.open("wb") as file:
            np.savez_compressed(
                file,
                packed_masks=np.stack(self._packed),
                shape=np.array([len(self._packed), *self._shape]),
                scores=self.scores,
                presence=self.presence,
                indices=self.indices,
                times=self.times,
            )
