"""Reports with made-up figures."""

import math

import numpy as np

from deixis.evaluation.reports.content import Report, Row


def made_report(shift=0.0, num_videos=6, *, name="masks", protocol="made-up", seed=0) -> Report:
    generator = np.random.default_rng(seed)
    rows = []
    for video in range(num_videos):
        for number in range(2):
            region = generator.uniform(0, 0.8, 12) + shift
            contour = generator.uniform(0, 0.8, 12) + shift
            figures = {"J&F": (region.mean() + contour.mean()) / 2, "J": region.mean(), "F": contour.mean()}
            rows.append(
                Row(
                    video=f"video-{video}",
                    name=str(number),
                    text=f"the <b>{number}</b> thing | of {video}",
                    kinds=("motion",) if number else ("appearance", "motion"),
                    figures={key: float(value) for key, value in figures.items()},
                    frames=tuple(f"{index:05d}" for index in range(12)),
                    region=tuple(region.tolist()),
                    contour=tuple(contour.tolist()),
                )
            )
    figures = {key: float(np.mean([row.figures[key] for row in rows])) for key in ("J&F", "J", "F")}
    return Report(
        benchmark="made-up",
        split="val",
        protocol={"name": protocol, "tolerance": 0.008},
        data={"videos": num_videos, "frames": 12 * num_videos, "sha256": "0" * 64},
        predictions={"name": name, "sha256": "1" * 64, "files": 24},
        figures={**figures, "J decay": math.nan},
        groups={"kind": {"motion": figures}, "video": {row.video: dict(row.figures) for row in rows}},
        rows=tuple(rows),
        notes=("3 of 100 masks are missing & count as empty",),
        versions={"deixis": "0", "numpy": "2"},
        date="2026-01-02T03:04:05+00:00",
        seconds=1.5,
    )
