from deixis.models.registry import find_variant
from deixis.recipes import RECIPES
from deixis.training.following import is_propagator


def test_every_recipe_names_a_model_or_a_propagator():
    for recipe in RECIPES.values():
        if not is_propagator(recipe.model):
            find_variant(recipe.model)


def test_published_numbers():
    """MTTR, code: configurations and documentation."""
    a2d, youtube = RECIPES["mttr-a2d-w8"], RECIPES["mttr-ref-youtube-vos-w12"]
    for recipe in (a2d, youtube):
        assert recipe.optim.lr == 1e-4
        assert recipe.optim.groups == {"backbone": 1e-5, "text_encoder": 5e-5}
        assert (recipe.optim.weight_decay, recipe.optim.decay_all) == (1e-4, True)
        assert recipe.optim.clip_norm == 0.1
        assert (recipe.precision, recipe.seed) == ("fp16", 42)
    assert (a2d.clip.length, a2d.batch_size, a2d.epochs) == (8, 6, 70)
    assert (a2d.schedule.milestones, a2d.schedule.factor) == ((50,), 0.4)
    assert (a2d.transforms.short_side, a2d.transforms.long_side) == (320, 576)
    assert (youtube.clip.length, youtube.batch_size, youtube.epochs) == (12, 4, 30)
    assert (youtube.schedule.milestones, youtube.schedule.factor) == ((20,), 0.4)
    assert (youtube.transforms.short_side, youtube.transforms.long_side) == (360, 640)
    assert RECIPES["mttr-a2d-w10"].clip.length == 10
    assert RECIPES["mttr-ref-youtube-vos-w8"].batch_size == 8


def test_faults_of_the_published_code_are_options():
    published = RECIPES["mttr-ref-youtube-vos-w12-published"]
    assert published.schedule.kind == "published-mttr"
    assert published.transforms.swap_words == "published-substring"
