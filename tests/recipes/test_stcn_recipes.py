import pytest

from deixis.propagators.stcn.config import SHAPES
from deixis.recipes import RECIPES
from deixis.training.following import build_propagator, check_following
from deixis.training.override import override

NAMES = ("stcn-stage0-coco", "stcn-stage2", "stcn-stage3", "stcn-tiny-synthetic")


@pytest.mark.parametrize("name", NAMES)
def test_recipes_fit_their_propagator(name: str):
    recipe = RECIPES[name]
    assert recipe.model in SHAPES
    check_following(recipe)


def test_published_numbers():
    stage, images = RECIPES["stcn-stage3"], RECIPES["stcn-stage0-coco"]
    assert (stage.steps, stage.schedule.milestones, stage.batch_size, stage.optim.lr) == (
        150_000,
        (125_000,),
        8,
        1e-5,
    )
    assert (images.steps, images.schedule.milestones, images.batch_size) == (300_000, (150_000,), 16)
    assert stage.hard_pixels.start * stage.steps == pytest.approx(20_000)
    assert images.hard_pixels.end * images.steps == pytest.approx(70_000)
    davis, youtube = (stage.sampling(source)[0] for source in stage.data)
    assert [jump for _, jump in davis.reaches] == [5, 10, 15, 20, 25, 5]
    assert [jump for _, jump in youtube.reaches] == [1, 2, 3, 4, 5, 1]


def test_the_tiny_network_is_small_enough_to_ship():
    propagator = build_propagator(override(RECIPES["stcn-tiny-synthetic"], {"init_from": ""}))
    assert 4 * sum(value.numel() for value in propagator.network.state_dict().values()) < 6e6
