import json
import subprocess
import sys
from dataclasses import replace

import pytest
from toy import toy_recipe

from deixis.configuration import to_plain
from deixis.errors import RecipeError
from deixis.recipes import RECIPES
from deixis.training.override import differences, field_names, override
from deixis.training.recipe import ClipRule, DataSource, Optim, Schedule, Transforms, recipe_from_plain


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: toy_recipe(name=""), "name is empty"),
        (lambda: toy_recipe(model=""), "model is empty"),
        (lambda: toy_recipe(data=()), "data is empty"),
        (lambda: toy_recipe(batch_size=0), "batch_size must be 1 or more, got 0"),
        (lambda: toy_recipe(accumulation=3), "batch_size .4. must be a multiple of accumulation .3."),
        (lambda: toy_recipe(steps=0), "either steps or epochs"),
        (lambda: toy_recipe(epochs=2), "either steps or epochs"),
        (lambda: toy_recipe(precision="fp8"), "unknown precision 'fp8'; did you mean fp16"),
        (lambda: toy_recipe(ema=1.0), "ema must lie in"),
        (lambda: toy_recipe(seed=-1), "seed must be 0 or more"),
        (lambda: toy_recipe(num_workers=-1), "num_workers must be 0 or more"),
        (lambda: toy_recipe(time_limit=-1.0), "time_limit must be 0 or more"),
        (lambda: toy_recipe(log_every=0), "log_every must be 1 or more"),
        (lambda: toy_recipe(keep_checkpoints=0), "keep_checkpoints must be 1 or more"),
        (lambda: toy_recipe(seed="1"), "seed must be a whole number, got '1'"),
        (lambda: toy_recipe(channels_last=1), "channels_last must be true or false, got 1"),
        (lambda: toy_recipe(optim=3), "optim must hold fields of its own, got 3"),
        (lambda: DataSource(name="x", split="valid"), "data.split must be train, val or test, got 'valid'"),
        (lambda: DataSource(name="x", weight=0), "data.weight must be above 0"),
        (lambda: ClipRule(kind="middle"), "unknown clip.kind 'middle'"),
        (lambda: ClipRule(length=0), "clip.length must be 1 or more"),
        (lambda: ClipRule(length=4, predicted_frames=5), "clip.predicted_frames"),
        (lambda: Transforms(short_side=700), "short_side <= transforms.long_side, got 700 and 640"),
        (lambda: Transforms(flip=1.5), "transforms.flip is a probability"),
        (lambda: Transforms(swap_words="letters"), "unknown transforms.swap_words"),
        (lambda: Optim(lr=0), "optim.lr must be above 0"),
        (lambda: Optim(groups={"backbone": 0.0}), "optim.groups.backbone must be above 0"),
        (lambda: Optim(betas=(0.9, 1.0)), "optim.betas must lie in"),
        (lambda: Schedule(kind="multi-step"), "schedule.milestones is empty"),
        (lambda: Schedule(milestones=(3, 2)), "schedule.milestones must rise"),
        (lambda: Optim(kind="adam"), "unknown optim.kind 'adam'; did you mean adamw"),
        (lambda: Optim(momentum=1.0), "optim.momentum must lie in"),
        (lambda: Schedule(kind="falling"), "schedule.phases belong to schedule.kind falling, got 0"),
        (lambda: Schedule(phases=((1, 0.1, 0),)), "schedule.phases belong to .* got 1 and constant"),
        (
            lambda: Schedule(kind="falling", phases=((0.1, 0.1, 0.2),)),
            "a first rate, a fall and a last rate, got .0.1, 0.1, 0.2.",
        ),
        (
            lambda: Schedule(kind="falling", phases=((1, 0, 0.5), (0.5, 0, 0.5))),
            "schedule.phases must fall, but for the last one",
        ),
        (lambda: toy_recipe(sync_batch_norm=1), "sync_batch_norm must be true or false, got 1"),
        (lambda: Schedule(warmup=1.0), "schedule.warmup is a share"),
    ],
)
def test_impossible_values_are_refused_in_one_line(build, message):
    with pytest.raises(RecipeError, match=message) as raised:
        build()
    assert "\n" not in str(raised.value)


def test_overrides_read_strings_as_the_type_of_the_field():
    recipe = override(
        toy_recipe(),
        {
            "optim.lr": "5e-5",
            "optim.groups.backbone": "1e-6",
            "optim.betas": "0.8,0.9",
            "channels-last": "yes",
            "clip.length": "3",
            "data.0.root": "/data",
            "schedule.kind": "poly",
            "optim.frozen": "text_encoder",
        },
    )
    assert recipe.optim.lr == 5e-5
    assert recipe.optim.groups == {"text_encoder": 2e-2, "backbone": 1e-6}
    assert recipe.optim.betas == (0.8, 0.9)
    assert recipe.channels_last is True
    assert recipe.clip.length == 3
    assert recipe.data[0].root == "/data"
    assert recipe.schedule.kind == "poly"
    assert recipe.optim.frozen == ("text_encoder",)


def test_naming_epochs_drops_steps():
    recipe = override(toy_recipe(steps=12), {"epochs": 3})
    assert (recipe.steps, recipe.epochs) == (0, 3)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("optim.lrr", 1, "unknown recipe field 'optim.lrr'; did you mean optim.lr"),
        ("batchsize", 1, "did you mean batch_size"),
        ("optim.lr", "fast", "optim.lr must be a finite number, got 'fast'"),
        ("optim.lr", "nan", "optim.lr must be a finite number"),
        ("batch_size", "2.5", "batch_size must be a whole number"),
        ("channels_last", "maybe", "channels_last must be true or false"),
        ("data.1.root", "/data", "the recipe has 1 data sources"),
        ("steps", "-3", "steps and epochs must be 0 or more"),
    ],
)
def test_bad_overrides_are_refused_in_one_line(name, value, message):
    with pytest.raises(RecipeError, match=message) as raised:
        override(toy_recipe(), {name: value})
    assert "\n" not in str(raised.value)


def test_every_field_can_be_overridden_with_its_own_value():
    for recipe in RECIPES.values():
        plain = to_plain(recipe)
        for name in field_names():
            value = plain
            for part in name.split("."):
                value = value[0][part] if isinstance(value, list) else value[part]
            if name in ("steps", "epochs") and not value:
                continue
            assert override(recipe, {name: value}) == recipe, name


@pytest.mark.parametrize("recipe", [*RECIPES.values(), toy_recipe()], ids=lambda recipe: recipe.name)
def test_a_recipe_survives_json(recipe):
    assert recipe_from_plain(json.loads(json.dumps(to_plain(recipe)))) == recipe


def test_a_recipe_file_with_an_unknown_field_offers_the_closest():
    plain = to_plain(toy_recipe()) | {"batchsize": 3}
    with pytest.raises(RecipeError, match="no field 'batchsize'; the closest is 'batch_size'"):
        recipe_from_plain(plain)


def test_differences_ignore_what_a_resumed_run_may_change():
    recipe = toy_recipe()
    assert differences(recipe, replace(recipe, num_workers=3, log_every=7, time_limit=1.0)) == []
    other = replace(recipe, seed=9, clip=replace(recipe.clip, length=2))
    assert differences(recipe, other) == ["clip.length", "seed"]


def test_recipes_load_without_torch():
    code = "import sys, deixis.recipes, deixis.cli.train; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
