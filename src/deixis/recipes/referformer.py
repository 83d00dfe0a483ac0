"""The published trainings of ReferFormer, and ours of its tiny variant. No torch here.

Sources: "paper" is Wu et al., Language as Queries for Referring Video Object Segmentation (CVPR 2022) with
its supplement; "code" is the published training code with its scripts; "issue" a thread of its repository.
Where they differ the code is followed.

Clips and transforms are those of the samplings "referformer-..." in ``data.samplings``. What the published
recipes leave to the command line is left here, too: the files of a backbone and of RoBERTa (``init_parts``),
its ``tokenizer``, and the ``data.N.root`` of each data set.
"""

from dataclasses import replace

from deixis.data.rules import ClipRule, Transforms
from deixis.data.samplings import SAMPLINGS
from deixis.training.recipe import DataSource, Optim, Recipe, Schedule

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

IMAGE, VIDEO = SAMPLINGS["referformer-image"], SAMPLINGS["referformer-video"]

REFCOCO = ("refcoco", "refcoco+", "refcocog")


def _pretraining(backbone: str) -> Recipe:
    """Train on images as clips of one frame; the text encoder, too (paper: frozen at all times)."""
    return Recipe(
        name=f"referformer-{backbone}-refcoco",
        model=f"referformer-{backbone}-refcoco",
        data=tuple(DataSource(name=name) for name in REFCOCO),
        clip=IMAGE.clip,
        transforms=IMAGE.transforms,
        mixing="concatenated",  # code
        pad_multiple=32,  # code
        batch_size=64,  # issues 7 and 19: 32 GPUs x 2
        optim=OPTIM,
        schedule=Schedule(kind="multi-step", milestones=(8, 10), factor=0.1),  # code's script
        epochs=12,  # code's script
        precision="no",  # code
        seed=42,  # code, plus the rank of the process
        num_workers=4,  # code
    )


def _from_scratch(backbone: str) -> Recipe:
    """Train on Ref-YouTube-VOS from the weights of backbone and text encoder alone (``init_parts``)."""
    return Recipe(
        name=f"referformer-{backbone}-ref-youtube-vos-scratch",
        model=f"referformer-{backbone}",
        data=(DataSource(name="ref-youtube-vos", cache="runs/cache"),),
        clip=VIDEO.clip,  # of 5 frames: paper and code
        transforms=VIDEO.transforms,
        pad_multiple=32,
        batch_size=8,  # paper and code: 8 GPUs x 1
        optim=OPTIM,
        schedule=Schedule(kind="multi-step", milestones=(6, 8), factor=0.1),  # code: the defaults
        epochs=10,  # code: the default
        precision="no",
        seed=42,
        num_workers=4,
    )


def _fine_tuning(backbone: str) -> Recipe:
    """Train on Ref-YouTube-VOS from the weights of the pretraining, with fresh class heads."""
    return replace(
        _from_scratch(backbone),
        name=f"referformer-{backbone}-ref-youtube-vos",
        schedule=Schedule(kind="multi-step", milestones=(3, 5), factor=0.1),  # paper and code
        epochs=6,  # paper and code
        init_from=f"runs/referformer-{backbone}-refcoco/model",
        init_fresh=("class_heads",),  # code: whether their number is another or not
    )


def _joint(backbone: str) -> Recipe:
    """Train on Ref-YouTube-VOS and on videos made of images at once, from ``init_parts`` alone (issue 19)."""
    images = (DataSource(name=name, sampling="referformer-pseudo-video") for name in REFCOCO)
    return replace(
        _from_scratch(backbone),
        name=f"referformer-{backbone}-joint",
        data=(*images, DataSource(name="ref-youtube-vos", cache="runs/cache")),
        mixing="concatenated",  # issue 19: without balancing
        batch_size=32,  # issue 7: 32 GPUs x 1; paper: x 2
        schedule=Schedule(kind="multi-step", milestones=(8, 10), factor=0.1),  # code's script
        epochs=12,  # code's script
    )


