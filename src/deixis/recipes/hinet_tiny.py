"""The training of hinet-tiny, the default. No torch here.

Everything is rendered (the wild world of ``synthetic.wild``); optical flow is estimated on the rendered
frames, as it will be on real ones, since its errors are a part of what the network must know. The numbers are
ours; where they follow a prototype, its specification says why (sim to real, sections 4 and 5).
"""

from dataclasses import replace

from deixis.data.rules import ClipRule, RandomCrop, Transforms
from deixis.training.recipe import DataSource, Optim, Recipe, Schedule

HINET_TINY = Recipe(
    name="hinet-tiny",
    model="hinet-tiny",
    data=(DataSource(name="synthetic-wild"),),
    # "Everything that moves" is the one expression: sentences are read by rules, not learned.
    clip=ClipRule(kind="random", length=3, kinds=("movers",), classes="things"),
    transforms=Transforms(
        short_side=240,
        long_side=426,
        flip=0.5,
        colour_jitter=0.1,
        crop=RandomCrop(probability=0.5, before=(), smallest=140, largest=426),
    ),
    batch_size=8,
    optim=Optim(lr=2e-3, weight_decay=0.01, decay_all=False, clip_norm=2.0, frozen=("silhouettes",)),
    schedule=Schedule(kind="cosine", final=0.01, warmup=0.03),
    steps=20_000,
    time_limit=46.0,
    precision="bf16",
    channels_last=True,
    seed=1,
    num_workers=1,
    ema=0.99,
)
"""What moves: three quarters of an hour on two CPU cores, rendering included."""

SILHOUETTES = replace(
    HINET_TINY,
    name="hinet-tiny-silhouettes",
    transforms=Transforms(short_side=240, long_side=426, flip=0.0),
    batch_size=16,
    optim=Optim(lr=2e-3, weight_decay=0.02, decay_all=False, clip_norm=2.0, frozen=("network",)),
    time_limit=20.0,
    precision="no",
    seed=2,
    init_from="runs/hinet-tiny/model",
)
"""What things are, by their true outlines and by those that are found: twenty minutes more."""

FINISH = replace(
    SILHOUETTES,
    name="hinet-tiny-finish",
    optim=replace(SILHOUETTES.optim, lr=1.5e-3),
    time_limit=25.0,
    seed=3,
    init_from="runs/hinet-tiny-silhouettes/model",
)
"""The same again, on other clips."""

RECIPES: dict[str, Recipe] = {recipe.name: recipe for recipe in (HINET_TINY, SILHOUETTES, FINISH)}
"""Name -> recipe."""
