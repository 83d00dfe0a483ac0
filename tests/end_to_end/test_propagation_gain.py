"""The command that scores models with and without propagation."""

import json
import sys

import propagation_gain
import pytest

SHORT = ["--clips", "2", "--length", "5", "--split", "val", "--threads", "1", "--device", "cpu"]


@pytest.fixture
def call(monkeypatch):
    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["propagation_gain", *map(str, arguments)])
        propagation_gain.main()

    return run


def test_pairs_are_scored_once_and_compared(call, tmp_path, capsys, monkeypatch):
    call("--out", tmp_path, "--models", "motion-baseline", "--propagators", "copy", *SHORT)
    first = json.loads((tmp_path / "gain.json").read_text())["rows"]
    assert [row["propagator"] for row in first] == ["none", "copy"]
    change = first[1]["J&F"] - first[0]["J&F"]
    assert first[1]["difference of J&F"] == pytest.approx(change)
    low, high = first[1]["95% interval"]
    assert low <= change <= high

    scored, score = [], propagation_gain.score
    monkeypatch.setattr(
        propagation_gain, "score", lambda *given, **more: scored.append(given[3]) or score(*given, **more)
    )
    call("--out", tmp_path, "--models", "motion-baseline", "--propagators", "copy", "translation", *SHORT)
    assert [folder.name for folder in scored] == ["translation"]
    second = json.loads((tmp_path / "gain.json").read_text())["rows"]
    assert second[:2] == first
    assert "| motion-baseline | translation |" in capsys.readouterr().out


def test_frames_of_a_record_stay_in_order(tmp_path):
    record = propagation_gain.with_length(propagation_gain.find_records("val", 1), 5)[0]
    frames = propagation_gain.RecordFrames(record)
    assert len(frames) == 5
    expected = record.frames.read([3])[0]
    assert (frames[3].permute(1, 2, 0).numpy() == expected).all()


def test_other_settings_are_not_mixed_in(call, tmp_path):
    call("--out", tmp_path, "--models", "motion-baseline", "--propagators", "copy", *SHORT, "--clips", "1")
    with pytest.raises(SystemExit, match="holds runs with another clips"):
        call("--out", tmp_path, "--models", "motion-baseline", *SHORT)
