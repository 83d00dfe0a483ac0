"""The list of training clips of a data set kept on disk, because making it reads every mask once."""

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path

from .clips import ClipPlan, plan_clips
from .records import VideoRecord
from .rules import ClipRule

READ_MASKS = ("around-annotated", "tiling", "local-global", "local-global-published", "each-frame")
"""Kinds of clips that are listed by looking at masks, at least where few frames are annotated."""


def cached_plans(
    records: Sequence[VideoRecord], folder: Path, rule: ClipRule, *, name: str
) -> Sequence[ClipPlan]:
    """Return what ``plan_clips`` gives, from a file in ``folder`` where it was asked before.

    The file ``NAME-KEY.plans.json`` belongs to the rule and to the videos, frames and expressions of
    ``records``; a broken one is made anew.
    """
    path = folder / f"{name}-{_key(records, rule)}.plans.json"
    if path.is_file():
        try:
            return [_revive(*row) for row in json.loads(path.read_text(encoding="utf-8"))]
        except (ValueError, TypeError):
            path.unlink()
    plans = plan_clips(records, rule)
    folder.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.partial")
    temporary.write_text(json.dumps([_row(plan) for plan in plans], separators=(",", ":")), encoding="utf-8")
    os.replace(temporary, path)
    return plans


def _key(records: Sequence[VideoRecord], rule: ClipRule) -> str:
    settings = (rule.kind, rule.length, rule.expressions_per_clip, rule.unit, rule.has_words)
    digest = hashlib.sha256(repr(settings).encode())
    for record in records:
        said = [(expression.text, expression.object_ids) for expression in record.expressions]
        digest.update(repr((record.name, record.frame_names, record.annotated_frames, said)).encode())
    return digest.hexdigest()[:12]


def _row(plan: ClipPlan) -> list:
    row = [plan.record, plan.frames, plan.annotated_frames, plan.expressions]
    return row if plan.around is None else [*row, plan.around, plan.predicts_around]


def _revive(
    record: int,
    frames: Sequence[int],
    annotated: Sequence[int] | None,
    expressions: Sequence[int] | None,
    around: int | None = None,
    predicts_around: bool = False,
) -> ClipPlan:
    return ClipPlan(
        record,
        tuple(frames),
        None if annotated is None else tuple(annotated),
        None if expressions is None else tuple(expressions),
        around,
        predicts_around,
    )
