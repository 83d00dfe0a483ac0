import json
from pathlib import Path

import numpy as np
import pytest

from deixis.metrics.statistics import decay_bins, summarise

GOLDEN = json.loads((Path(__file__).parents[1] / "goldens" / "metrics" / "edge_cases.json").read_text())


def golden_sequence(length: int) -> np.ndarray:
    slope = np.linspace(1.1, 0.4, length) if length > 1 else np.array([1.1])
    return np.round(0.5 + 0.45 * np.sin(0.37 * np.arange(length)) * slope, 6)


@pytest.mark.parametrize("length", GOLDEN["statistics"])
def test_statistics_of_the_official_code(length):
    expected = GOLDEN["statistics"][length]
    found = summarise(golden_sequence(int(length)))
    assert found.mean == pytest.approx(expected["mean"], abs=1e-8)
    assert found.recall == pytest.approx(expected["recall"], abs=1e-8)
    assert found.decay == pytest.approx(expected["decay_without_uint8_overflow"], abs=1e-8)
    edges = [decay_bins(int(length))[0].start, *(part.stop - 1 for part in decay_bins(int(length)))]
    assert edges == expected["bin_edges"]


@pytest.mark.parametrize("length", GOLDEN["statistics"])
def test_the_published_decay_and_its_overflow(length):
    expected = GOLDEN["statistics"][length]
    found = summarise(golden_sequence(int(length)), decay_in_8_bits=True)
    if expected["decay_official"] is None:
        assert np.isnan(found.decay)
    else:
        assert found.decay == pytest.approx(expected["decay_official"], abs=1e-8)
    starts = [part.start for part in decay_bins(int(length), in_8_bits=True)]
    assert starts == expected["bin_edges_official_uint8"][:4]


def test_frames_without_a_score_fail_the_recall_only():
    expected = GOLDEN["statistics_with_nan"]
    found = summarise(np.array([np.nan if value is None else value for value in expected["values"]]))
    assert (found.mean, found.recall, found.decay) == pytest.approx(
        (expected["mean"], expected["recall"], expected["decay"]), abs=1e-12
    )


def test_recall_is_strict_and_nothing_is_refused():
    assert summarise(np.array([0.5, 0.5])).recall == 0
    assert np.isnan(summarise(np.array([np.nan])).mean)
    for wrong in (np.zeros(0), np.zeros((2, 2))):
        with pytest.raises(ValueError, match="at least one frame"):
            summarise(wrong)
