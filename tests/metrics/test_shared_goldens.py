"""Every figure of the official packages on real masks, where the shared goldens are at hand."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deixis.metrics.frame_scores import score_frames
from deixis.metrics.statistics import summarise

SHARED = Path(__file__).parents[2] / ".." / "shared" / "goldens" / "metrics"
pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared goldens are not here")


def golden(name: str):
    return json.loads((SHARED / f"{name}.json").read_text())


@cache
def labels(kind: str, sequence: str) -> dict[str, np.ndarray]:
    folder = SHARED / "masks" / kind / sequence
    maps = {}
    for path in sorted(folder.iterdir()):
        with Image.open(path) as image:
            maps[path.stem] = np.array(image)
    return maps


def stack(kind: str, sequence: str, frames, wanted=None, relabel=None) -> np.ndarray:
    maps = np.stack([labels(kind, sequence)[frame] for frame in frames])
    if relabel is not None:
        table = np.zeros(256, np.uint8)
        for old, new in relabel.items():
            table[int(old)] = new
        maps = table[maps]
    return maps > 0 if wanted is None else np.isin(maps, wanted)


def check(scores, expected) -> None:
    np.testing.assert_allclose(scores.region, expected["J_frames"], rtol=0, atol=1e-8)
    np.testing.assert_allclose(scores.contour, expected["F_frames"], rtol=0, atol=1e-8)
    for name, values in (("J", scores.region), ("F", scores.contour)):
        found = summarise(values)
        if isinstance(expected[name], dict):
            wanted = [expected[name][key] for key in ("mean", "recall", "decay")]
        else:
            wanted = [expected[name]] if np.isscalar(expected[name]) else expected[name]
        np.testing.assert_allclose(
            [found.mean, found.recall, found.decay][: len(wanted)], wanted, rtol=0, atol=1e-8
        )


def test_davis16():
    for sequence, expected in golden("davis16_single_object")["sequences"].items():
        prediction, annotation = (
            stack(kind, sequence, expected["frames"]) for kind in ("proposals", "reference")
        )
        check(score_frames(prediction, annotation), expected["objects"]["1"])


def test_davis17_semisupervised():
    official = golden("davis17_semisupervised")
    means = []
    for sequence, expected in official["sequences"].items():
        for number, wanted in expected["objects"].items():
            prediction = stack(
                "proposals", sequence, expected["frames"], int(number), official["relabel"][sequence]
            )
            scores = score_frames(prediction, stack("reference", sequence, expected["frames"], int(number)))
            check(scores, wanted)
            means.append(scores.region_and_contour)
    assert np.mean(means) == pytest.approx(official["global"]["J&F-Mean"], abs=1e-8)


def test_davis17_unsupervised_rows():
    for sequence, expected in golden("davis17_unsupervised")["sequences"].items():
        for wanted in expected["objects"].values():
            prediction = stack("proposals", sequence, expected["frames"], wanted["proposal_label"])
            annotation = stack("reference", sequence, expected["frames"], wanted["reference_label"])
            check(score_frames(prediction, annotation), wanted)


def test_per_expression():
    official = golden("lvos_and_per_expression")["per_expression"]
    relabel = golden("davis17_semisupervised")["relabel"]
    rows = []
    for name, expected in official["expressions"].items():
        sequence = name.split("/")[0]
        frames = [f"{frame:05d}" for frame in expected["frames"]]
        annotation = stack("reference", sequence, frames, expected["gt_labels"])
        prediction = stack("proposals", sequence, frames, expected["pred_labels"])
        scores = score_frames(prediction, annotation)
        check(scores, expected)
        rows.append(scores.region_and_contour)
    assert relabel and np.mean(rows) == pytest.approx(official["global"]["J&F"], abs=1e-8)


def test_void_is_ignored_by_the_unsupervised_protocol_only():
    relabel = golden("davis17_semisupervised")["relabel"]
    for sequence, expected in golden("merge_void_binary")["void_rows_200_to_239"].items():
        frames = sorted(labels("reference", sequence))
        number = len(expected["semi-supervised"])
        for row in range(1, number + 1):
            annotation = stack("reference", sequence, frames, row)
            prediction = stack("proposals", sequence, frames, row, relabel[sequence])
            annotation[:, 200:240] = False
            scores = score_frames(prediction[1:-1], annotation[1:-1])
            found = [scores.region.mean(), scores.contour.mean()]
            np.testing.assert_allclose(
                found, expected["semi-supervised"][f"{sequence}_{row}"], rtol=0, atol=1e-8
            )
