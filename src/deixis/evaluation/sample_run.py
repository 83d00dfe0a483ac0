"""Score the run lengths of A2D- and JHMDB-Sentences: one JSON file of masks with scores in COCO form."""

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deixis.errors import DatasetError
from deixis.evaluation.checks.problems import PredictionError
from deixis.evaluation.file_run import index_hash
from deixis.evaluation.protocols.base import SampleProtocol
from deixis.evaluation.protocols.samples import coco_truth
from deixis.evaluation.reports.build import build_report
from deixis.evaluation.reports.content import Report
from deixis.evaluation.reports.write import write_report
from deixis.evaluation.subjects import Subject

_FIELDS = ("image_id", "segmentation", "score")


def evaluate_samples(
    path: Path,
    subject: Subject,
    protocol: SampleProtocol,
    out: Path,
    about: Mapping[str, Any] | None = None,
) -> Report:
    """Score a file of run lengths and write the report.

    Args:
        path: JSON, a list of ``image_id``, ``category_id``, ``segmentation``, ``score``.
        subject: what they are scored on.
        protocol: how.
        out: folder of the report.
        about: what the report should say of the predictions besides their hash, as the name of a model.

    Raises:
        PredictionError: the file is not of that form, or its samples are not those of the benchmark.
    """
    started = time.monotonic()
    content = _read(path)
    truth = coco_truth(subject.truths, subject.benchmark)
    predictions = check_samples(path, content, truth)
    try:
        score = protocol.score(truth, predictions)
    except ValueError as error:
        raise PredictionError(f"{path} cannot be scored: {error}") from error
    report = build_report(
        score,
        benchmark=subject.benchmark,
        split=subject.split,
        data={
            "videos": len(subject.truths),
            "samples": len(truth["annotations"]),
            "sha256": index_hash(subject.truths),
        },
        predictions={
            "name": path.name,
            "sha256": hashlib.sha256(content).hexdigest(),
            "masks": len(predictions),
            **(about or {}),
        },
        seconds=time.monotonic() - started,
    )
    write_report(report, out)
    return report


def check_samples(path: Path, content: bytes, truth: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return the predictions in a file after a look at every one of them.

    Raises:
        PredictionError: it is not JSON, a field is missing, or a mask has another size than its frame.
    """
    try:
        predictions = json.loads(content)
    except ValueError as error:
        raise PredictionError(f"{path} is not JSON: {error}") from error
    if not isinstance(predictions, list) or not predictions:
        raise PredictionError(f"{path} is no list of predictions with {', '.join(_FIELDS)}")
    sizes = {image["id"]: [image["height"], image["width"]] for image in truth["images"]}
    for number, prediction in enumerate(predictions):
        lacks = [name for name in _FIELDS if not isinstance(prediction, dict) or name not in prediction]
        if lacks:
            raise PredictionError(f"prediction {number} of {path} has no {', '.join(lacks)}")
        image, code = prediction["image_id"], prediction["segmentation"]
        if not isinstance(code, dict) or not {"size", "counts"} <= code.keys():
            raise PredictionError(f"prediction {number} of {path} has no run lengths (size and counts)")
        if image in sizes and list(code["size"]) != sizes[image]:
            raise PredictionError(
                f"prediction {number} of {path}, for {image}, is {_size(code['size'])} where the truth is "
                f"{_size(sizes[image])}; bring masks to the frame's size first"
            )
    return [{"category_id": 1, **prediction} for prediction in predictions]


def _read(path: Path) -> bytes:
    if path.is_dir():
        raise DatasetError(
            f"{path} is a folder, but the protocol takes one JSON file of run lengths with scores; score "
            "PNGs with --protocol sentences-best-mask, which has no mAP"
        )
    try:
        return path.read_bytes()
    except OSError as error:
        raise DatasetError(f"cannot read {path}: {error.strerror}") from error


def _size(size: Sequence[int]) -> str:
    return "x".join(map(str, size))
