"""Score a predictor on records: every expression of every video, and the control that words matter.

Legend: e expressions, t frames, H W pixels.
"""

import random
from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Bool

from deixis.data.records import Expression, VideoRecord
from deixis.errors import DatasetError
from deixis.evaluation.predictor import Predictor
from deixis.metrics.frame_scores import FrameScores, concatenate, score_frames
from deixis.metrics.tables import ExpressionRow, make_row

Answer = tuple[int, int]
"""Indices of two expressions of a video: whose truth is scored, and whose prediction is."""

_PIXELS_AT_ONCE = 16_000_000


def evaluate_video(
    record: VideoRecord, predict: Predictor, *, permute_seed: int | None = None
) -> list[ExpressionRow]:
    """Score every expression of a video.

    Args:
        record: with masks.
        predict: gives the masks; called once with all expressions.
        permute_seed: score each expression's truth against the prediction of an expression of another object
            of the same video (see :func:`permuted_answers`). None: against its own.

    Returns:
        One row an expression.

    Raises:
        DatasetError: the truth is held back, or the prediction has another size or number of frames.
    """
    if permute_seed is None:
        return score_answers(record, predict, own_answers(record.expressions))
    return score_answers(record, predict, permuted_answers(record.name, record.expressions, permute_seed))


def score_answers(record: VideoRecord, predict: Predictor, answers: Sequence[Answer]) -> list[ExpressionRow]:
    """Predict a video once and score pairs of an expression's truth and an expression's prediction.

    Raises:
        DatasetError: the truth is held back, or the prediction has another size or number of frames.
    """
    if record.masks is None:
        raise DatasetError(f"the truth about {record.name} is held back; write a --submission for its server")
    if not answers:
        return []
    expressions = record.expressions
    parts: list[list[FrameScores]] = [[] for _ in answers]
    for indices, predicted in _chunks(record, predict):
        truths = _truths(record, indices, [expressions[truth] for truth, _ in answers])
        for part, truth, (_, answer) in zip(parts, truths, answers, strict=True):
            if truth.shape != predicted[:, answer].shape:
                raise DatasetError(
                    f"{record.name}: masks predicted at {_size(predicted)}, but the truth is {_size(truth)}"
                )
            part.append(score_frames(predicted[:, answer], truth))
    return [
        make_row(
            concatenate(part),
            video=record.name,
            expression=expressions[truth].id,
            text=expressions[truth].text,
            kinds=expressions[truth].kinds,
            is_absent=not expressions[truth].object_ids,
            answered_by=expressions[answer].id,
        )
        for part, (truth, answer) in zip(parts, answers, strict=True)
    ]


def own_answers(expressions: Sequence[Expression]) -> list[Answer]:
    """Pair each expression with itself."""
    return [(index, index) for index in range(len(expressions))]


def permuted_answers(video: str, expressions: Sequence[Expression], seed: int) -> list[Answer]:
    """Choose for each expression one of the same video that speaks of another object: the language control.

    The single objects that expressions name are shuffled and each is answered by the next one's expressions,
    so no object keeps its own. An expression of several objects is answered by any that shares none of them.
    Absent expressions, and those for which the video has no other object, are left out. A model that ignores
    the words scores the same as without; one that follows them scores low.

    Args:
        video: name, part of the seed: a video's draw does not depend on the other videos.
        expressions: of the video.
        seed: of the draw.
    """
    generator = random.Random(f"{seed}/{video}")
    by_object: dict[int, list[int]] = {}
    for index, expression in enumerate(expressions):
        if len(expression.object_ids) == 1:
            by_object.setdefault(expression.object_ids[0], []).append(index)
    objects = sorted(by_object)
    generator.shuffle(objects)
    following = {name: objects[(place + 1) % len(objects)] for place, name in enumerate(objects)}
    answers: list[Answer] = []
    for index, expression in enumerate(expressions):
        if len(expression.object_ids) == 1 and len(objects) > 1:
            candidates = by_object[following[expression.object_ids[0]]]
        else:
            candidates = [
                other
                for other, candidate in enumerate(expressions)
                if candidate.object_ids and set(candidate.object_ids).isdisjoint(expression.object_ids)
            ]
        if expression.object_ids and candidates:
            answers.append((index, generator.choice(candidates)))
    return answers


def _chunks(
    record: VideoRecord, predict: Predictor
) -> Iterable[tuple[list[int], Bool[np.ndarray, "t e H W"]]]:
    """Yield the annotated frames, some at a time, with the masks predicted for them."""
    annotated = record.annotated_frames
    wanted = set(range(len(record.frame_names)) if annotated is None else annotated)
    texts = [expression.text for expression in record.expressions]
    masks = iter(predict(record, texts))
    held: list[tuple[int, np.ndarray]] = []
    num_frames = 0
    for index, frame in enumerate(masks):
        num_frames += 1
        if len(frame) != len(texts):
            raise DatasetError(f"{record.name}: {len(frame)} masks predicted for {len(texts)} expressions")
        if index in wanted:
            held.append((index, frame))
        if held and sum(mask.size for _, mask in held) >= _PIXELS_AT_ONCE:
            yield [i for i, _ in held], np.stack([mask for _, mask in held])
            held = []
    if num_frames != len(record.frame_names):
        raise DatasetError(
            f"{record.name}: masks predicted for {num_frames} frames, the video has {len(record.frame_names)}"
        )
    if held:
        yield [i for i, _ in held], np.stack([mask for _, mask in held])


def _truths(
    record: VideoRecord, indices: Sequence[int], expressions: Sequence[Expression]
) -> Iterable[Bool[np.ndarray, "t H W"]]:
    """Yield for each expression the union of its referents' masks; without referents it is empty."""
    assert record.masks is not None
    named = sorted({object_id for expression in expressions for object_id in expression.object_ids})
    masks = record.masks.read(indices, named)  # n t H W
    for expression in expressions:
        yield masks[[named.index(object_id) for object_id in expression.object_ids]].any(axis=0)


def _size(masks: np.ndarray) -> str:
    return f"{masks.shape[-2]}x{masks.shape[-1]}"
