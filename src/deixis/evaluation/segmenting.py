"""A model as a predictor, and the quick score of a model in training."""

import math
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

import numpy as np
import torch

from deixis.data.records import VideoRecord
from deixis.evaluation.benchmark import own_answers, permuted_answers, score_answers
from deixis.evaluation.predictor import Predictor, SoftPredictor, read_frames
from deixis.flow.estimator import find_estimator
from deixis.inference.engine import Engine
from deixis.inference.record import config_hash
from deixis.inference.segmenter import Segmenter
from deixis.metrics.tables import aggregate
from deixis.models.base import ReferringModel


def predict_with(segmenter: Segmenter) -> Predictor:
    """Make a predictor of a segmenter: a video's frames are encoded once for all its expressions."""

    def predict(record: VideoRecord, expressions: Sequence[str]) -> Iterator[np.ndarray]:
        for frame in segmenter(read_frames(record), list(expressions)):
            yield frame.masks

    return predict


def predict_softly_with(segmenter: Segmenter) -> SoftPredictor:
    """Make a predictor of the probabilities that a segmenter puts its threshold to."""

    def predict(record: VideoRecord, expressions: Sequence[str]) -> Iterator[np.ndarray]:
        for found in segmenter.answers(read_frames(record), list(expressions)):
            yield found.probabilities

    return predict


@dataclass(frozen=True, kw_only=True)
class ModelOnDemand:
    """A model as a predictor that other processes can take along: each makes it when it is first asked.

    Attributes:
        model, checkpoint, device, dtype, windows: as ``Segmenter`` takes them.
        propagator, propagator_checkpoint, flow_cache: likewise.
        raft_weights: of the large RAFT, which then estimates the flow; None: as the model has it.
        num_threads: that the process may use on the CPU; 0: as many as it does.
    """

    model: str
    checkpoint: Path | None = None
    device: str = "auto"
    dtype: str = "auto"
    windows: str = "linked"
    propagator: str | None = None
    propagator_checkpoint: Path | None = None
    flow_cache: Path | None = None
    raft_weights: str | None = None
    num_threads: int = 0

    @cached_property
    def segmenter(self) -> Segmenter:
        """The model, made once."""
        if self.num_threads:
            torch.set_num_threads(self.num_threads)
        flow = None
        if self.raft_weights is not None:
            flow = find_estimator("raft-large", weights=self.raft_weights, device=self.device)
        return Segmenter(
            self.model,
            checkpoint=self.checkpoint,
            device=self.device,
            dtype=self.dtype,
            windows=self.windows,
            propagator=self.propagator,
            propagator_checkpoint=self.propagator_checkpoint,
            flow=flow,
            flow_cache=self.flow_cache,
        )

    def __call__(self, record: VideoRecord, expressions: Sequence[str]) -> Iterable[np.ndarray]:
        """Predict the masks of a video."""
        return predict_with(self.segmenter)(record, expressions)

    def softly(self, record: VideoRecord, expressions: Sequence[str]) -> Iterable[np.ndarray]:
        """Predict the probabilities of a video."""
        return predict_softly_with(self.segmenter)(record, expressions)

    def engine(self) -> Engine:
        """Return the model at work."""
        return self.segmenter.engine

    def found_device(self) -> torch.device:
        """Return where it runs."""
        return self.segmenter.engine.device

    def settings(self) -> dict[str, Any]:
        """Return what changes the predictions besides weights and data type, where it is not the default.

        Folders have a configuration that may be edited, whatever their weights.
        """
        found: dict[str, Any] = {} if self.windows == "linked" else {"windows": self.windows}
        if any(Path(place).is_dir() for place in (self.model, self.checkpoint) if place is not None):
            found["config_sha256"] = config_hash(self.segmenter.model)
        if self.propagator is not None:
            found["propagator"] = self.propagator
        if self.propagator_checkpoint is not None:
            found["propagator_checkpoint"] = str(self.propagator_checkpoint)
        if (estimator := self.segmenter.engine.flow_estimator) is not None:
            found["flow"] = estimator.describe()
        return found

    def __getstate__(self) -> dict[str, Any]:
        return {item.name: getattr(self, item.name) for item in fields(self)}


class OnDemand(Protocol):
    """A method that each process makes for itself (a frozen data class)."""

    @property
    def device(self) -> str:
        """As it was named."""
        ...

    def found_device(self) -> torch.device:
        """Return where it runs."""
        ...


Method = TypeVar("Method", bound=OnDemand)


def share_method(method: Method, num_processes: int) -> list[Method]:
    """Return a method once for every process, each with its part of the cores and of the GPUs.

    A single process is given ``method`` itself, which is made already. A GPU that is named by its number is
    used by all of them.
    """
    if num_processes == 1:
        return [method]
    num_threads = max((os.cpu_count() or 1) // num_processes, 1)
    found = method.found_device()
    num_gpus = torch.cuda.device_count() if found.type == "cuda" and ":" not in method.device else 0
    devices = [f"cuda:{rank % num_gpus}" if num_gpus else method.device for rank in range(num_processes)]
    return [replace(cast(Any, method), device=device, num_threads=num_threads) for device in devices]


def validate(
    model: ReferringModel, records: Iterable[VideoRecord], *, permute_seed: int = 0
) -> dict[str, float]:
    """Score a model on records, with the language control, where its weights are; predict each video once.

    The model's mode is as before afterwards.

    Returns:
        J&F, J, F, J&F with permuted expressions, mean IoU, absent accuracy; those that ``records`` allow.
    """
    was_training = model.training
    predict = predict_with(Segmenter(model, device=next(model.parameters()).device))
    own, control = [], []
    try:
        for record in records:
            answers = own_answers(record.expressions)
            permuted = permuted_answers(record.name, record.expressions, permute_seed)
            rows = score_answers(record, predict, [*answers, *permuted])
            own += rows[: len(answers)]
            control += rows[len(answers) :]
    finally:
        model.train(was_training)
    figures = aggregate(own)
    named = {
        "J&F": figures.region_and_contour,
        "J": figures.region,
        "F": figures.contour,
        "J&F permuted": aggregate(control).region_and_contour,
        "mean IoU": figures.mean_iou,
        "absent accuracy": figures.absent_accuracy,
    }
    return {name: value for name, value in named.items() if not math.isnan(value)}
