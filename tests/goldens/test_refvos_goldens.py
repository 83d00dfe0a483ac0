"""RefVOS against numbers recorded from the published architecture."""

from pathlib import Path

import pytest

from deixis.parity import check

GOLDENS = Path(__file__).parent / "refvos"


@pytest.mark.parametrize("name", ["loss", "postprocess", pytest.param("resnet101", marks=pytest.mark.slow)])
def test_every_array_is_equal(name: str):
    report = check(GOLDENS / f"golden_{name}.npz")
    assert report.arrays
    assert report.is_equal, "\n".join(report.lines())
