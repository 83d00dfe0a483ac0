from pathlib import Path

import pytest
import torch

from deixis.errors import CheckpointError
from deixis.inference.record import describe_run
from deixis.inference.segmenter import Segmenter
from deixis.propagators.copying import CopyPropagator
from deixis.propagators.stcn.config import StcnConfig
from deixis.propagators.weights import fill_network, save_network
from stand_ins import ColourModel


def test_a_propagator_by_name_needs_its_weights():
    with pytest.raises(CheckpointError, match="--propagator-checkpoint"):
        Segmenter(ColourModel(), propagator="stcn", device="cpu")
    with pytest.raises(ValueError, match="name one"):
        Segmenter(ColourModel(), propagator_checkpoint="stcn.pth", device="cpu")
    with pytest.raises(CheckpointError, match="has no weights"):
        Segmenter(ColourModel(), propagator="copy", propagator_checkpoint="stcn.pth", device="cpu")


def test_the_record_says_which_weights():
    propagator = CopyPropagator()
    propagator.network, propagator.config = torch.nn.Linear(2, 2), StcnConfig(top_k=3)
    found = describe_run(Segmenter(ColourModel(), propagator=propagator, device="cpu"), ["red"])
    assert found["propagator"] == "CopyPropagator" and len(found["propagator_weights"]) == 64
    assert found["propagator_config"]["top_k"] == 3


def test_weights_go_to_disk_and_come_back(tmp_path: Path):
    network, other = torch.nn.Linear(3, 2), torch.nn.Linear(3, 2)
    path = save_network(network, tmp_path / "weights.safetensors")
    fill_network(other, path, lambda published: ({}, list(published)))
    assert torch.equal(network.weight, other.weight)
    torch.save({"state_dict": {f"published.{key}": value for key, value in network.state_dict().items()}},
               tmp_path / "published.pth")  # fmt: skip
    fill_network(other, tmp_path / "published.pth", lambda names: (
        {key.removeprefix("published."): value for key, value in names.items()}, []))  # fmt: skip
    with pytest.raises(CheckpointError, match="unexpected"):
        fill_network(torch.nn.Linear(3, 2, bias=False), path, lambda published: ({}, list(published)))
