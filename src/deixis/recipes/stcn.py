"""The trainings of STCN: ours of its tiny variant. No torch here."""

from deixis.data.rules import ClipRule, RandomCrop, Transforms
from deixis.training.recipe import DataSource, HardPixels, Optim, Recipe, Schedule

TINY_SYNTHETIC = Recipe(
    name="stcn-tiny-synthetic",
    model="stcn-tiny-synthetic",
    data=(DataSource(name="synthetic"), DataSource(name="synthetic-wild")),
    clip=ClipRule(
        kind="jumps", length=3, reach=3, has_words=False, objects_per_clip=2, objects="referred", redraws=4
    ),
    transforms=Transforms(
        short_side=128,
        long_side=228,
        flip=0.5,
        colour_jitter=0.1,
        crop=RandomCrop(probability=0.5, before=(), smallest=110, largest=426),
    ),
    run_length=4,
    batch_size=4,
    hard_pixels=HardPixels(start=0.15, end=0.5, share=0.25),
    optim=Optim(lr=1e-3, weight_decay=0.01, decay_all=False, clip_norm=1.0),
    schedule=Schedule(kind="cosine", final=0.01, warmup=0.05),
    steps=20_000,
    time_limit=25.0,
    precision="bf16",
    channels_last=True,
    seed=1,
    num_workers=1,
    ema=0.99,
)
"""Two worlds that are rendered, less than half an hour."""

RECIPES: dict[str, Recipe] = {TINY_SYNTHETIC.name: TINY_SYNTHETIC}
"""Name -> recipe."""
