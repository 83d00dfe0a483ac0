"""HINet's loss, motion map, merging and schedule against recorded numbers."""

from pathlib import Path

from deixis.parity import check


def test_every_array_is_equal():
    report = check(Path(__file__).parent / "hinet" / "golden_units.npz")
    assert len(report.arrays) == 12
    assert report.is_equal, "\n".join(report.lines())
