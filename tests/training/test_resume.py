"""A run that is killed at any moment goes on as if it had never stopped, to the last bit."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from toy import ToyModel, save_toy, toy_recipe, toy_sources

from deixis.errors import CheckpointError
from deixis.training.checkpoint import list_checkpoints, load_checkpoint, random_state, restore_random_state
from deixis.training.loop import train
from deixis.training.recipe import Optim

RECIPE = toy_recipe(steps=12, checkpoint_steps=5, ema=0.9, log_every=1, validate_every=1)
SGD = replace(RECIPE, optim=Optim(kind="sgd", lr=0.02, momentum=0.9, clip_norm=1.0))

SCRIPT = """
import os, signal, sys, time
from dataclasses import replace
from pathlib import Path
import torch
torch.set_num_threads(1)
sys.path.insert(0, {tests!r})
from test_resume import RECIPE, start
out, action, at = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
steps = 0

def act(model):
    global steps
    steps += 1
    if action == "kill" and steps == at:
        os.kill(os.getpid(), signal.SIGKILL)
    if action == "wait" and steps == at:
        (out / "ready").touch()
        while not (out / "go").exists():
            time.sleep(0.01)
    return {{}}

print(start(out, act, replace(RECIPE, num_workers=int(sys.argv[4]))))
"""


def start(out: Path, validate=lambda model: {}, recipe=RECIPE) -> Path:
    torch.manual_seed(0)
    return train(
        recipe,
        out,
        model=ToyModel(),
        sources=toy_sources(recipe),
        validate=validate,
        device="cpu",
        show_progress=False,
        save=save_toy,
    )


def losses(out: Path) -> list[tuple[int, dict, float]]:
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    return [(line["step"], line["terms"], line["gradient_norm"]) for line in lines if "terms" in line]


def launch(out: Path, action: str, step: int, num_workers: int = 0) -> subprocess.Popen:
    """Start a run in a group of processes of its own."""
    script = SCRIPT.format(tests=str(Path(__file__).parent))
    arguments = [str(out), action, str(step), str(num_workers)]
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments], stdout=subprocess.PIPE, text=True, start_new_session=True
    )


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("unbroken")
    start(out)
    return out


def assert_same_run(out: Path, unbroken: Path) -> None:
    assert losses(out) == losses(unbroken)
    ours, theirs = (load_file(folder / "model" / "weights.safetensors") for folder in (out, unbroken))
    assert ours.keys() == theirs.keys()
    for name, tensor in ours.items():
        assert torch.equal(tensor, theirs[name]), name


def test_after_sigkill_the_losses_and_weights_equal_the_unbroken_run(tmp_path, unbroken):
    process = launch(tmp_path, "kill", 8)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert [path.name for path in list_checkpoints(tmp_path / "checkpoints")] == ["00000005"]
    assert losses(tmp_path)[-1][0] == 8
    assert not (tmp_path / "model").exists()
    start(tmp_path)
    assert_same_run(tmp_path, unbroken)


@pytest.mark.parametrize("num_workers", [0, 1])
def test_sigterm_saves_and_exits_cleanly(tmp_path, unbroken, num_workers: int):
    process = launch(tmp_path, "wait", 7, num_workers)
    deadline = time.monotonic() + 60
    while not (tmp_path / "ready").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGTERM)  # as a terminal or a scheduler sends it: to all of the group
    (tmp_path / "go").touch()
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    # The signal comes after step 7: step 8 is the last one.
    assert output.strip().endswith("checkpoints/00000008")
    assert not (tmp_path / "model").exists()
    start(tmp_path)
    assert_same_run(tmp_path, unbroken)


def test_a_kill_while_a_checkpoint_is_written_leaves_the_earlier_one(tmp_path, unbroken, monkeypatch):
    real, calls = torch.save, []

    def save(value, path):
        calls.append(path)
        if len(calls) == 4:  # the second checkpoint's shared state
            Path(path).write_bytes(b"half")
            raise KeyboardInterrupt
        real(value, path)

    monkeypatch.setattr(torch, "save", save)
    with pytest.raises(KeyboardInterrupt):
        start(tmp_path)
    monkeypatch.undo()
    assert [path.name for path in list_checkpoints(tmp_path / "checkpoints")] == ["00000005"]
    assert (tmp_path / "checkpoints" / "00000010.partial").is_dir()
    start(tmp_path)
    assert not (tmp_path / "checkpoints" / "00000010.partial").exists()
    assert_same_run(tmp_path, unbroken)


def test_momentum_goes_on_too(tmp_path):
    def stop(model):
        steps.append(model)
        if len(steps) == 8:
            raise KeyboardInterrupt
        return {}

    steps: list[ToyModel] = []
    start(tmp_path / "unbroken", recipe=SGD)
    with pytest.raises(KeyboardInterrupt):
        start(tmp_path / "broken", stop, recipe=SGD)
    start(tmp_path / "broken", recipe=SGD)
    assert_same_run(tmp_path / "broken", tmp_path / "unbroken")


def test_a_damaged_checkpoint_is_named(tmp_path):
    folder = tmp_path / "00000001"
    folder.mkdir()
    (folder / "state.pt").write_bytes(b"not a checkpoint")
    with pytest.raises(CheckpointError, match=r"state\.pt cannot be read"):
        load_checkpoint(folder)


def test_a_checkpoint_with_code_in_it_is_refused_and_not_run(tmp_path):
    class Code:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "harm"),)

    folder = tmp_path / "00000001"
    folder.mkdir()
    torch.save({"model": Code()}, folder / "state.pt")
    with pytest.raises(CheckpointError, match=r"state\.pt cannot be read"):
        load_checkpoint(folder)
    assert not (tmp_path / "harm").exists()


def test_random_states_survive_a_file(tmp_path):
    import random

    import numpy as np

    def draw():
        return random.random(), np.random.rand(), random.gauss(0, 1), np.random.randn(), torch.rand(1).item()

    draw()
    torch.save(random_state(), tmp_path / "state.pt")
    first = draw()
    restore_random_state(torch.load(tmp_path / "state.pt", weights_only=True))
    assert draw() == first
