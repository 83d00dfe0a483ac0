"""Tiny variants of HINet train on rendered clips, with motion and with expressions that nothing answers."""

import json

import pytest
import torch

from deixis.models.loading import load
from deixis.recipes import RECIPES
from deixis.synthetic.benchmark import records
from deixis.synthetic.write import export
from deixis.training.loop import train
from deixis.training.override import override

SMALL = {
    "data.num_clips": 4,
    "clip.expressions_per_clip": 4,
    "batch_size": 2,
    "num_workers": 0,
    "log_every": 1,
}


@pytest.mark.parametrize("switch", ["single-level", "full"])
def test_a_tiny_variant_trains_to_a_model_that_loads(switch, tmp_path):
    recipe = override(RECIPES[f"hinet-tiny-{switch}"], {**SMALL, "steps": 2, "precision": "no"})
    folder = train(recipe, tmp_path / "run", device="cpu", show_progress=False)
    lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert [line["terms"].keys() for line in lines] == [{"loss_hardest"}] * 2
    model = load(folder, device="cpu")
    assert model.config.inputs.wants_flow == (switch == "full")
    if switch == "full":
        # Zero before training, so that motion had no say: it has one after a step.
        stem, gates = model.get_submodule("flow_stem"), model.get_submodule("motion_gates.gates")
        assert torch.as_tensor(stem.weight).any()
        assert all(parameter.any() for parameter in gates.parameters())


@pytest.mark.parametrize(
    ("name", "data", "switch"),
    [
        ("hinet-resnet101-davis16", "davis16", "full"),
        ("hinet-resnet101-pretraining", "ref-youtube-vos", "gate-flow"),
        ("refvos-resnet101-ref-davis17", "ref-davis17", "single-level"),
    ],
)
def test_published_recipes_run_on_data_on_disk(name, data, switch, tmp_path):
    """All of them but the size of the network, of the frames and of the batch."""
    export(records("train", 2), tmp_path / "data", data, "train")
    changes = {
        "model": f"hinet-tiny-{switch}",
        "data.root": str(tmp_path / "data"),
        "data.cache": "",
        "transforms.short_side": 64,
        "transforms.square": 64,
        "pad_multiple": 32,
        "batch_size": 2,
        "init_from": "",
        "precision": "no",
        "num_workers": 0,
        "log_every": 1,
        "steps": 2,
    }
    train(override(RECIPES[name], changes), tmp_path / "run", device="cpu", show_progress=False)
    lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2]
    assert all(0 < line["loss"] < 10 and line["gradient_norm"] > 0 for line in lines)
