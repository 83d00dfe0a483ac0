"""Two results side by side."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from made_reports import made_report

from deixis.errors import DeixisError
from deixis.evaluation.reports.compare import bootstrap_interval, compare, load_result
from deixis.evaluation.reports.compare_tables import render_comparison, write_comparison
from deixis.evaluation.reports.write import write_report


def test_a_result_does_not_differ_from_itself():
    found = compare(made_report(), made_report())
    for difference in (*found.figures.values(), *found.kinds.values()):
        assert difference.difference == difference.low == difference.high == 0
        assert difference.num_better == difference.num_worse == 0
    assert found.extremes(5) == ([], []) and not found.notes


def test_a_shift_is_found_with_its_sign():
    found = compare(made_report(), made_report(shift=0.1, name="other"))
    for name in ("J&F", "J", "F"):
        difference = found.figures[name]
        np.testing.assert_allclose([difference.difference, difference.low, difference.high], 0.1, rtol=1e-9)
        assert (difference.num_rows, difference.num_better, difference.num_worse) == (12, 12, 0)
    back = compare(made_report(shift=0.1, name="other"), made_report())
    assert back.figures["J"].difference == pytest.approx(-0.1) and back.names == found.names[::-1]
    assert set(found.kinds) == {"appearance", "motion"} and found.kinds["appearance"].num_rows == 6


def test_pairs_go_by_name_whatever_the_order():
    first, second = made_report(), made_report(seed=1)
    turned = replace(second, rows=second.rows[::-1])
    assert compare(first, second) == compare(first, turned)


def test_what_only_one_has_is_left_out_and_said():
    first, second = made_report(num_videos=6), made_report(num_videos=4)
    found = compare(first, replace(second, data={"sha256": "other"}))
    assert found.figures["J"].num_rows == 8
    assert any("4 of 12 rows are in the first result only" in note for note in found.notes)
    assert any("truth" in note for note in found.notes)


def test_the_interval_is_seeded_and_of_videos():
    generator = np.random.default_rng(0)
    of_videos = generator.normal(size=30)
    differences, videos = np.repeat(of_videos, 10), [f"v{i}" for i in range(30) for _ in range(10)]
    low, high = bootstrap_interval(differences, videos, seed=3)
    assert (low, high) == bootstrap_interval(differences, videos, seed=3)
    assert (low, high) != bootstrap_interval(differences, videos, seed=4)
    error = of_videos.std() / np.sqrt(30)
    assert high - low == pytest.approx(2 * 1.96 * error, rel=0.15), (
        "as wide as 30 videos deserve, not 300 rows"
    )
    assert low < differences.mean() < high
    assert all(math.isnan(end) for end in bootstrap_interval(np.ones(3), ["v"] * 3, seed=0))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"benchmark": "other"}, "different benchmarks, made-up val and other val"),
        ({"protocol": {"name": "other"}}, "different protocols, made-up and other"),
        ({"rows": ()}, "share no row"),
    ],
)
def test_strangers_are_not_compared(change, message):
    with pytest.raises(DeixisError, match=message):
        compare(made_report(), replace(made_report(), **change))


def test_comparisons_are_written(tmp_path):
    for name, shift in (("a", 0.0), ("b", 0.05)):
        write_report(made_report(shift, name=name), tmp_path / name)
    found = compare(load_result(tmp_path / "a"), load_result(tmp_path / "b" / "report.json"))
    write_comparison(found, tmp_path / "out")
    text = (tmp_path / "out" / "comparison.md").read_text()
    assert text == render_comparison(found)
    assert "+5.0" in text and "rose most" in text and "fell most" not in text and "seed 0" in text
    plain = json.loads((tmp_path / "out" / "comparison.json").read_text())
    assert plain["figures"]["J"]["num_better"] == 12
    assert '<td class="number better">+5.0</td>' in (tmp_path / "out" / "comparison.html").read_text()
    with pytest.raises(DeixisError, match=r"holds no report\.json"):
        load_result(tmp_path)
