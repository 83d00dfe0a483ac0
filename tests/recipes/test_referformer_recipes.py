from deixis.recipes import RECIPES


def test_published_numbers():
    """ReferFormer, code: the scripts; issues 7 and 19 for the pretraining."""
    rows = {
        "referformer-resnet50-refcoco": (1, 64, 12, (8, 10), 5e-4),
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
        assert (recipe.precision, recipe.seed) == ("no", 42)


def test_every_backbone_of_the_ablation_has_its_recipes():
    for suffix in ("refcoco", "ref-youtube-vos", "ref-youtube-vos-scratch"):
        names = [name for name in RECIPES if name.startswith("referformer-") and name.endswith(f"-{suffix}")]
        assert len(names) == 9
