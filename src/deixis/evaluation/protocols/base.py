"""The contract of a protocol: truth about a video and the masks predicted for it in, rows and a score out.

A protocol of videos is two pure functions, so that videos can be spread over processes and a broken run goes
on where it stopped::

    rows = protocol.score_video(truth, prediction, options)     # one video; reads frame by frame
    score = protocol.aggregate(all_rows, options)               # rows of all videos, in any order of videos

:func:`deixis.evaluation.protocols.run.score_videos` does both over many videos and processes. A protocol of
samples (A2D-, JHMDB-Sentences) takes run lengths in COCO form instead, see :class:`SampleProtocol`.

Legend: t frames, n objects, H W pixels.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
from jaxtyping import Bool, Float, Shaped, UInt8

from deixis.data.records import Expression

Frames = Literal["inner", "all"]
"""Which frames are scored: without the first and the last, or all."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the caller may choose; every choice that is not the protocol's own goes into the score's notes.

    Attributes:
        missing: what a predicted file that is not there means: an error, or an empty mask.
        frames: which frames are scored; None: the protocol's own choice.
        decay_in_8_bits: compute the decay as published, with the edges of its bins in 8 bits, which is wrong
            for sequences of 256 frames or more (metrics, section 3).
    """

    missing: Literal["error", "zero"] = "error"
    frames: Frames | None = None
    decay_in_8_bits: bool = False


@dataclass(frozen=True, kw_only=True)
class ObjectRow:
    """The scores of one object or one expression of one video (or of one sample).

    Attributes:
        video: name of the video.
        name: id of the object, expression or sample in its video, stable whatever was predicted.
        frames: names of the scored frames, in order.
        region: J of each, in [0, 1].
        contour: F of each, in [0, 1]; empty where the protocol has no F.
        text: the expression, "" for an object.
        kinds: what the expression speaks of, or the attributes of the video.
        group: the part of the data set that the protocol treats apart ("seen", "annotator 0"), or "".
        extra: other figures of the row by name, as the protocol's docstring tells ("proposal", "V",
            "intersection").
    """

    video: str
    name: str
    frames: tuple[str, ...]
    region: Float[np.ndarray, "t"]
    contour: Float[np.ndarray, "t"]
    text: str = ""
    kinds: tuple[str, ...] = ()
    group: str = ""
    extra: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Score:
    """What a protocol says of a whole set.

    Attributes:
        protocol: its name.
        parameters: everything that the figures depend on besides the masks.
        table: column -> value as a fraction, in the order of the official table; NaN where nothing has it.
        groups: kind of group ("attribute", "kind", "annotator", "part") -> group -> its table.
        rows: of all videos.
        notes: what a reader has to know: what was scored as zero, departures from the published code.
    """

    protocol: str
    parameters: Mapping[str, Any]
    table: Mapping[str, float]
    groups: Mapping[str, Mapping[str, Mapping[str, float]]]
    rows: tuple[ObjectRow, ...]
    notes: tuple[str, ...] = ()


class LabelReader(Protocol):
    """The label maps of one video by the names of its frames."""

    def read(self, frame: str) -> UInt8[np.ndarray, "H W"]:
        """Return the ids of a frame: 0 the background, 255 void where the protocol knows void."""
        ...


class FrameMaskReader(Protocol):
    """Masks of one video that may overlap (run lengths), by the names of its frames."""

    def read(self, frame: str, object_ids: Sequence[int]) -> Bool[np.ndarray, "n H W"]:
        """Return the masks of ``object_ids`` in a frame; all False where not visible."""
        ...


@dataclass(frozen=True, kw_only=True)
class TruthObject:
    """What a data set says of an annotated object besides its masks.

    Attributes:
        id: its value in label maps.
        category: what it is; "" where that is not told.
        is_seen: whether it counts as seen in training; None: the data set makes no difference.
        first_frame: name of the frame whose mask is given to a method that follows objects; None: not told.
        frames: names of the frames at which the data set lists it, visible or not; None: all annotated ones.
    """

    id: int
    category: str = ""
    is_seen: bool | None = None
    first_frame: str | None = None
    frames: tuple[str, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class VideoTruth:
    """What is known of one video; made by ``truth_of_record`` or ``truth_of_folder`` (``sources``).

    It holds paths and names, no pixels: cheap to send to another process.

    Attributes:
        name: of the video.
        frames: names (stems) of the annotated frames, in order.
        labels: reads label maps; None where masks may overlap.
        masks: reads masks that may overlap; None where ``labels`` reads all.
        object_ids: annotated objects, where the data set lists them.
        objects: more about objects, where the data set tells (categories, parts, ranges of frames).
        expressions: of the video.
        attributes: what makes the video hard.
    """

    name: str
    frames: tuple[str, ...]
    labels: LabelReader | None = None
    masks: FrameMaskReader | None = None
    object_ids: tuple[int, ...] = ()
    objects: tuple[TruthObject, ...] = ()
    expressions: tuple[Expression, ...] = ()
    attributes: tuple[str, ...] = ()


class VideoPrediction(Protocol):
    """What was predicted for one video; ``sources.PredictedFiles`` reads folders and zips.

    ``key`` is what the protocol's layout calls ``{key}``: the id of an expression or object where each has
    masks of its own, the number of the annotator for Ref-DAVIS17, else "".
    """

    def has(self, key: str = "") -> bool:
        """Tell whether there is anything for ``key``."""
        ...

    def read(self, frame: str, key: str = "") -> Shaped[np.ndarray, "H W"] | None:
        """Return the ids (label protocols) or the mask (any non-zero pixel) of a frame; None: no file.

        Raises:
            DatasetError: the file cannot be read, or holds colours.
        """
        ...


ScoreVideo = Callable[[VideoTruth, VideoPrediction, Options], list[ObjectRow]]
Aggregate = Callable[[Sequence[ObjectRow], Options], Score]


@dataclass(frozen=True, kw_only=True)
class VideoProtocol:
    """A protocol that scores the mask files of videos.

    Attributes:
        name: in the table of protocols.
        benchmarks: names of the data sets (``data.catalog``) that it is the protocol of, its own first.
        description: what is scored and how it is averaged, for people.
        layout: where predictions lie below the folder or zip, with ``{video}``, ``{frame}`` and ``{key}``.
        truth: which annotations it is scored against.
        unit: what ``{key}`` is: "expression", "object", "annotator"; "" for a label map of all objects.
        pixels: what a predicted pixel holds: "ids" or "mask" (any non-zero is foreground).
        frames: which frames are scored unless options say otherwise.
        columns: of the table, in the official order.
        zero: what the protocol itself demands to be scored as zero, "" for nothing. All else that is missing
            is an error unless ``Options.missing`` is "zero".
        score_video: see the module.
        aggregate: see the module.
    """

    name: str
    benchmarks: tuple[str, ...]
    description: str
    layout: str
    truth: str
    unit: Literal["", "expression", "object", "annotator"]
    pixels: Literal["ids", "mask"]
    frames: Frames
    columns: tuple[str, ...]
    zero: str
    score_video: ScoreVideo
    aggregate: Aggregate


@dataclass(frozen=True, kw_only=True)
class SampleProtocol:
    """A protocol that scores the masks of single frames, given as run lengths in COCO form (one JSON file).

    Attributes:
        name: in the table of protocols.
        benchmarks: data sets that it is the protocol of.
        description: for people.
        columns: of the table, in the official order.
        zero: what the protocol demands to be scored as zero.
        score: (ground truth, predictions) -> score, both in COCO form.
    """

    name: str
    benchmarks: tuple[str, ...]
    description: str
    columns: tuple[str, ...]
    zero: str
    score: Callable[[Mapping[str, Any], Sequence[Mapping[str, Any]]], Score]
