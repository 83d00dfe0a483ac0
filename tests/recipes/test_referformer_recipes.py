from deixis.data.categories import class_names
from deixis.models.registry import find_variant
from deixis.recipes import RECIPES
from deixis.training.following import is_propagator


def test_published_numbers():
    """ReferFormer, code: the scripts; issues 7 and 19 for the pretraining."""
    rows = {
        "referformer-resnet50-refcoco": (1, 64, 12, (8, 10), 5e-4),
        "referformer-swin-l-joint": (5, 32, 12, (8, 10), 5e-4),
        "referformer-resnet50-ref-youtube-vos": (5, 8, 6, (3, 5), 5e-4),
        "referformer-swin-l-ref-youtube-vos-scratch": (5, 8, 10, (6, 8), 5e-4),
        "referformer-video-swin-b-a2d": (5, 16, 6, (3, 5), 5e-4),
        "referformer-video-swin-t-a2d-scratch": (6, 8, 12, (8, 10), 1e-4),
    }
    for name, (length, batch_size, epochs, milestones, weight_decay) in rows.items():
        recipe = RECIPES[name]
        assert (recipe.clip.length, recipe.batch_size, recipe.epochs) == (length, batch_size, epochs)
        assert (recipe.schedule.milestones, recipe.schedule.factor) == (milestones, 0.1)
        assert recipe.optim.weight_decay == weight_decay
        assert recipe.optim.lr == 1e-4 and recipe.optim.clip_norm == 0.1
        assert recipe.optim.groups == {"backbone": 5e-5, "text_encoder": 1e-5, "text_pooler": 1e-5}
        assert (recipe.precision, recipe.seed, recipe.pad_multiple) == ("no", 42, 32)


def test_every_backbone_of_the_ablation_has_its_recipes():
    for suffix in ("refcoco", "ref-youtube-vos", "ref-youtube-vos-scratch", "joint", "a2d"):
        names = [name for name in RECIPES if name.startswith("referformer-") and name.endswith(f"-{suffix}")]
        assert len(names) == 9


def test_stages_start_from_the_stage_before_with_fresh_class_heads():
    for stage in ("ref-youtube-vos", "a2d"):
        recipe = RECIPES[f"referformer-video-swin-b-{stage}"]
        assert recipe.init_from == "runs/referformer-video-swin-b-refcoco/model"
        assert recipe.init_fresh == ("class_heads",)
    for name in (
        "swin-t-refcoco",
        "swin-t-joint",
        "swin-t-ref-youtube-vos-scratch",
        "video-swin-t-a2d-scratch",
    ):
        recipe = RECIPES[f"referformer-{name}"]
        assert (recipe.init_from, recipe.init_fresh) == ("", ())


def test_joint_training_draws_from_all_clips_alike():
    recipe = RECIPES["referformer-resnet50-joint"]
    assert recipe.mixing == "concatenated"
    rules = [recipe.sampling(source) for source in recipe.data]
    assert [source.name for source in recipe.data] == ["refcoco", "refcoco+", "refcocog", "ref-youtube-vos"]
    assert [clip.kind for clip, _ in rules] == ["image"] * 3 + ["local-global"]
    assert [change.pseudo_video for _, change in rules] == [True] * 3 + [False]
    assert {clip.length for clip, _ in rules} == {5}
    assert all(change.photometric == "referformer" for _, change in rules)


def test_class_discriminative_heads_get_labels():
    for name, recipe in RECIPES.items():
        if is_propagator(recipe.model):
            continue
        family, config = find_variant(recipe.model)
        if family == "hinet_tiny":  # has a network for them, in the place of heads
            continue
        num_classes = getattr(config, "num_classes", 1)
        classes = recipe.clip.classes
        assert num_classes == (len(class_names(classes)) if classes else 1), name
