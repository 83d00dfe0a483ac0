"""Videos shared by processes: nothing is left out, nothing done twice, nothing different."""

import json
import os

import numpy as np
import pytest

from deixis.cli import main
from deixis.errors import DatasetError, DeixisError
from deixis.evaluation.protocols.table import PROTOCOLS
from deixis.evaluation.spreading import spread


def work(item: int) -> tuple[int, int]:
    if item == 13:
        raise DatasetError("unlucky")
    if item == 17:
        os._exit(3)
    return item * item, os.getpid()


def test_each_item_is_worked_on_once_by_its_process():
    found = list(spread([work, work], range(7)))
    assert sorted(place for place, _ in found) == list(range(7))
    assert all(square == place**2 for place, (square, _) in found)
    owners = {pid: {place for place, (_, one) in found if one == pid} for _, (_, pid) in found}
    assert sorted(map(sorted, owners.values())) == [[0, 2, 4, 6], [1, 3, 5]]
    assert os.getpid() not in owners


def test_one_work_stays_in_this_process():
    assert list(spread([work], [2, 3])) == [(0, (4, os.getpid())), (1, (9, os.getpid()))]


@pytest.mark.parametrize(("item", "message"), [(13, "unlucky"), (17, "status 3 before its work was done")])
def test_errors_and_deaths_come_through(item, message):
    with pytest.raises(DeixisError, match=message):
        list(spread([work, work], [1, 2, item]))


def test_a_model_in_two_processes_gives_the_same_rows(tmp_path, capsys):
    arguments = ["evaluate", "synthetic", "--num-clips", "3", "--device", "cpu", "--out"]
    main([*arguments, str(tmp_path / "one")])
    main([*arguments, str(tmp_path / "two"), "--workers", "2"])
    one, two = (json.loads((tmp_path / name / "result.json").read_text()) for name in ("one", "two"))
    assert one["protocol"]["name"] == "per-expression-present" not in PROTOCOLS, "absent ones count elsewhere"
    assert len(one["rows"]) > 3
    assert [(row["video"], row["expression"]) for row in one["rows"]] == [
        (row["video"], row["expression"]) for row in two["rows"]
    ]
    for first, second in zip(one["rows"], two["rows"], strict=True):
        np.testing.assert_allclose(first["region_frames"], second["region_frames"], atol=1e-6)
    assert one["figures"]["region"] == pytest.approx(two["figures"]["region"], abs=1e-9)
    ledger = (tmp_path / "two" / "rows.jsonl").read_text().splitlines()
    assert len(ledger) == 1 + 3, "resumable by video, as with one process"
    # Taken up again, nothing is left to do.
    main([*arguments, str(tmp_path / "two"), "--workers", "2"])
    assert (tmp_path / "two" / "rows.jsonl").read_text().splitlines() == ledger
