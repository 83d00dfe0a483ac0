"""ReferFormer against numbers recorded from the published architecture."""

from pathlib import Path

import pytest

from deixis.parity import check

GOLDENS = Path(__file__).parent / "referformer"

slow = pytest.mark.slow


@pytest.mark.parametrize(
    "name",
    [
        "ops",
        "post",
        "loss_binary",
        "loss_class65",
        "resnet50_b",
        pytest.param("resnet50_a", marks=slow),
        pytest.param("swin_t_p4w7_a", marks=slow),
        pytest.param("swin_t_p4w7_b", marks=slow),
        pytest.param("video_swin_t_p4w7_a", marks=slow),
        pytest.param("video_swin_t_p4w7_b", marks=slow),
        pytest.param("video_swin_t_p4w7_c", marks=slow),
    ],
)
def test_every_array_is_equal(name: str):
    report = check(GOLDENS / f"golden_{name}.npz")
    assert report.arrays
    assert report.is_equal, "\n".join(report.lines())
