import pytest

from deixis.models.registry import find_variant
from deixis.recipes import RECIPES

ROWS = {
    # name: model, GPUs, rate, steps, milestone, text encoder is trained
    "uniref-resnet50-visual-genome": ("uniref-resnet50-boxes", 32, 2e-4, 90_000, 80_000, True),
    "uniref-resnet50-refcoco": ("uniref-resnet50-images", 16, 1e-4, 90_000, 80_000, True),
    "uniref-resnet50-videos": ("uniref-resnet50", 16, 1e-4, 90_000, 80_000, False),
    "uniref-plus-swin-l-coco-refcoco": ("uniref-plus-swin-l-images", 16, 2e-4, 90_000, 75_000, True),
    "uniref-plus-swin-l-videos": ("uniref-plus-swin-l", 16, 1e-4, 90_000, 75_000, False),
}
"""UniRef, supplement, table 1; UniRef++, code."""


@pytest.mark.parametrize("name", ROWS)
def test_published_numbers(name: str):
    recipe = RECIPES[name]
    model, gpus, rate, steps, milestone, is_trained = ROWS[name]
    assert recipe.model == model
    assert (recipe.batch_size, recipe.run_length, recipe.pad_multiple) == (2 * gpus, 2, 32)
    assert (recipe.optim.lr, recipe.optim.weight_decay, recipe.optim.clip_norm) == (rate, 0.05, 0.1)
    assert recipe.optim.groups == {
        "backbone": pytest.approx(rate / 10),
        "text_encoder": 1e-5,
        "offsets": pytest.approx(rate / 10),
    }
    assert recipe.steps == steps
    assert (recipe.schedule.milestones, recipe.schedule.factor) == ((milestone,), 0.1)
    _, config = find_variant(model)
    assert config.is_text_encoder_frozen != is_trained
    assert config.has_region_losses != is_trained  # video stage
    assert config.is_taught_by_boxes == name.endswith("visual-genome")


def test_stages_start_from_the_stage_before():
    for backbone in ("resnet50", "swin-l"):
        first, second, third = (
            RECIPES[f"uniref-{backbone}-{data}"] for data in ("visual-genome", "refcoco", "videos")
        )
        assert first.init_from == ""
        assert second.init_from == f"runs/{first.name}/model"
        assert third.init_from == f"runs/{second.name}/model"
        images, examples, videos = (
            RECIPES[f"uniref-plus-{backbone}-{data}"] for data in ("coco-refcoco", "fss", "videos")
        )
        assert (images.init_from, examples.init_from) == ("", f"runs/{images.name}/model")
        assert videos.init_from == f"runs/{examples.name}/model"


@pytest.mark.parametrize("backbone", ["resnet50", "swin-l"])
def test_the_stage_with_examples(backbone: str):
    """UniRef++, code: second stage on images."""
    recipe = RECIPES[f"uniref-plus-{backbone}-fss"]
    before = RECIPES[f"uniref-plus-{backbone}-coco-refcoco"]
    assert (recipe.model, recipe.batch_size, recipe.run_length) == (f"uniref-plus-{backbone}-images", 32, 2)
    assert (recipe.steps, recipe.schedule.kind, recipe.optim.lr) == (30_000, "constant", 2e-5)
    assert (recipe.optim.weight_decay, recipe.optim.clip_norm) == (0.05, 0.1)
    assert recipe.optim.groups == {
        "backbone": pytest.approx(2e-6),
        "text_encoder": 1e-5,
        "offsets": pytest.approx(2e-6),
    }
    assert recipe.data[:-1] == before.data
    last = recipe.data[-1]
    assert (last.name, last.weight, last.split) == ("fss-1000", 0.05, "train")
    rule, change = recipe.sampling(last)
    assert (rule.kind, rule.has_words, rule.length) == ("example-pair", False, 2)
    assert change.per_frame and change.flip == 0.5
    assert change.short_sides == (320, 352, 392, 416, 448, 480, 512, 544, 576, 608, 640)
    assert (change.long_side, change.size_rule) == (768, "round")
    crop = change.crop
    assert (crop.probability, crop.before, crop.smallest, crop.largest) == (0.5, (400, 500, 600), 384, 600)


def test_what_is_shown_in_the_stages_on_videos():
    """UniRef++, code: words alone on images with words, masks as well in six of ten clips of videos."""
    recipe = RECIPES["uniref-plus-resnet50-videos"]
    shown = {source.name: recipe.sampling(source)[0] for source in recipe.data}
    assert {name for name, rule in shown.items() if not rule.has_words} == {
        "coco",
        "youtube-vos-2019",
        "lvos",
        "ovis",
    }
    assert shown["ref-youtube-vos"].mask_share == 0.6
    assert shown["refcoco"].mask_share == 0
    assert all(rule.length == 2 for rule in shown.values())


def test_all_objects_of_images_are_found_besides_in_the_code():
    recipe = RECIPES["uniref-plus-resnet50-coco-refcoco"]
    weights = {source.name: source.weight for source in recipe.data}
    assert weights["coco"] == pytest.approx(
        sum(weights[name] for name in ("refcoco", "refcoco+", "refcocog"))
    )
    rules = {source.name: recipe.sampling(source)[0] for source in recipe.data}
    assert (rules["coco"].objects, rules["coco"].has_words) == ("all", False)


def test_a_turn_of_the_tiny_recipe_is_a_batch():
    """One task a step: its clips have the same references."""
    recipe = RECIPES["uniref-tiny-synthetic"]
    assert recipe.run_length == recipe.batch_size
