"""The published trainings of MTTR, and ours of its tiny variant. No torch here.

Sources: "paper" is Botach et al., End-to-End Referring Video Object Segmentation with Multimodal Transformers
(CVPR 2022) with its supplement; "code" are its three published configurations and the training code. Where
they differ the code is followed, because the published results are the code's; the paper's choice stands
beside it.
"""

from dataclasses import replace

from deixis.training.recipe import ClipRule, DataSource, Optim, Recipe, Schedule, Transforms

OPTIM = Optim(
    lr=1e-4,  # paper and code
    groups={
        "backbone": 1e-5,  # code, all three configurations; paper: 5e-5
        "text_encoder": 5e-5,  # code; empty while the text encoder is frozen, as it is in all three
    },
    weight_decay=1e-4,  # code: of all parameters, norms and biases included
    decay_all=True,
    betas=(0.9, 0.999),  # code: the defaults of AdamW
    clip_norm=0.1,  # code: global norm, after unscaling
)

A2D_W8 = Recipe(
    name="mttr-a2d-w8",
    model="mttr-video-swin-t-a2d",
    data=(DataSource(name="a2d-sentences", cache="runs/cache"),),
    clip=ClipRule(kind="around-annotated", length=8),  # paper, supplement; code: floor(w / 2) frames before
    transforms=Transforms(
        short_side=320,  # code, training and evaluation
        long_side=576,
        flip=0.5,  # code; the paper names it
        swap_words="whole-word",  # code: by substring, which spoils "bright": "published-substring"
    ),
    batch_size=6,  # code's documentation: 3 GPUs x 2
    optim=OPTIM,
    schedule=Schedule(kind="multi-step", milestones=(50,), factor=0.4),  # code
    epochs=70,  # paper and code
    precision="fp16",  # code: autocast with loss scaling
    seed=42,  # code, plus the rank of the process
    num_workers=8,  # code
)

A2D_W10 = replace(A2D_W8, name="mttr-a2d-w10", clip=replace(A2D_W8.clip, length=10))  # 2 GPUs x 3

REF_YOUTUBE_VOS_W12 = Recipe(
    name="mttr-ref-youtube-vos-w12",
    model="mttr-video-swin-t",
    data=(DataSource(name="ref-youtube-vos", cache="runs/cache"),),
    clip=ClipRule(kind="tiling", length=12),  # paper, supplement
    transforms=Transforms(short_side=360, long_side=640, flip=0.5),  # code
    batch_size=4,  # code's documentation: 4 GPUs x 1
    optim=OPTIM,
    # Paper: times 0.4 after epoch 20. The published code steps its scheduler with the loss, so that rates
    # fall after the first epoch; the published checkpoint was made so: schedule kind "published-mttr".
    schedule=Schedule(kind="multi-step", milestones=(20,), factor=0.4),
    epochs=30,  # paper and code
    precision="fp16",
    seed=42,
    num_workers=4,  # code
)

REF_YOUTUBE_VOS_W8 = replace(
    REF_YOUTUBE_VOS_W12,
    name="mttr-ref-youtube-vos-w8",
    clip=replace(REF_YOUTUBE_VOS_W12.clip, length=8),
    batch_size=8,  # code's documentation: 8 GPUs x 1
)

REF_YOUTUBE_VOS_W12_PUBLISHED = replace(
    REF_YOUTUBE_VOS_W12,
    name="mttr-ref-youtube-vos-w12-published",
    transforms=replace(REF_YOUTUBE_VOS_W12.transforms, swap_words="published-substring"),
    schedule=Schedule(kind="published-mttr", factor=0.4),
)
"""With the faults of the published training code, which made the published checkpoint."""

TINY_SYNTHETIC_LOOKS = Recipe(
    name="mttr-tiny-synthetic-looks",
    model="mttr-tiny-synthetic",
    data=(DataSource(name="synthetic"),),
    clip=ClipRule(kind="random", length=2, predicted_frames=1, kinds=("appearance", "location")),
    concepts=80,
    batch_size=32,
    optim=Optim(lr=1e-3, weight_decay=0.01, decay_all=False, clip_norm=1.0),
    schedule=Schedule(kind="cosine", warmup=0.02, final=0.05),
    steps=20_000,
    time_limit=15.0,
    precision="bf16",
    channels_last=True,
    seed=1,
    num_workers=1,
    checkpoint_every=4.0,
    ema=0.99,
    log_every=20,
)
"""First part of the model that ships: how things look and where they are, from two frames of many clips."""

TINY_SYNTHETIC_CONCEPTS = replace(
    TINY_SYNTHETIC_LOOKS,
    name="mttr-tiny-synthetic-concepts",
    clip=ClipRule(kind="random", length=16, predicted_frames=2, kinds=("appearance", "motion", "location")),
    batch_size=8,
    time_limit=40.0,
    init_from="runs/mttr-tiny-synthetic-looks/model",
)
"""Second part: how things move, from whole clips."""

TINY_SYNTHETIC = replace(
    TINY_SYNTHETIC_LOOKS,
    name="mttr-tiny-synthetic",
    clip=ClipRule(kind="random", length=16, predicted_frames=1, expressions_per_clip=8),
    transforms=Transforms(short_side=128, long_side=192, flip=0.5, colour_jitter=0.05),
    concepts=0,
    batch_size=12,
    optim=replace(TINY_SYNTHETIC_LOOKS.optim, frozen=("backbone",)),
    schedule=Schedule(kind="cosine", warmup=0.02, final=0.01),
    time_limit=40.0,
    ema=0.998,
    init_from="runs/mttr-tiny-synthetic-concepts/model",
)
"""Third part: all expressions, fused with the video, and masks; the backbone stays as it is."""

TINY_SYNTHETIC_POLISH = replace(
    TINY_SYNTHETIC,
    name="mttr-tiny-synthetic-polish",
    optim=replace(TINY_SYNTHETIC.optim, lr=5e-4),
    time_limit=22.0,
    seed=2,
    init_from="runs/mttr-tiny-synthetic/model",
)
"""Fourth part: more of the third, on other clips and with smaller steps."""

TINY_SYNTHETIC_FINISH = replace(
    TINY_SYNTHETIC_POLISH,
    name="mttr-tiny-synthetic-finish",
    time_limit=18.0,
    seed=3,
    init_from="runs/mttr-tiny-synthetic-polish/model",
)
"""Last part: the same again."""

RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        A2D_W8,
        A2D_W10,
        REF_YOUTUBE_VOS_W12,
        REF_YOUTUBE_VOS_W8,
        REF_YOUTUBE_VOS_W12_PUBLISHED,
        TINY_SYNTHETIC_LOOKS,
        TINY_SYNTHETIC_CONCEPTS,
        TINY_SYNTHETIC,
        TINY_SYNTHETIC_POLISH,
        TINY_SYNTHETIC_FINISH,
    )
}
"""Name -> recipe."""
