"""The command that trains and compares HINet's variants, with the shortest of runs."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest
from PIL import Image

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "hinet_ablation.py"
SHORT = ["--steps", "2", "--train-clips", "4", "--clips", "2", "--pictures", "2", "--device", "cpu"]
SMALL = ["--change", "num_workers=0", "batch_size=2", "clip.expressions_per_clip=2", "precision=no"]


@pytest.fixture(scope="module")
def ablation():
    spec = importlib.util.spec_from_file_location("hinet_ablation", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def call(ablation, monkeypatch):
    def run(*arguments):
        monkeypatch.setattr(sys, "argv", [SCRIPT.name, *map(str, arguments)])
        ablation.main()

    return run


@pytest.mark.slow
def test_runs_are_done_once_and_compared(call, tmp_path, capsys, monkeypatch, ablation):
    out = tmp_path / "out"
    call("--out", out, "--variants", "static", "full", "--seeds", 1, *SHORT, *SMALL)
    first = json.loads((out / "ablation.json").read_text())["runs"]
    assert list(first) == ["static", "full"]
    assert first["full"]["1"]["steps"] == 2
    assert 0 <= first["full"]["1"]["J&F"] <= 100
    height = 2 * (128 + ablation.HEADER + ablation.GAP) + ablation.HEADER
    with Image.open(out / "ablation.png") as picture:
        assert picture.size == (4 * 192 + 3 * ablation.GAP, height)
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
