"""A model as a predictor, and the quick score of a model in training."""

import math
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from deixis.data.records import VideoRecord
from deixis.evaluation.benchmark import own_answers, permuted_answers, score_answers
from deixis.evaluation.predictor import Predictor, SoftPredictor, read_frames
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
