"""Trainings of UniRef and UniRef++, and of our tiny variant. No torch here.

Sources: "table 1" is that of the supplement of Wu et al., UniRef: Segment Every Reference Object in Spatial
and Temporal Spaces (ICCV 2023), whose code was not published: "uniref-...". "code" is the published code of
UniRef++ with its configurations: "uniref-plus-...". What table 1 leaves open is taken from the code.

Clips and transforms are those of the samplings "uniref-..." in ``data.samplings``, the mixes those of
``recipes.mixes``. A GPU's batch of 2 holds one data set and so one task (``run_length``): the machine has to
have ``batch_size / run_length`` processes, or as many processes times ``accumulation``. With fewer of both,
lower ``batch_size`` and raise ``steps`` and ``schedule.milestones`` alike (code: 8 GPUs, twice the steps of
16). Left to the command line: the files of a backbone and of the text encoder (``init_parts``), its
``tokenizer``, and the ``data.N.root`` of each data set.

Not here, because the data set cannot be read: Objects365 (code, first stage, boxes of 365 classes).
"""

from dataclasses import replace

from deixis.recipes.mixes import MIXES
from deixis.training.recipe import DataSource, Optim, Recipe, Schedule

BACKBONES = ("resnet50", "swin-l")
"""As the variants name them."""

PER_GPU = 2
"""Clips of a GPU: table 1 and code."""


def _optim(lr: float) -> Optim:
    return Optim(
        lr=lr,
        groups={
            "backbone": 0.1 * lr,  # code
            "text_encoder": 1e-5,  # code; empty in the video stage
            "offsets": 0.1 * lr,  # code: sampling offsets
        },
        weight_decay=0.05,  # code; table 1 for stage III, and not legible there for I and II
        decay_all=True,  # code
        betas=(0.9, 0.999),
        clip_norm=0.1,  # code: global norm
    )


def _recipe(name: str, model: str, mix: str, *, gpus: int, lr: float, milestone: int) -> Recipe:
    """Return a stage of 90 000 steps: table 1 and, but for the second stage on images, code."""
    return Recipe(
        name=name,
        model=model,
        data=MIXES[mix],
        run_length=PER_GPU,
        pad_multiple=32,  # code
        batch_size=gpus * PER_GPU,
        optim=_optim(lr),
        schedule=Schedule(kind="multi-step", milestones=(milestone,), factor=0.1),
        steps=90_000,
        precision="no",  # code, whose attention alone is in bfloat16
        num_workers=4,
    )


def _stages(backbone: str) -> tuple[Recipe, ...]:
    """Return stages I, II and III of table 1, each from the weights of the one before."""
    model = f"uniref-{backbone}"
    boxes, images, videos = (f"{model}-{data}" for data in ("visual-genome", "refcoco", "videos"))
    return (
        _recipe(boxes, f"{model}-boxes", "uniref-boxes", gpus=32, lr=2e-4, milestone=80_000),
        replace(
            _recipe(images, f"{model}-images", "uniref-images", gpus=16, lr=1e-4, milestone=80_000),
            init_from=f"runs/{boxes}/model",
        ),
        replace(
            _recipe(videos, model, "uniref-videos", gpus=16, lr=1e-4, milestone=80_000),
            init_from=f"runs/{images}/model",
        ),
    )


def _stages_of_the_code(backbone: str) -> tuple[Recipe, ...]:
    """Return the two stages on images and that on videos of the code, each from the weights before."""
    model = f"uniref-plus-{backbone}"
    images, examples, videos = (f"{model}-{data}" for data in ("coco-refcoco", "fss", "videos"))
    first = _recipe(images, f"{model}-images", "uniref-images-code", gpus=16, lr=2e-4, milestone=75_000)
    return (
        first,
        replace(
            first,
            name=examples,
            data=MIXES["uniref-images-fss-code"],
            optim=_optim(2e-5),
            schedule=Schedule(kind="constant"),
            steps=30_000,
            init_from=f"runs/{images}/model",
        ),
        replace(
            _recipe(videos, model, "uniref-videos-code", gpus=16, lr=1e-4, milestone=75_000),
            init_from=f"runs/{examples}/model",
        ),
    )


TINY_FRESH = (
    "projections",
    "alignment",
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
"""All but the towers of vision and text and the projections to where they meet."""

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
        weight_decay=0.01,
        decay_all=False,
        clip_norm=1.0,
        frozen=("backbone", "text_encoder", "text_projection", "video_projection"),
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
the tiny MTTR that ships inside the package, and stay as they are."""

TINY_SYNTHETIC_POLISH = replace(
    TINY_SYNTHETIC,
    name="uniref-tiny-synthetic-polish",
    optim=replace(TINY_SYNTHETIC.optim, lr=6e-4),
    time_limit=55.0,
    seed=2,
    ema=0.998,
    init_from="runs/uniref-tiny-synthetic/model",
    init_fresh=(),
)
"""More of the same, on other clips and with smaller steps."""

RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        *(stage for backbone in BACKBONES for stage in _stages(backbone)),
        *(stage for backbone in BACKBONES for stage in _stages_of_the_code(backbone)),
        TINY_SYNTHETIC,
        TINY_SYNTHETIC_POLISH,
    )
}
"""Name -> recipe."""
