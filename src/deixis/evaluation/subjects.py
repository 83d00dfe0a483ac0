"""What predictions are scored on: a benchmark on disk, or plain folders of label maps."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from deixis.data import davis17
from deixis.data.catalog import find_dataset, load_records
from deixis.data.records import VideoRecord
from deixis.errors import DatasetError, UnknownNameError
from deixis.evaluation.checks.pixels import VOID
from deixis.evaluation.protocols.base import SampleProtocol, VideoProtocol, VideoTruth
from deixis.evaluation.protocols.sources import LabelFiles, truth_of_folder, truth_of_record
from deixis.evaluation.protocols.table import DEFAULTS, PROTOCOLS
from deixis.evaluation.worst_clips import ReadFrame, frame_reader

FOLDER_DATASETS = ("davis16", "davis17", "ref-davis17")
"""Benchmarks that plain folders of label maps can stand for."""

_KIN = {"davis17-unsupervised": "davis17", "refcocog-google": "refcocog"}
"""Data set -> benchmark whose protocols it shares."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What the masks are scored on.

    Attributes:
        benchmark: name of the data set.
        split: of the data set, "" where there are none.
        truths: of the videos.
        read_frame: gives the images behind the masks, for pictures.
    """

    benchmark: str
    split: str
    truths: tuple[VideoTruth, ...]
    read_frame: ReadFrame


def choose_protocol(benchmark: str, name: str | None = None) -> VideoProtocol | SampleProtocol:
    """Return a protocol of a benchmark, by default its own.

    Data sets with expressions that nobody has a protocol for, and one's own, are scored by expression.

    Raises:
        UnknownNameError: the benchmark has no protocol, or none of that name.
    """
    kin = _KIN.get(benchmark, benchmark)
    known = [protocol.name for protocol in PROTOCOLS.values() if kin in protocol.benchmarks]
    if kin in DEFAULTS:
        default = benchmark if benchmark in known else DEFAULTS[kin]
    elif find_dataset(benchmark, others=tuple(DEFAULTS)).has_expressions:
        default = "per-expression"
        known.append(default)
    else:
        raise UnknownNameError("benchmark", benchmark, DEFAULTS)
    chosen = default if name is None else name
    if chosen not in known:
        raise UnknownNameError(f"protocol of {benchmark}", chosen, known)
    return PROTOCOLS[chosen]


def find_subject(
    benchmark: str, root: Path, split: str | None, protocol: VideoProtocol | SampleProtocol
) -> Subject:
    """Read the truth of a benchmark, with the masks that a protocol is scored against.

    Raises:
        DatasetError: the data set is not there or not whole, or its truth is held back.
    """
    split = split or find_dataset(benchmark).evaluated
    records = load_truth(benchmark, root, split, protocol)
    if any(record.masks is None for record in records):
        raise DatasetError(
            f"the truth of {benchmark} {split} is held back: look the masks over with --check-only, or write "
            "--submission ZIP for its server"
        )
    subject = subject_of_records(benchmark, split, records)
    is_divided = any(column.endswith("_unseen") for column in protocol.columns)
    if is_divided and all(info.is_seen is None for truth in subject.truths for info in truth.objects):
        lacks = (
            "unseen_videos.txt (of the lvos-evaluation repository)" if benchmark == "lvos" else "meta.json"
        )
        raise DatasetError(
            f"{protocol.name} averages seen and unseen parts, but nothing in {root} tells them apart: "
            f"{lacks} is not there"
        )
    return subject


def subject_of_records(benchmark: str, split: str, records: Sequence[VideoRecord]) -> Subject:
    """Take records for what is scored.

    Raises:
        DatasetError: the truth about one is held back.
    """
    return Subject(
        benchmark=benchmark,
        split=split,
        truths=tuple(truth_of_record(record) for record in records),
        read_frame=frame_reader({record.name: record for record in records}),
    )


def limited_to(subject: Subject, records: Sequence[VideoRecord]) -> Subject:
    """Return what is true of the videos of ``records`` alone."""
    names = {record.name for record in records}
    return replace(subject, truths=tuple(truth for truth in subject.truths if truth.name in names))


def load_truth(
    benchmark: str, root: Path, split: str, protocol: VideoProtocol | SampleProtocol
) -> Sequence[VideoRecord]:
    """Return the records of a split, of DAVIS with the masks of the year that the protocol is scored on.

    Converted copies of Ref-DAVIS17 and plain folders have one set of masks, which is taken as it is.
    """
    is_official = not any((root / name).exists() for name in ("meta_expressions", "meta_expressions.json"))
    if protocol.name.endswith("-unsupervised") and is_official and root.is_dir():
        return davis17.unsupervised_records(root, split)
    return load_records(benchmark, root, split)


def subject_of_folder(benchmark: str, folder: Path) -> Subject:
    """Take plain folders of label maps, ``FOLDER/VIDEO/FRAME.png``, for the truth of a DAVIS benchmark.

    The objects are those of the official evaluation: 1 to the highest id of the first frame.

    Raises:
        DatasetError: there are no such folders, or the benchmark needs more than label maps.
    """
    if benchmark not in FOLDER_DATASETS:
        raise DatasetError(
            f"--truth gives label maps only, which is enough for {', '.join(FOLDER_DATASETS)}; "
            f"give the folder of {benchmark} with --root"
        )
    if not folder.is_dir():
        raise DatasetError(f"there is no folder {folder}; give the folder that holds VIDEO/FRAME.png")
    videos = sorted(path for path in folder.iterdir() if path.is_dir() and any(path.glob("*.png")))
    if not videos:
        raise DatasetError(f"{folder} holds no VIDEO/FRAME.png; give the folder of the annotations")
    return Subject(
        benchmark=benchmark,
        split="",
        truths=tuple(
            replace(truth_of_folder(path.name, path), object_ids=_first_ids(path)) for path in videos
        ),
        read_frame=lambda video, frame: None,
    )


def _first_ids(folder: Path) -> tuple[int, ...]:
    """Return 1 to the highest id of the first label map."""
    labels = LabelFiles(folder).read(min(path.stem for path in folder.glob("*.png")))
    return tuple(range(1, int(np.where(labels == VOID, 0, labels).max(initial=0)) + 1))
