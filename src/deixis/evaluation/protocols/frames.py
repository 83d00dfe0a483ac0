"""One frame of truth and of prediction, checked against each other; what several protocols do with rows.

Legend: H W pixels, n objects.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
from jaxtyping import Shaped, UInt8

from deixis.errors import DatasetError
from deixis.evaluation.protocols.base import Frames, ObjectRow, Options, VideoPrediction, VideoTruth
from deixis.evaluation.protocols.sources import PaintedLabels
from deixis.metrics.statistics import summarise

STATISTICS = ("J&F-Mean", "J-Mean", "J-Recall", "J-Decay", "F-Mean", "F-Recall", "F-Decay")
"""The columns of the DAVIS tables, in their order."""

MEANS = ("J&F", "J", "F")
"""The columns of tables without recall and decay."""

Table = dict[str, float]


def scored_frames(truth: VideoTruth, options: Options, published: Frames) -> tuple[str, ...]:
    """Return the names of the frames that are scored.

    Raises:
        DatasetError: none are left.
    """
    chosen = published if options.frames is None else options.frames
    frames = truth.frames[1:-1] if chosen == "inner" else truth.frames
    if not frames:
        raise DatasetError(
            f"{truth.name} has {len(truth.frames)} annotated frames, of which none are scored ({chosen}); "
            "is the data set unpacked in full?"
        )
    return frames


def read_labels(truth: VideoTruth, frame: str) -> UInt8[np.ndarray, "H W"]:
    """Read a label map of the truth; masks that overlap are painted in the order of their ids."""
    if truth.labels is not None:
        return truth.labels.read(frame)
    assert truth.masks is not None
    return PaintedLabels(truth.masks, truth.object_ids).read(frame)


def read_prediction(
    truth: VideoTruth,
    prediction: VideoPrediction,
    frame: str,
    size: tuple[int, ...],
    options: Options,
    key: str = "",
) -> Shaped[np.ndarray, "H W"]:
    """Read what is predicted for a frame of the truth's ``size``.

    Raises:
        DatasetError: there is no file, and ``options`` do not take it for an empty mask; or its size differs.
    """
    pixels = prediction.read(frame, key)
    if pixels is None:
        if options.missing == "zero":
            return np.zeros(size, np.uint8)
        raise DatasetError(
            f"no mask is predicted for frame {frame} of {_named(truth, key)}; predict every frame that is "
            "scored, or take missing masks for empty ones (--missing zero)"
        )
    if pixels.shape != size:
        raise DatasetError(
            f"frame {frame} of {_named(truth, key)} is predicted at {_size(pixels.shape)}, but annotated at "
            f"{_size(size)}; save masks at the size of the annotation"
        )
    return pixels


def table_of_statistics(rows: Iterable[ObjectRow], options: Options) -> Table:
    """Return the DAVIS table: means over the rows of their mean, recall and decay."""
    found = [
        [getattr(summarise(scores, decay_in_8_bits=options.decay_in_8_bits), name) for name in _STATISTICS]
        for row in rows
        for scores in (row.region, row.contour)
    ]
    if not found:
        return dict.fromkeys(STATISTICS, float("nan"))
    region, contour = np.array(found).reshape(-1, 2, 3).mean(0).tolist()
    return dict(zip(STATISTICS, [(region[0] + contour[0]) / 2, *region, *contour], strict=True))


def table_of_means(rows: Iterable[ObjectRow]) -> Table:
    """Return J&F, J and F: means over the rows of the means over their frames."""
    means = np.array([[row.region.mean(), row.contour.mean()] for row in rows]).reshape(-1, 2)
    if not len(means):
        return dict.fromkeys(MEANS, float("nan"))
    region, contour = means.mean(0).tolist()
    return {"J&F": (region + contour) / 2, "J": region, "F": contour}


def tables_by(
    rows: Sequence[ObjectRow],
    names_of: Callable[[ObjectRow], Iterable[str]],
    table_of: Callable[[list[ObjectRow]], Mapping[str, float]],
) -> dict[str, Mapping[str, float]]:
    """Return a table for each name that ``names_of`` gives to rows; a row counts for all of its names."""
    groups: dict[str, list[ObjectRow]] = {}
    for row in rows:
        for name in names_of(row):
            groups.setdefault(name, []).append(row)
    return {name: table_of(groups[name]) for name in sorted(groups)}


def without_empty(groups: Mapping[str, Mapping[str, Mapping[str, float]]]) -> dict:
    """Leave out kinds of groups that no row belongs to."""
    return {kind: tables for kind, tables in groups.items() if tables}


_STATISTICS = ("mean", "recall", "decay")


def _named(truth: VideoTruth, key: str) -> str:
    return f"{truth.name} ({key})" if key else truth.name


def _size(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
