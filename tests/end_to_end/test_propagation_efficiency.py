"""The command that measures speed and memory of propagators against the number of frames."""

import json
import sys
from dataclasses import replace

import propagation_efficiency
import pytest
import torch
from PIL import Image

from deixis.propagators.stcn.config import VARIANTS
from deixis.propagators.stcn.memory import Rows

SHORT = ["--size", "64x96", "--threads", "1"]


@pytest.fixture
def call(monkeypatch):
    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["propagation_efficiency", *map(str, arguments)])
        propagation_efficiency.main()

    return run


def test_curves_are_measured_once(call, tmp_path, capsys, monkeypatch):
    call("--out", tmp_path, "--models", "stcn-tiny-synthetic", "--frames", 2, 7, *SHORT)
    curve = json.loads((tmp_path / "efficiency.json").read_text())["curves"]["stcn-tiny-synthetic"]
    assert [point["frame"] for point in curve] == [2, 3, 4, 5, 6, 7]
    # Every 5th frame is remembered: the first and the sixth.
    assert [point["remembered"] for point in curve] == [1, 1, 1, 1, 2, 2]
    assert curve[-1]["state_mib"] > curve[0]["state_mib"]
    assert all(point["now"] > 0 for point in curve)
    assert "| stcn-tiny-synthetic | 7 |" in capsys.readouterr().out
    with Image.open(tmp_path / "efficiency.png") as picture:
        assert len(picture.getcolors()) > 3

    monkeypatch.setattr(propagation_efficiency.subprocess, "Popen", None)
    call("--out", tmp_path, "--models", "stcn-tiny-synthetic", "--frames", 3, *SHORT)
    with pytest.raises(SystemExit, match="choose another --out"):
        call("--out", tmp_path, "--models", "stcn-tiny-synthetic", "--frames", 3, *SHORT, "--objects", 2)


@pytest.mark.parametrize("model", ["uniref-tiny-synthetic", "stcn-tiny-synthetic-bounded"])
def test_states_of_constant_size_stay_so(model, monkeypatch):
    if model in VARIANTS:
        monkeypatch.setitem(VARIANTS, model, replace(VARIANTS[model], max_frames=1))
    scene, given = propagation_efficiency.video(16, (64, 96), 1)
    propagator = propagation_efficiency.make_propagator(model, "", "cpu")
    state, sizes = propagator.start(), []
    for index, frame in enumerate(propagation_efficiency.frames(scene, 16)):
        _, state = propagator.step(frame, state, given if index == 0 else None)
        sizes.append(propagation_efficiency.num_bytes(state))
        expected = 1 + (index > 0 if model.startswith("uniref") else index >= 5)
        assert propagation_efficiency.num_remembered(state) == expected
    assert sizes[10] == sizes[15]


def test_bytes_of_a_state_are_counted_once():
    shared = torch.zeros(8)
    rows = Rows(torch.zeros(4, 2)).with_more(torch.zeros(1, 2))
    state = {"a": shared, "b": [shared[:2], shared], "c": (rows, "word", None)}
    assert propagation_efficiency.num_bytes(state) == 4 * 8 + 4 * 16


@pytest.mark.parametrize(
    ("value", "expected"), [(0.7, 0.8), (1, 1), (13, 16), (20.9, 24), (4800, 5000), (0, 0.001)]
)
def test_axes_end_at_short_numbers(value, expected):
    assert propagation_efficiency.round_up(value) == pytest.approx(expected)