def _a2d(backbone: str) -> Recipe:
    """Train on A2D-Sentences from the weights of the pretraining, with fresh class heads."""
    return replace(
        _fine_tuning(backbone),
        name=f"referformer-{backbone}-a2d",
        model=f"referformer-{backbone}-a2d",
        data=(DataSource(name="a2d-sentences", cache="runs/cache"),),
        batch_size=16,  # code's script: 8 GPUs x 2
    )


PUBLISHED = replace(
    _fine_tuning("resnet50"),
    name="referformer-resnet50-ref-youtube-vos-published",
    clip=SAMPLINGS["referformer-video-published"].clip,
    transforms=SAMPLINGS["referformer-video-published"].transforms,
)
"""With the faults of the published loader: frames that come twice, colours that wrap, "bleft"."""

CLASSES = replace(
    _from_scratch("video-swin-t"),
    name="referformer-video-swin-t-65-classes-scratch",
    model="referformer-video-swin-t-65-classes",
    clip=replace(VIDEO.clip, classes="youtube-vos"),
)
"""The class-discriminative side of the paper's table D3 (53.9 J&F); the class-agnostic one (56.0) is
"referformer-video-swin-t-ref-youtube-vos-scratch"."""

A2D_SCRATCH = replace(
    _a2d("video-swin-t"),
    name="referformer-video-swin-t-a2d-scratch",
    model="referformer-video-swin-t-a2d-scratch",
    clip=replace(VIDEO.clip, length=6),  # code's script
    batch_size=8,  # code's script: 8 GPUs x 1 (the default)
    optim=replace(OPTIM, weight_decay=1e-4),  # code's script
    schedule=Schedule(kind="multi-step", milestones=(8, 10), factor=0.1),  # code's script
    epochs=12,  # code's script
    init_from="",
    init_fresh=(),
)

TINY_FRESH = (
    "projections",
    "alignment",
    "fusion",
    "level_embedding",
    "encoder.0",
    "encoder.1",
    "queries",
    "reference_points",
    "decoder",
    "class_heads",
    "box_heads",
    "controller",
)
"""All but the backbone, the text encoder, and what makes tokens and words alike."""

TINY_SYNTHETIC = Recipe(
    name="referformer-tiny-synthetic",
    model="referformer-tiny-synthetic",
    data=(DataSource(name="synthetic"),),
    clip=ClipRule(kind="random", length=16, predicted_frames=2, expressions_per_clip=8),
    transforms=Transforms(short_side=128, long_side=192, flip=0.5, colour_jitter=0.05),
    batch_size=4,
    optim=Optim(lr=1e-3, weight_decay=0.01, decay_all=False, clip_norm=1.0, frozen=("backbone",)),
    schedule=Schedule(kind="cosine", warmup=0.02, final=0.01),
    steps=20_000,
    time_limit=32.0,
    precision="bf16",
    channels_last=True,
    seed=1,
    num_workers=1,
    checkpoint_every=4.0,
    ema=0.99,
    log_every=20,
    init_from="runs/mttr-tiny-synthetic-concepts/model",
    init_fresh=TINY_FRESH,
)
"""Small enough for two CPU cores: two frames of each clip are decoded, all are seen. The towers of vision and
text know concepts already: they are those of the tiny MTTR after its first two parts."""

TINY_SYNTHETIC_SHAPES = replace(
    TINY_SYNTHETIC,
    name="referformer-tiny-synthetic-shapes",
    model="referformer-tiny-synthetic-shapes",
    clip=replace(TINY_SYNTHETIC.clip, classes="shapes"),
)
"""The class-discriminative side of table D3 at tiny scale: the classes are the shapes."""

RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        *map(_pretraining, BACKBONES),
        *map(_fine_tuning, BACKBONES),
        *map(_from_scratch, BACKBONES),
        *map(_joint, BACKBONES),
        *map(_a2d, BACKBONES),
        PUBLISHED,
        CLASSES,
        A2D_SCRATCH,
        TINY_SYNTHETIC,
        TINY_SYNTHETIC_SHAPES,
    )
}
"""Name -> recipe."""
