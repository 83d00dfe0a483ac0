"""The command that trains and compares HINet's variants, with the shortest of runs."""

import json
import sys

import ablation
import hinet_ablation
import pytest
from PIL import Image

SHORT = ["--steps", "2", "--train-clips", "4", "--clips", "2", "--pictures", "2", "--device", "cpu"]
SMALL = ["--change", "num_workers=0", "batch_size=2", "clip.expressions_per_clip=2", "precision=no"]


@pytest.fixture
def call(monkeypatch):
    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["hinet_ablation", *map(str, arguments)])
        hinet_ablation.main()

    return run


@pytest.mark.slow
def test_runs_are_done_once_and_compared(call, tmp_path, capsys, monkeypatch):
    out = tmp_path / "out"
    call("--out", out, "--variants", "static", "full", "--seeds", 1, *SHORT, *SMALL)
    first = json.loads((out / "ablation.json").read_text())["runs"]
    assert list(first) == ["static", "full"]
    assert first["full"]["1"]["steps"] == 2
    assert 0 <= first["full"]["1"]["J&F"] <= 100
    height = 2 * (128 + hinet_ablation.HEADER + hinet_ablation.GAP) + hinet_ablation.HEADER
    with Image.open(out / "ablation.png") as picture:
        assert picture.size == (4 * 192 + 3 * hinet_ablation.GAP, height)
    capsys.readouterr()

    trained, train = [], ablation.train
    monkeypatch.setattr(
        ablation, "train", lambda *given, **more: trained.append(given) or train(*given, **more)
    )
    call("--out", out, "--variants", "static", "--seeds", 1, 2, *SHORT, *SMALL)
    assert [folder.name for _, folder in trained] == ["static-seed2"]
    second = json.loads((out / "ablation.json").read_text())["runs"]
    assert second["full"] == first["full"]
    assert second["static"]["1"] == first["static"]["1"]
    table = capsys.readouterr().out
    assert "| static | 2 | 2 |" in table
    assert "±" in table


def test_other_settings_are_not_mixed_in(call, tmp_path):
    (tmp_path / "settings.json").write_text(json.dumps({"steps": 3}))
    with pytest.raises(SystemExit, match="holds runs with another steps, minutes"):
        call("--out", tmp_path, *SHORT)
    with pytest.raises(SystemExit, match=r"--change: unknown recipe field 'optim\.rl'"):
        call("--out", tmp_path / "new", *SHORT, "--change", "optim.rl=3")
