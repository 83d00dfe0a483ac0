import json
import math
from dataclasses import replace
from itertools import count
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file
from toy import ToyModel, save_toy, toy_recipe, toy_sources

from deixis.errors import RecipeError, TrainingError
from deixis.training.loop import train
from deixis.training.recipe import Optim, Schedule


def run(recipe, out, **arguments):
    torch.manual_seed(0)
    model = arguments.pop("model", None) or ToyModel()
    return train(
        recipe,
        out,
        model=model,
        sources=toy_sources(recipe),
        device="cpu",
        show_progress=False,
        save=save_toy,
        **arguments,
    )


def log_of(out):
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


def test_the_loss_falls_and_the_log_tells_it(tmp_path):
    recipe = toy_recipe(steps=60, log_every=10)
    result = run(recipe, tmp_path)
    lines = log_of(tmp_path)
    assert [line["step"] for line in lines] == [10, 20, 30, 40, 50, 60]
    assert lines[-1]["loss"] < 0.6 * lines[0]["loss"]
    for line in lines:
        assert line["loss"] == pytest.approx(sum(line["terms"].values()))
        assert set(line["terms"]) == {"loss_mask", "loss_presence"}
        assert line["lr"]["text_encoder"] == pytest.approx(2 * line["lr"]["rest"])
        assert line["gradient_norm"] > 0
    assert lines[-1]["progress"] == 1
    assert (result / "weights.safetensors").is_file()
    assert len(list((tmp_path / "checkpoints").iterdir())) == recipe.keep_checkpoints
    assert list((tmp_path / "tensorboard").iterdir())


def test_parts_of_a_batch_give_the_weights_of_the_whole(tmp_path):
    weights = []
    for parts in (1, 2, 4):
        recipe = toy_recipe(accumulation=parts, steps=6)
        result = run(recipe, tmp_path / str(parts), model=seeded_model())
        weights.append(load_file(result / "weights.safetensors"))
    for other in weights[1:]:
        for name, tensor in weights[0].items():
            torch.testing.assert_close(other[name], tensor, rtol=1e-4, atol=1e-6)


def seeded_model():
    torch.manual_seed(3)
    return ToyModel(dropout=0.0)


def test_a_loss_that_is_not_finite_stops_the_run_with_its_step_and_terms(tmp_path):
    class Breaking(ToyModel):
        calls = 0

        def criterion(self, output, targets, num_masks=None):
            terms = super().criterion(output, targets, num_masks)
            self.calls += 1
            return terms | {"loss_mask": terms["loss_mask"] * (math.nan if self.calls == 3 else 1)}

    with pytest.raises(TrainingError, match="not finite at step 3: loss_mask = nan"):
        run(toy_recipe(), tmp_path, model=Breaking())
    assert log_of(tmp_path)[-1]["step"] == 2


def test_bfloat16_and_channels_last_train_on_the_cpu(tmp_path):
    recipe = toy_recipe(precision="bf16", channels_last=True, steps=40, log_every=10)
    run(recipe, tmp_path)
    lines = log_of(tmp_path)
    assert lines[-1]["loss"] < lines[0]["loss"]


def test_float16_without_a_gpu_is_refused(tmp_path):
    with pytest.raises(RecipeError, match="precision fp16 needs a GPU; use bf16 or no"):
        run(toy_recipe(precision="fp16"), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_validation_sees_averaged_weights_and_leaves_the_model_in_training(tmp_path):
    seen = []

    def validate(model):
        assert not model.training
        seen.append(model.head.weight.detach().clone())
        return {"j": 0.5}

    model = ToyModel()
    result = run(toy_recipe(ema=0.5, validate_every=6), tmp_path, model=model, validate=validate)
    lines = [line for line in log_of(tmp_path) if "validation" in line]
    assert [(line["step"], line["validation"]) for line in lines] == [(6, {"j": 0.5}), (12, {"j": 0.5})]
    saved = load_file(result / "weights.safetensors")
    torch.testing.assert_close(saved["head.weight"], seen[-1])
    assert not torch.equal(model.head.weight, seen[-1])
    assert model.training


def test_a_time_limit_ends_the_run_and_drives_the_schedule(tmp_path, monkeypatch):
    ticks = count()  # a clock of its own: each look at it takes a tenth of a second
    clock = SimpleNamespace(monotonic=lambda: next(ticks) / 10)
    monkeypatch.setattr("deixis.training.run.time", clock)
    recipe = toy_recipe(
        steps=10**6, time_limit=2 / 60, schedule=Schedule(kind="cosine"), log_every=1, checkpoint_steps=0
    )
    run(recipe, tmp_path)
    lines = log_of(tmp_path)
    assert 2 <= lines[-1]["seconds"] < 2.2
    assert lines[-1]["step"] == round(10 * lines[-1]["seconds"])
    rates = [line["lr"]["rest"] for line in lines]
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] < 0.3 * recipe.optim.lr


def test_epochs_count_passes_over_the_clips(tmp_path):
    recipe = toy_recipe(
        steps=0, epochs=2, schedule=Schedule(kind="multi-step", milestones=(1,), factor=0.5), batch_size=4
    )
    run(recipe, tmp_path)
    rates = [line["lr"]["rest"] for line in log_of(tmp_path)]
    assert rates == [1e-2] * 3 + [5e-3] * 3  # 12 clips in batches of 4


def test_a_finished_run_is_not_trained_again(tmp_path):
    recipe = toy_recipe()
    run(recipe, tmp_path)
    before = (tmp_path / "log.jsonl").read_text()
    run(recipe, tmp_path)
    assert (tmp_path / "log.jsonl").read_text() == before


def test_another_recipe_in_the_same_folder_is_refused_unless_started_anew(tmp_path):
    recipe = toy_recipe(steps=3)
    run(recipe, tmp_path)
    other = replace(recipe, optim=Optim(lr=1e-3))
    with pytest.raises(RecipeError, match=r"started with another optim.clip_norm and \d more"):
        run(other, tmp_path)
    (tmp_path / "note.txt").write_text("mine")
    run(other, tmp_path, resume=False)
    assert log_of(tmp_path)[-1]["lr"]["rest"] < 1.1e-3
    assert (tmp_path / "note.txt").read_text() == "mine"


def test_loading_processes_change_nothing(tmp_path):
    recipe = toy_recipe(steps=4)
    run(recipe, tmp_path / "one")
    run(replace(recipe, num_workers=1), tmp_path / "two")
    assert [line["loss"] for line in log_of(tmp_path / "one")] == [
        line["loss"] for line in log_of(tmp_path / "two")
    ]
