import json

import torch

from deixis.models.loading import load
from deixis.recipes import RECIPES
from deixis.structures import Clip
from deixis.training.loop import train
from deixis.training.override import override


def test_the_tiny_recipe_trains_from_rendering_to_a_model_that_loads(tmp_path):
    recipe = override(
        RECIPES["mttr-tiny-synthetic"],
        {
            "data.num_clips": 3,
            "data.cache": str(tmp_path / "cache"),
            "init_from": "",
            "clip.length": 3,
            "clip.predicted_frames": 2,
            "batch_size": 2,
            "steps": 3,
            "time_limit": 0,
            "log_every": 1,
        },
    )
    out = tmp_path / "run"
    folder = train(recipe, out, device="cpu", show_progress=False)
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    assert len(lines) == 3
    assert all(line["loss"] > 0 for line in lines)
    model = load(folder, device="cpu")
    assert model.tokenizer is not None
    assert model.tokenizer.definition == (out / "tokenizer.json").read_text()
    clip = Clip(torch.zeros(1, 3, 3, 64, 96), torch.zeros(1, 3, 64, 96, dtype=torch.bool))
    with torch.no_grad():
        output = model(model.encode_video(clip), model.encode_text(model.tokenizer(["the red car"])))
        assert model.postprocess(output).scores.isfinite().all()
    assert len(list((tmp_path / "cache").iterdir())) == 1


def test_uniref_learns_from_words_and_masks_in_turns(tmp_path):
    changes = {"steps": 3, "time_limit": 0, "log_every": 1, "num_workers": 0, "precision": "no"}
    changes |= {f"data.{index}.num_clips": 4 for index in range(2)}
    out = tmp_path / "run"
    recipe = override(RECIPES["uniref-tiny-synthetic"], changes)
    folder = train(recipe, out, device="cpu", show_progress=False)
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    assert all(line["loss"] > 0 for line in lines)
    model = load(folder, device="cpu")
    video = model.encode_video(
        Clip(torch.zeros(1, 1, 3, 64, 96), torch.zeros(1, 1, 64, 96, dtype=torch.bool))
    )
    text = model.encode_text(model.tokenizer(["the red car"]))
    shown = model.encode_masks(video, torch.ones(1, 64, 96, dtype=torch.bool))
    with torch.no_grad():
        assert model.postprocess(model(video, text, masks=shown)).scores.isfinite().all()
