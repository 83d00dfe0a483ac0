"""UniRef against numbers recorded from the published architecture."""

from pathlib import Path

import pytest

from deixis.parity import check

GOLDENS = Path(__file__).parent / "uniref"

slow = pytest.mark.slow


@pytest.mark.parametrize(
    "name",
    [
        "r50_loss",
        "ota_crowded",
        "r50_image",
        pytest.param("r50_train", marks=slow),
        pytest.param("r50_rvos", marks=slow),
        pytest.param("r50_vos", marks=slow),
        pytest.param("r50_pipeline", marks=slow),
        pytest.param("swin_l", marks=slow),
    ],
)
def test_every_array_is_equal(name: str):
    report = check(GOLDENS / f"golden_{name}.npz")
    assert report.arrays
    assert report.is_equal, "\n".join(report.lines())
