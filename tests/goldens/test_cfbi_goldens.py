"""CFBI and CFBI+ against numbers recorded from the published architecture."""

from pathlib import Path

import pytest

from deixis.parity import check

GOLDENS = Path(__file__).parent / "cfbi"
SLOW = (
    "resnet101_cfbi",
    "propagation_mobilenet_cfbi",
    "propagation_resnet101_cfbi",
    "resnet101_cfbip",
    "propagation_resnet101_cfbip",
)


@pytest.mark.parametrize(
    "name",
    ["loss", "matching", "mobilenet_cfbi", *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW)],
)
def test_every_array_is_equal(name: str):
    report = check(GOLDENS / f"golden_{name}.npz")
    assert report.arrays
    assert report.is_equal, "\n".join(report.lines())
