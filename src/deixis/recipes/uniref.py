"""Trainings of UniRef and UniRef++, and of our tiny variant. No torch here."""

from dataclasses import replace

from deixis.training.recipe import DataSource, Optim, Recipe, Schedule

TINY_FRESH = (
    "projections",
    "text_projection",
    "mask_encoder",
    "fusion",
    "level_embedding",
    "encoder.0",
    "proposals",
    "queries",
    "decoder",
    "class_heads",
    "box_heads",
    "mask_head",
    "controller",
)
"""All but the backbone and the text encoder."""

TINY_SYNTHETIC = Recipe(
    name="uniref-tiny-synthetic",
    model="uniref-tiny-synthetic",
    data=(
        DataSource(name="synthetic", weight=0.6, sampling="uniref-tiny-video"),
        DataSource(name="synthetic", weight=0.4, sampling="uniref-tiny-vos"),
    ),
    run_length=4,
    pad_multiple=32,
    batch_size=4,
    optim=Optim(
        lr=1e-3,
        groups={"backbone": 3e-4, "text_encoder": 3e-4},
        weight_decay=0.01,
        decay_all=False,
        clip_norm=1.0,
    ),
    schedule=Schedule(kind="cosine", warmup=0.02, final=0.01),
    steps=20_000,
    time_limit=25.0,
    precision="bf16",
    channels_last=True,
    seed=1,
    num_workers=1,
    checkpoint_every=4.0,
    ema=0.995,
    log_every=20,
    init_from="mttr-tiny-synthetic",
    init_fresh=TINY_FRESH,
)
"""Words, masks, and both, in turns. The towers of vision and text know concepts already: they are those of
the tiny MTTR that ships inside the package."""

TINY_FUSIONS = tuple(
    replace(TINY_SYNTHETIC, name=f"uniref-tiny-synthetic-{kind}", model=f"uniref-tiny-synthetic-{kind}")
    for kind in ("multiply", "mask-first", "language-first")
)

RECIPES: dict[str, Recipe] = {recipe.name: recipe for recipe in (TINY_SYNTHETIC, *TINY_FUSIONS)}
"""Name -> recipe."""
