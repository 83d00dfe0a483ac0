"""The published trainings of STCN, and ours of its tiny variant. No torch here.

Source: the training code of Cheng, Tai and Tang (NeurIPS 2021), as propagation, section 1.10, has it. Each
stage starts from the weights of the one before, its optimiser anew; the file of ResNet-50 on ImageNet is left
to the command line (``init_parts.key_encoder``), as are the ``data.N.root``. Not kept: the code's thin-plate
warps of stage 0, changes of colours by hundredths, ResNet-18's weights on ImageNet for the value encoder,
and Adam's own weight decay (here decoupled; it is 1e-7).
"""

from dataclasses import replace

from deixis.data.rules import ClipRule, RandomCrop, Transforms
from deixis.data.samplings import SAMPLINGS
from deixis.training.recipe import DataSource, HardPixels, Optim, Recipe, Schedule

STAGE3 = Recipe(
    name="stcn-stage3",
    model="stcn",
    data=(
        DataSource(name="davis17", weight=5, sampling="stcn-video"),  # code: 5 x DAVIS-17
        DataSource(name="youtube-vos-2019", sampling="stcn-youtube-vos"),
    ),
    clip=SAMPLINGS["stcn-video"].clip,
    transforms=SAMPLINGS["stcn-video"].transforms,
    mixing="concatenated",
    batch_size=8,  # code: 2 GPUs x 4
    hard_pixels=HardPixels(start=20 / 150, end=70 / 150, share=0.15),  # code: iterations 20,000 to 70,000
    optim=Optim(lr=1e-5, weight_decay=1e-7, decay_all=True),
    schedule=Schedule(kind="multi-step", milestones=(125_000,), factor=0.1),
    steps=150_000,
    precision="fp16",
    num_workers=8,
    init_from="runs/stcn-stage0-coco/model",
)
"""Videos, after still images ("s03")."""

STAGE2 = replace(
    STAGE3,
    name="stcn-stage2",
    hard_pixels=HardPixels(start=20 / 300, end=70 / 300, share=0.15),
    schedule=Schedule(kind="multi-step", milestones=(250_000,), factor=0.1),
    steps=300_000,
    init_from="",
)
"""Videos, after stage 1 ("s012"), whose rendered set BL30K has no reader here: name its weights."""

STAGE0_COCO = replace(
    STAGE3,
    name="stcn-stage0-coco",
    data=(DataSource(name="coco", sampling="stcn-image"),),
    clip=SAMPLINGS["stcn-image"].clip,
    transforms=SAMPLINGS["stcn-image"].transforms,
    mixing="weighted",
    batch_size=16,  # code: 2 GPUs x 8
    hard_pixels=HardPixels(start=20 / 300, end=70 / 300, share=0.15),
    schedule=Schedule(kind="multi-step", milestones=(150_000,), factor=0.1),
    steps=300_000,
    init_from="",
)
"""Still images: those of COCO, in the place of the five published sets, which have no reader here."""

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

RECIPES: dict[str, Recipe] = {recipe.name: recipe for recipe in (STAGE0_COCO, STAGE2, STAGE3, TINY_SYNTHETIC)}
"""Name -> recipe."""
