"""Two processes with half of each batch give the weights of one with the whole."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn
from toy import ToyModel, save_toy, toy_recipe, toy_sources

from deixis.layers.norm import BatchNorm1d, BatchNorm2d
from deixis.training.loop import train
from deixis.training.recipe import Optim

RECIPE = toy_recipe(
    steps=6,
    checkpoint_steps=3,
    ema=0.5,
    optim=Optim(kind="sgd", lr=0.05, momentum=0.9, clip_norm=1.0),
    sync_batch_norm=True,
)


class NormedToy(ToyModel):
    """With norms over the frames of all clips and over all expressions."""

    def __init__(self) -> None:
        super().__init__(dropout=0.0)
        self.backbone = nn.Sequential(self.backbone, BatchNorm2d(16))
        self.head = nn.Sequential(self.head, BatchNorm1d(16))


def start(out: Path) -> Path:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = NormedToy()
    return train(
        RECIPE,
        out,
        model=model,
        sources=toy_sources(RECIPE),
        device="cpu",
        show_progress=False,
        save=save_toy,
    )


def launch(out: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    launcher = [
        "-m",
        "torch.distributed.run",
        "--nproc-per-node=2",
        "--master-addr=127.0.0.1",
        f"--master-port={port}",
    ]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    finished = subprocess.run(
        [sys.executable, *launcher, __file__, str(out)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr[-3000:]


def test_two_processes_give_the_weights_and_losses_of_one(tmp_path):
    import json

    launch(tmp_path / "two")
    start(tmp_path / "one")
    one, two = (load_file(tmp_path / name / "model" / "weights.safetensors") for name in ("one", "two"))
    for name, tensor in one.items():
        torch.testing.assert_close(two[name], tensor, rtol=1e-4, atol=1e-6)
    logs = [
        [json.loads(line) for line in (tmp_path / name / "log.jsonl").read_text().splitlines()]
        for name in ("one", "two")
    ]
    assert len(logs[0]) == len(logs[1]) == 6
    for first, second in zip(*logs, strict=True):
        for name, value in first["terms"].items():
            assert abs(second["terms"][name] - value) < 1e-4 * max(1, abs(value))
        assert abs(second["gradient_norm"] - first["gradient_norm"]) < 1e-3
    newest = tmp_path / "two" / "checkpoints" / "00000006"
    assert sorted(path.name for path in newest.iterdir()) == ["process_0.pt", "process_1.pt", "state.pt"]


if __name__ == "__main__":
    start(Path(sys.argv[1]))
