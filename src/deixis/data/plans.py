"""The list of training clips of a data set kept on disk, because making it reads every mask once."""

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from .clips import ClipPlan, plan_clips
from .records import VideoRecord


def cached_plans(
    records: Sequence[VideoRecord],
    folder: Path,
    *,
    name: str,
    kind: Literal["around-annotated", "tiling"],
    length: int,
    expressions_per_clip: int = 1,
) -> Sequence[ClipPlan]:
    """Return what ``plan_clips`` gives, from a file in ``folder`` where it was asked before.

    The file ``NAME-KEY.plans.json`` belongs to the rule and to the videos, frames and expressions of
    ``records``; a broken one is made anew.
    """
    path = folder / f"{name}-{_key(records, kind, length, expressions_per_clip)}.plans.json"
    if path.is_file():
        try:
            return [_revive(row) for row in json.loads(path.read_text(encoding="utf-8"))]
        except (ValueError, TypeError):
            path.unlink()
    plans = plan_clips(records, kind, length, expressions_per_clip)
    rows = [[plan.record, plan.frames, plan.annotated_frames, plan.expressions] for plan in plans]
    folder.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.partial")
    temporary.write_text(json.dumps(rows, separators=(",", ":")), encoding="utf-8")
    os.replace(temporary, path)
    return plans


def _key(records: Sequence[VideoRecord], *rule: object) -> str:
    digest = hashlib.sha256(repr(rule).encode())
    for record in records:
        said = [(expression.text, expression.object_ids) for expression in record.expressions]
        digest.update(repr((record.name, record.frame_names, record.annotated_frames, said)).encode())
    return digest.hexdigest()[:12]


def _revive(row: Sequence) -> ClipPlan:
    record, frames, annotated, expressions = row
    return ClipPlan(
        record, tuple(frames), None if annotated is None else tuple(annotated), tuple(expressions)
    )
