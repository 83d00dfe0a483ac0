"""MTTR against numbers recorded from the published architecture."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from deixis.parity import ParityReport, check

GOLDENS = Path(__file__).parent / "mttr"

slow = pytest.mark.slow


@cache
def report_of(name: str) -> ParityReport:
    return check(GOLDENS / f"golden_{name}.npz")


@pytest.mark.parametrize(
    "name",
    [
        "small",
        "loss",
        "postprocess",
        "metrics",
        "procedures",
        pytest.param("small_q16", marks=slow),
        pytest.param("a2d", marks=slow),
        pytest.param("a2d_q16", marks=slow),
        pytest.param("refytvos", marks=slow),
        pytest.param("refytvos_q16", marks=slow),
    ],
)
def test_every_array_is_equal(name: str):
    report = report_of(name)
    assert report.arrays
    assert report.is_equal, "\n".join(report.lines())


def test_arrays_come_in_the_order_of_the_forward_pass():
    names = [array.name for array in report_of("loss").arrays]
    sidecar = json.loads((GOLDENS / "golden_loss.json").read_text())
    assert names == list(sidecar["arrays"])


def test_a_changed_weight_of_a_loss_is_found(tmp_path: Path):
    sidecar = json.loads((GOLDENS / "golden_loss.json").read_text())
    sidecar["options"]["no_object_weight"] = 0.2
    (tmp_path / "golden.json").write_text(json.dumps(sidecar))
    (tmp_path / "golden.npz").write_bytes((GOLDENS / "golden_loss.npz").read_bytes())
    report = check(tmp_path / "golden.npz")
    different = {array.name for array in report.arrays if not array.is_equal}
    assert "ytvos_loss_is_referred" in different
    assert "ytvos_loss_dice" not in different
    assert not report.is_equal


def test_a_changed_array_is_found(tmp_path: Path):
    with np.load(GOLDENS / "golden_postprocess.npz") as stored:
        arrays = dict(stored)
    arrays["tsvs_masks0"][0, 0, 0] ^= True
    arrays["a2d_scores1"][2] += 1e-3
    np.savez(tmp_path / "golden.npz", **arrays)
    (tmp_path / "golden.json").write_text((GOLDENS / "golden_postprocess.json").read_text())
    report = check(tmp_path / "golden.npz")
    assert [array.name for array in report.arrays if not array.is_equal] == ["a2d_scores1", "tsvs_masks0"]
    assert check(tmp_path / "golden.npz", tolerance=0.1).arrays[3].is_equal
