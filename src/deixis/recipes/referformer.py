"""The published trainings of ReferFormer, and ours of its tiny variant. No torch here.

Sources: "paper" is Wu et al., Language as Queries for Referring Video Object Segmentation (CVPR 2022) with
its supplement; "code" is the published training code with its scripts; "issue" a thread of its repository.
Where they differ the code is followed.

Clips here are windows of neighbouring frames, resized to one size. The published code draws frames from all
of the video around one of every five (code, video samples) and changes size, crop and colours.
"""

from dataclasses import replace

from deixis.training.recipe import ClipRule, DataSource, Optim, Recipe, Schedule, Transforms

BACKBONES = (
    "resnet50",
    "resnet101",
    "swin-t",
    "swin-s",
    "swin-b",
    "swin-l",
    "video-swin-t",
    "video-swin-s",
    "video-swin-b",
)
"""Of the paper's table C2, as the variants name them."""

OPTIM = Optim(
    lr=1e-4,  # paper and code; sampling offsets and reference points have the same
    groups={
        "backbone": 5e-5,  # paper and code
        "text_encoder": 1e-5,  # code; empty while the text encoder is frozen
        "text_pooler": 1e-5,  # code: a part of its text encoder
    },
    weight_decay=5e-4,  # paper and code
    decay_all=True,
    betas=(0.9, 0.999),  # code: the defaults of AdamW
    clip_norm=0.1,  # code: global norm
)

TRANSFORMS = Transforms(
    short_side=360,  # code: evaluation; training draws it from 288 to 512
    long_side=640,  # code, training and evaluation
    flip=0.5,  # code
    swap_words="whole-word",  # code: by substring, which spoils "bright": "published-substring"
)


def _pretraining(backbone: str) -> Recipe:
    """Train on images as clips of one frame; the text encoder, too (paper: frozen at all times)."""
    return Recipe(
        name=f"referformer-{backbone}-refcoco",
        model=f"referformer-{backbone}-refcoco",
        data=(DataSource(name="refcoco"), DataSource(name="refcoco+"), DataSource(name="refcocog")),
        clip=ClipRule(kind="tiling", length=1),
        transforms=TRANSFORMS,
        batch_size=64,  # issues 7 and 19: 32 GPUs x 2
        optim=OPTIM,
        schedule=Schedule(kind="multi-step", milestones=(8, 10), factor=0.1),  # code's script
        epochs=12,  # code's script
        precision="no",  # code
        seed=42,  # code, plus the rank of the process
        num_workers=4,  # code
    )


def _fine_tuning(backbone: str) -> Recipe:
    """Train on Ref-YouTube-VOS from the weights of the pretraining (``init_from``)."""
    return Recipe(
        name=f"referformer-{backbone}-ref-youtube-vos",
        model=f"referformer-{backbone}",
        data=(DataSource(name="ref-youtube-vos", cache="runs/cache"),),
        clip=ClipRule(kind="tiling", length=5),  # paper and code
        transforms=TRANSFORMS,
        batch_size=8,  # paper and code: 8 GPUs x 1
        optim=OPTIM,
        schedule=Schedule(kind="multi-step", milestones=(3, 5), factor=0.1),  # paper and code
        epochs=6,  # paper and code
        precision="no",
        seed=42,
        num_workers=4,
    )


def _from_scratch(backbone: str) -> Recipe:
    """Train on Ref-YouTube-VOS from the weights of backbone and text encoder alone (``init_parts``)."""
    return replace(
        _fine_tuning(backbone),
        name=f"referformer-{backbone}-ref-youtube-vos-scratch",
        schedule=Schedule(kind="multi-step", milestones=(6, 8), factor=0.1),  # code: the defaults
        epochs=10,  # code: the default
    )


def _a2d(backbone: str) -> Recipe:
    """Train on A2D-Sentences from the weights of the pretraining (``init_from``)."""
    return replace(
        _fine_tuning(backbone),
        name=f"referformer-{backbone}-a2d",
        model=f"referformer-{backbone}-a2d",
        data=(DataSource(name="a2d-sentences", cache="runs/cache"),),
        clip=ClipRule(kind="around-annotated", length=5),  # code's script
        batch_size=16,  # code's script: 8 GPUs x 2
    )


CLASSES = replace(
    _from_scratch("video-swin-t"),
    name="referformer-video-swin-t-65-classes-scratch",
    model="referformer-video-swin-t-65-classes",
)
"""The class-discriminative side of the paper's table D3 (53.9 J&F); the class-agnostic one (56.0) is
"referformer-video-swin-t-ref-youtube-vos-scratch"."""

A2D_SCRATCH = replace(
    _a2d("video-swin-t"),
    name="referformer-video-swin-t-a2d-scratch",
    model="referformer-video-swin-t-a2d-scratch",
    clip=ClipRule(kind="around-annotated", length=6),  # code's script
    batch_size=8,  # code's script: 8 GPUs x 1 (the default)
    optim=replace(OPTIM, weight_decay=1e-4),  # code's script
    schedule=Schedule(kind="multi-step", milestones=(8, 10), factor=0.1),  # code's script
    epochs=12,  # code's script
)

TINY_SYNTHETIC = Recipe(
    name="referformer-tiny-synthetic",
    model="referformer-tiny-synthetic",
    data=(DataSource(name="synthetic"),),
    clip=ClipRule(kind="random", length=8, predicted_frames=2, expressions_per_clip=8),
    transforms=Transforms(short_side=128, long_side=192, flip=0.5, colour_jitter=0.05),
    batch_size=8,
    optim=Optim(lr=7e-4, weight_decay=0.01, decay_all=False, clip_norm=1.0),
    schedule=Schedule(kind="cosine", warmup=0.02, final=0.01),
    steps=20_000,
    time_limit=60.0,
    precision="bf16",
    channels_last=True,
    seed=1,
    num_workers=1,
    checkpoint_every=4.0,
    ema=0.998,
    log_every=20,
)
"""Small enough for two CPU cores: two frames of each clip are decoded, all are seen."""

RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        *map(_pretraining, BACKBONES),
        *map(_fine_tuning, BACKBONES),
        *map(_from_scratch, BACKBONES),
        *map(_a2d, BACKBONES),
        CLASSES,
        A2D_SCRATCH,
        TINY_SYNTHETIC,
    )
}
"""Name -> recipe."""
