"""A model as a predictor, and the quick score of a model in training."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from deixis.data.records import VideoRecord
from deixis.evaluation.benchmark import evaluate_records
from deixis.evaluation.predictor import Predictor, read_frames
from deixis.inference.segmenter import Segmenter
from deixis.metrics.tables import Figures, aggregate
from deixis.models.base import ReferringModel


def predict_with(segmenter: Segmenter) -> Predictor:
    """Make a predictor of a segmenter: a video's frames are encoded once for all its expressions."""

    def predict(record: VideoRecord, expressions: Sequence[str]) -> Iterator[np.ndarray]:
        for frame in segmenter(read_frames(record), list(expressions)):
            yield frame.masks

    return predict


def validate(model: ReferringModel, records: Iterable[VideoRecord]) -> Figures:
    """Score a model on records, where its weights are; the model's mode is as before afterwards."""
    device = next(model.parameters()).device
    was_training = model.training
    try:
        return aggregate(evaluate_records(records, predict_with(Segmenter(model, device=device))))
    finally:
        model.train(was_training)
