"""The command behind UniRef's tables of fusions and reference frames, with the shortest of runs."""

import json
import sys

import ablation
import numpy as np
import pytest
import uniref_ablation

from deixis.propagators.copying import CopyPropagator

SHORT = ["--seeds", "1", "--steps", "2", "--train-clips", "4", "--clips", "1", "--length", "4"]
SMALL = ["--threads", "1", "--device", "cpu", "--change", "num_workers=0", "precision=no"]


@pytest.fixture
def call(monkeypatch):
    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["uniref_ablation", *map(str, arguments)])
        uniref_ablation.main()

    return run


@pytest.fixture(scope="module")
def record():
    return ablation.with_length(uniref_ablation.find_records("val", 1), 5)[0]


@pytest.mark.slow
def test_both_tables_share_a_run(call, tmp_path, capsys, monkeypatch):
    trained, train = [], ablation.train
    monkeypatch.setattr(
        ablation, "train", lambda *given, **more: trained.append(given[1].name) or train(*given, **more)
    )
    rows = ["parallel-add", "mask-first-multiply"]
    call("--table", "fusion", "--out", tmp_path, "--rows", *rows, *SHORT, *SMALL)
    call("--table", "references", "--out", tmp_path, "--rows", "none", "both", *SHORT, *SMALL)
    assert trained == ["parallel-add-seed1", "mask-first-multiply-seed1"]

    fusion = json.loads((tmp_path / "fusion.json").read_text())["runs"]
    assert list(fusion) == rows
    config = json.loads((tmp_path / "mask-first-multiply-seed1" / "model" / "config.json").read_text())
    assert (config["config"]["order"], config["config"]["fusion"]) == ("mask-first", "multiply")
    references = json.loads((tmp_path / "references.json").read_text())["runs"]
    assert references["both"]["1"]["RVOS J&F"] == fusion["parallel-add"]["1"]["J&F"]
    assert "VOS J&F" in references["both"]["1"]
    assert "VOS J&F" not in references["none"]["1"]
    assert "| none | 1 | 2 | - | - | - |" in capsys.readouterr().out


def test_objects_of_the_first_frame_are_asked_for_in_all_others(record):
    asked = uniref_ablation.only_objects(record)
    assert asked.annotated_frames == (1, 2, 3, 4)
    seen = record.masks.read([0], record.object_ids)[:, 0].any(axis=(1, 2))
    assert [item.object_ids[0] for item in asked.expressions] == list(np.array(record.object_ids)[seen])


def test_masks_of_the_first_frame_are_given(record):
    asked = uniref_ablation.only_objects(record)
    found = list(uniref_ablation.follow_with(CopyPropagator())(asked, []))
    given = record.masks.read([0], [item.object_ids[0] for item in asked.expressions])[:, 0]
    assert len(found) == 5
    assert all((masks == given).all() for masks in found)


def test_what_cannot_be_is_said(call, tmp_path, capsys):
    with pytest.raises(SystemExit):
        call("--table", "references", "--out", tmp_path, "--rows", "second", *SHORT)
    assert "second is none of none, first, previous, both" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        call("--table", "fusion", "--out", tmp_path, "--trained", tmp_path, *SHORT)
    assert "--trained goes with --table references" in capsys.readouterr().err


def test_a_table_has_means_spreads_and_gaps():
    runs = {"a": {"1": {"J": 1.0, "steps": 4}, "2": {"J": 3.0, "steps": 6}}, "b": {"1": {"steps": 1_000}}}
    assert ablation.render_table(runs, ["J"], "row").splitlines()[2:] == [
        "| a | 2 | 5 | 2.0 ± 1.4 |",
        "| b | 1 | 1,000 | - |",
    ]
