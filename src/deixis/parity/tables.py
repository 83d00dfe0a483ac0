"""Goldens of procedures and measures, whose figures stand in the sidecar itself."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from deixis.data.windows import tiling_windows, window_around
from deixis.inference.windows import WindowRule, cut_windows
from deixis.metrics.average_precision import average_precision, count_samples, sample_measures
from deixis.ops.masks import encode_rle
from deixis.ops.resize import resized_size
from deixis.ops.words import clean, swap_sides_published
from deixis.parity.result import ArrayParity


def check_tables(sidecar: Mapping[str, Any], tolerance: float) -> list[ArrayParity]:
    """Compare our procedures with ``tables``, and our measures with ``expected``.

    Args:
        sidecar: of kind "ops".
        tolerance: of measures; tables must be equal, their error is the share of rows that differ.
    """
    rows = [_check_table(name, table) for name, table in sidecar.get("tables", {}).items()]
    if "expected" in sidecar:
        rows += _check_measures(sidecar["inputs"]["samples"], sidecar["expected"], tolerance)
    return rows


def _check_table(name: str, table: list[Any]) -> ArrayParity:
    if name not in _TABLES:
        return ArrayParity(name, "table", None, 0.0, "no procedure of ours has this table")
    different = [row for row in table if not _TABLES[name](row)]
    problem = f"for example {different[0]}" if different else None
    return ArrayParity(name, f"table of {len(table)} rows", len(different) / len(table), 0.0, problem)


def _resize(row: Mapping[str, Any]) -> bool:
    limits = {key: tuple(map(int, key.split("/"))) for key in row if "/" in key}
    return all(
        list(resized_size(row["h"], row["w"], short_side, long_side)) == row[key]
        for key, (short_side, long_side) in limits.items()
    )


def _a2d_window(row: Mapping[str, Any]) -> bool:
    indices, position = window_around(row["frame_1based"] - 1, row["num_frames"], row["w"])
    return list(indices) == row["indices"] and position == row["annotated_position"]


def _jhmdb_window(row: Mapping[str, Any]) -> bool:
    indices, _ = window_around(row["frame_1based"] - 1, row["num_frames"], row["w"])
    return [index + 1 for index in indices] == row["indices"]


def _training_windows(row: Mapping[str, Any]) -> bool:
    return [list(window) for window in tiling_windows(row["num_frames"], row["w"])] == row["windows"]


def _demo_windows(row: Mapping[str, Any]) -> bool:
    rule = WindowRule(length=row["length"], overlap=row["overlap"], is_linked=False)
    windows = cut_windows(range(row["num_frames"]), rule)
    return [[window.start, window.start + len(window.frames)] for window in windows] == row["windows"]


_TABLES: dict[str, Callable[[Any], bool]] = {
    "resize": _resize,
    "a2d_window_0based": _a2d_window,
    "jhmdb_window_1based": _jhmdb_window,
    "refytvos_train_windows": _training_windows,
    "demo_windows": _demo_windows,
    "flip_text": lambda row: swap_sides_published(row[0]) == row[1],
    "clean_text": lambda row: clean(row[0]) == row[1],
}
"""Name of a table -> is a row of it what ours gives?"""


def _check_measures(
    samples: Iterable[Mapping[str, Any]], expected: Mapping[str, Any], tolerance: float
) -> list[ArrayParity]:
    truth, predictions = _coco(samples)
    counts = count_samples(truth, predictions)
    ours = {**sample_measures(counts), **average_precision(truth, predictions)}
    wanted = {name: value for name, value in expected.items() if isinstance(value, float)}
    wanted |= expected.get("coco_stats_first6", {})
    rows = [
        ArrayParity(name, "measure", abs(ours[name] - value), tolerance)
        if name in ours
        else ArrayParity(name, "measure", None, tolerance, "no measure of ours has this name")
        for name, value in wanted.items()
    ]
    per_sample = expected.get("per_sample_iou_intersection_union_of_top_scored", {})
    figures = zip(counts.image_ids, counts.ious(), counts.intersection, counts.union, strict=True)
    for name, *values in figures:
        if name in per_sample:
            error = float(np.abs(np.array(values, dtype=np.float64) - per_sample[name]).max())
            rows.append(ArrayParity(name, "IoU, intersection, union of the best mask", error, tolerance))
    return rows


def _coco(samples: Iterable[Mapping[str, Any]]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return ground truth and predictions of samples that are given as rectangles."""
    truth: dict[str, Any] = {"images": [], "annotations": [], "categories": [{"id": 1, "name": "object"}]}
    predictions = []
    for number, sample in enumerate(samples, start=1):
        height, width, name = sample["height"], sample["width"], sample["id"]
        mask = _rectangles(sample["gt_rectangles"], height, width)
        truth["images"].append({"id": name, "height": height, "width": width})
        annotation = {"id": number, "image_id": name, "category_id": 1, "iscrowd": 0}
        code = encode_rle(mask[None])[0]
        truth["annotations"].append({**annotation, "segmentation": code, "area": int(mask.sum())})
        for prediction in sample["predictions"]:
            code = encode_rle(_rectangles(prediction["rectangles"], height, width)[None])[0]
            entry = {"image_id": name, "category_id": 1, "segmentation": code, "score": prediction["score"]}
            predictions.append(entry)
    return truth, predictions


def _rectangles(rectangles: Iterable[Iterable[int]], height: int, width: int) -> np.ndarray:
    mask = np.zeros((height, width), dtype=bool)
    for top, bottom, left, right in rectangles:
        mask[top:bottom, left:right] = True
    return mask
