"""What a user gets for a whole video: run-length masks and scores of every expression in every frame.

Axes: e expressions, t frames, H W pixels of the video.
"""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from deixis.errors import SourceError, require
from deixis.ops.masks import decode_rle, encode_rle
from deixis.video.frames import Source
from deixis.video.results import FrameResult

from .folder import DEFAULT_OUTPUTS, plan_outputs, write_outputs
from .offline import Answer, FrameStamp

_GONE = (
    "the frames came from an iterator and cannot be read again; "
    "use Segmenter.stream, which yields frames and masks together"
)


@dataclass(frozen=True)
class FrameMasks:
    """One frame of a :class:`Prediction`, masks made dense when asked for.

    Attributes:
        stamp: index, time and name of the frame.
        expressions: the sentences.
        rles: one COCO run-length mask an expression.
        scores: ``float [e]`` in [0, 1].
        presence: ``float [e]`` in [0, 1].
    """

    stamp: FrameStamp
    expressions: tuple[str, ...]
    rles: tuple[dict[str, Any], ...]
    scores: Float[np.ndarray, "e"]
    presence: Float[np.ndarray, "e"]

    @property
    def masks(self) -> Bool[np.ndarray, "e H W"]:
        """The dense masks."""
        return decode_rle(self.rles)


@dataclass(frozen=True)
class Prediction(Sequence[FrameMasks]):
    """Masks of a whole video, compact in memory.

    Example:
        >>> prediction = deixis.segment("dog.mp4", ["the dog on the left"])  # doctest: +SKIP
        >>> prediction.masks(0).shape  # doctest: +SKIP
        (120, 360, 640)
        >>> prediction.save("out")  # doctest: +SKIP

    Attributes:
        expressions: the sentences.
        size: height and width of the video.
        frame_rate: frames a second of the segmented sequence; None where the source has none.
        frames: index, time and name of each frame.
        counts: for each frame the COCO run lengths of each expression's mask, as text.
        scores: ``float [t, e]`` in [0, 1]: how much the chosen object is the referent, frame by frame.
        presence: ``float [t, e]`` in [0, 1]; ones where the model has no such notion.
        information: model, weights hash, versions, device and settings that made it.
        source: where the frames can be read again, for the overlay; None for an iterator.
        object_ids: of the objects that were given as masks; None where sentences name them.
    """

    expressions: tuple[str, ...]
    size: tuple[int, int]
    frame_rate: float | None
    frames: tuple[FrameStamp, ...]
    counts: tuple[tuple[str, ...], ...]
    scores: Float[np.ndarray, "t e"]
    presence: Float[np.ndarray, "t e"]
    information: Mapping[str, Any] = field(default_factory=dict)
    source: Source | None = field(default=None, repr=False, compare=False)
    object_ids: tuple[int, ...] | None = None

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[position] for position in range(*index.indices(len(self)))]
        rles = tuple(self._rle(counts) for counts in self.counts[index])
        return FrameMasks(
            self.frames[index], self.expressions, rles, self.scores[index], self.presence[index]
        )

    def __repr__(self) -> str:
        height, width = self.size
        return f"Prediction({len(self)} frames of {width}x{height}, expressions={list(self.expressions)})"

    def masks(self, expression: int | str = 0) -> Bool[np.ndarray, "t H W"]:
        """Return the dense masks of one expression, named by its place or by its text.

        Raises:
            ValueError: there is no such expression.
        """
        place = self._place(expression)
        return decode_rle([self._rle(counts[place]) for counts in self.counts])

    def has_mask(self, expression: int | str = 0) -> Bool[np.ndarray, "t"]:
        """Return in which frames the mask of one expression is not empty."""
        from pycocotools import mask as coco

        place = self._place(expression)
        return np.array([int(coco.area(self._rle(counts[place]))) > 0 for counts in self.counts])

    def results(self) -> Iterator[FrameResult]:
        """Read the frames again and yield each with its masks, for sinks.

        Raises:
            SourceError: the frames came from an iterator and are gone.
        """
        if self.source is None:
            raise SourceError(_GONE)
        for frame, found in zip(self.source, self, strict=True):
            yield FrameResult(frame, found.masks, found.scores, found.presence)

    def save(
        self, folder: str | Path, outputs: Sequence[str] = DEFAULT_OUTPUTS, *, overwrite: bool = False
    ) -> None:
        """Write ``outputs`` (names of ``deixis.video.outputs``) and the record of the run to ``folder``.

        Outputs of the same run that are there already are left as they are.

        Raises:
            UnknownNameError: there is no such output.
            SinkError: the folder cannot be written, or holds results of something else.
            SourceError: the frames came from an iterator and are gone.
        """
        plan = plan_outputs(Path(folder), outputs, self.information, overwrite=overwrite)
        if self.source is None:
            raise SourceError(_GONE)
        if plan.missing:
            write_outputs(plan, self.results(), self.expressions, self.source, self.object_ids)

    def to_supervision(self, index: int) -> Any:
        """Return frame ``index`` as ``supervision.Detections``, one a non-empty mask.

        Raises:
            ImportError: supervision is not installed (extra ``vis``).
        """
        require("supervision", "vis")
        supervision = import_module("supervision")
        found = self[index]
        masks = found.masks
        kept = np.flatnonzero(masks.any(axis=(1, 2)))
        return supervision.Detections(
            xyxy=supervision.mask_to_xyxy(masks[kept]),
            mask=masks[kept],
            confidence=found.scores[kept],
            tracker_id=kept,
            data={"expression": np.array(self.expressions)[kept]},
        )

    def _rle(self, counts: str) -> dict[str, Any]:
        return {"size": list(self.size), "counts": counts}

    def _place(self, expression: int | str) -> int:
        if isinstance(expression, str):
            if expression not in self.expressions:
                raise ValueError(f"no expression {expression!r}; there are {list(self.expressions)}")
            return self.expressions.index(expression)
        if not -len(self.expressions) <= expression < len(self.expressions):
            raise ValueError(f"no expression {expression}; there are {len(self.expressions)}")
        return expression


class PredictionBuilder:
    """Collects answers frame by frame."""

    def __init__(self) -> None:
        self._size = (0, 0)
        self._stamps: list[FrameStamp] = []
        self._counts: list[tuple[str, ...]] = []
        self._scores = array("f")
        self._presence = array("f")

    def add(self, answer: Answer) -> None:
        """Encode the masks of the next frame."""
        self._size = (int(answer.masks.shape[1]), int(answer.masks.shape[2]))
        self._stamps.append(answer.stamp)
        self._counts.append(tuple(rle["counts"] for rle in encode_rle(answer.masks)))
        self._scores.extend(answer.scores)
        self._presence.extend(answer.presence)

    def build(
        self,
        expressions: Sequence[str],
        frame_rate: float | None,
        information: Mapping[str, Any],
        source: Source | None,
    ) -> Prediction:
        """Return what was collected."""
        numbers = (np.array(values, dtype=np.float32) for values in (self._scores, self._presence))
        scores, presence = (values.reshape(len(self._stamps), -1) for values in numbers)
        return Prediction(
            tuple(expressions),
            self._size,
            frame_rate,
            tuple(self._stamps),
            tuple(self._counts),
            scores,
            presence,
            information,
            source,
        )
