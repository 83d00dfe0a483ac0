import pytest

from deixis.models.hinet.config import SWITCHES, VARIANTS
from deixis.models.registry import find_variant
from deixis.recipes import RECIPES as OFFERED
from deixis.recipes import hinet, refvos
from deixis.training.optim import rate_factor


def test_published_numbers_of_hinet():
    """HINet, supplement, section 1."""
    for switch in SWITCHES:
        name = "hinet-resnet101" if switch == "full" else f"hinet-resnet101-{switch}"
        first = hinet.RECIPES[f"{name}-pretraining"]
        assert (first.batch_size, first.steps, first.epochs, first.optim.lr) == (24, 50_000, 0, 0.01)
        assert (first.optim.weight_decay, first.optim.clip_norm, first.precision) == (1e-4, 0.0, "fp16")
        assert VARIANTS[first.model].hardest_share == 1
        rows = {"davis16": (10, 1.0), "ref-davis17": (10, 1.0), "a2d-sentences": (20, 0.0)}
        for data, (epochs, clip_norm) in rows.items():
            recipe = hinet.RECIPES[f"{name}-{data}"]
            assert (recipe.batch_size, recipe.epochs, recipe.steps, recipe.optim.lr) == (8, epochs, 0, 1e-3)
            assert (recipe.optim.weight_decay, recipe.optim.clip_norm) == (1e-4, clip_norm)
            assert (recipe.schedule.kind, recipe.schedule.power) == ("poly", 0.9)
            assert (recipe.transforms.short_side, recipe.transforms.square) == (480, 480)
            assert (recipe.transforms.flip, recipe.init_from) == (0.0, f"runs/{first.name}/model")
            config = VARIANTS[recipe.model]
            assert (config.hardest_share, config.class_weights) == (0.15, (0.9, 1.1))


def test_published_numbers_of_refvos():
    """RefVOS, code and README."""
    first = refvos.RECIPES["refvos-resnet101-refcoco"]
    assert (first.batch_size, first.epochs, first.optim.lr, first.optim.weight_decay) == (6, 30, 0.01, 1e-4)
    assert (first.transforms.short_side, first.transforms.square, first.pad_multiple) == (416, 480, 480)
    for name, epochs, rate in (("ref-davis17", 20, 1e-3), ("a2d-sentences", 15, 0.1)):
        recipe = refvos.RECIPES[f"refvos-resnet101-{name}"]
        assert (recipe.batch_size, recipe.epochs, recipe.optim.lr) == (7, epochs, rate)
        assert recipe.optim.weight_decay == 1e-6


def test_recipes_name_models_and_begin_from_one_another():
    recipes = {**refvos.RECIPES, **hinet.RECIPES}
    for name, recipe in recipes.items():
        assert recipe.name == name
        find_variant(recipe.model)
        parent = recipe.init_from.removeprefix("runs/").partition("/")[0]
        assert not parent or parent in recipes


def test_they_are_offered_and_move_by_sgd_with_momentum():
    recipes = {**refvos.RECIPES, **hinet.RECIPES}
    assert recipes.items() <= OFFERED.items()
    for name, recipe in recipes.items():
        if "tiny" not in name:
            assert (recipe.optim.kind, recipe.optim.momentum, recipe.optim.decay_all) == ("sgd", 0.9, True)
            assert recipe.sync_batch_norm == name.startswith("hinet")


@pytest.mark.parametrize(
    ("name", "rates"),
    [
        ("refcoco-readme", {0: 0.01, 17: 0.0032, 18: 6e-3, 37: 1.25e-3, 38: 3e-5, 44: 3e-5}),
        ("ref-davis17", {0: 1e-3, 1: 9.9e-4, 19: 8.1e-4}),
        ("a2d-sentences", {0: 0.1, 1: 0.096, 14: 0.044}),
    ],
)
def test_rates_of_the_readme_of_refvos(name, rates):
    recipe = refvos.RECIPES[f"refvos-resnet101-{name}"]
    assert max(rates) < recipe.epochs
    for epoch, rate in rates.items():
        factor = rate_factor(recipe.schedule, epoch / recipe.epochs, epoch)
        assert recipe.optim.lr * factor == pytest.approx(rate)
