"""The published trainings of HINet, and ours of its tiny variants. No torch here.

Sources: "supplement" is that of Yang et al. (BMVC 2021), section 1; "RefVOS" the code of its baseline; the
rest is ours, as nothing else was published. The loss is a part of the model: the mean cross-entropy in
"...-pretraining", that of the hardest pixels with class weights in all others.

The files of ResNet-101 (ImageNet) and of RefVOS's BERT (``init_parts`` of the pre-training), the
``tokenizer`` and the ``data.N.root`` are left to the command line.

Flow is estimated by DIS while training goes on; the paper used RAFT: ``flow.estimator raft-large``,
``flow.weights`` and, as it takes seconds a frame, ``flow.cache``.
"""

from dataclasses import replace

from deixis.data.rules import ClipRule, Transforms
from deixis.data.samplings import SAMPLINGS
from deixis.models.hinet.config import SWITCHES
from deixis.models.hinet.convert import FLOW_PARTS, NOT_IN_REFVOS
from deixis.training.recipe import DataSource, Optim, Recipe, Schedule

SGD = Optim(
    kind="sgd",  # supplement
    momentum=0.9,  # RefVOS
    lr=0.01,  # supplement, pre-training; for all parameters alike
    weight_decay=1e-4,  # supplement
    decay_all=True,  # RefVOS
)

PRETRAINING = SAMPLINGS["hinet-pretraining"]
FINE_TUNING = SAMPLINGS["hinet-fine-tuning"]

POLY = Schedule(kind="poly", power=0.9)
"""Supplement: (1 - step / steps) ** 0.9, changed at every step."""


def _model(switch: str) -> str:
    return "hinet-resnet101" if switch == "full" else f"hinet-resnet101-{switch}"


def _pretraining(switch: str) -> Recipe:
    """Train on Refer-YouTube-VOS from ImageNet and RefVOS's BERT (``init_parts``); the rest starts random."""
    return Recipe(
        name=f"{_model(switch)}-pretraining",
        model=f"{_model(switch)}-pretraining",
        data=(DataSource(name="ref-youtube-vos", cache="runs/cache"),),
        clip=PRETRAINING.clip,
        transforms=PRETRAINING.transforms,  # supplement: height 480, crops of 480
        pad_multiple=480,
        batch_size=24,  # supplement
        optim=SGD,
        schedule=POLY,
        steps=50_000,  # supplement
        precision="fp16",  # supplement: mixed precision
        sync_batch_norm=True,  # ours, as LAVT and AnchorDiff (the same first author) have it
        num_workers=4,
    )


def _fine_tuning(switch: str, data: str, *, epochs: int, clip_norm: float) -> Recipe:
    """Train on one of the sets that are evaluated, from the weights of the pre-training."""
    return replace(
        _pretraining(switch),
        name=f"{_model(switch)}-{data}",
        model=_model(switch),
        data=(DataSource(name=data, cache="runs/cache"),),
        clip=FINE_TUNING.clip,
        transforms=FINE_TUNING.transforms,  # supplement: as in pre-training
        batch_size=8,  # supplement
        optim=replace(SGD, lr=1e-3, clip_norm=clip_norm),  # supplement
        steps=0,
        epochs=epochs,
        init_from=f"runs/{_model(switch)}-pretraining/model",  # supplement
    )


def _stages(switch: str) -> tuple[Recipe, ...]:
    return (
        _pretraining(switch),
        _fine_tuning(switch, "davis16", epochs=10, clip_norm=1.0),  # supplement: norm 1 on the DAVIS sets
        _fine_tuning(switch, "ref-davis17", epochs=10, clip_norm=1.0),  # supplement
        _fine_tuning(switch, "a2d-sentences", epochs=20, clip_norm=0.0),  # supplement
    )


FROM_REFVOS = replace(
    _fine_tuning("full", "ref-davis17", epochs=10, clip_norm=1.0),
    name="hinet-resnet101-ref-davis17-from-refvos",
    init_from="runs/refvos-resnet101-ref-davis17/model/weights.safetensors",
    init_fresh=(*NOT_IN_REFVOS, *(part for parts in FLOW_PARTS.values() for part in parts)),
)
"""Ours: from RefVOS's weights, the only public ones that know language, where the shapes are the same."""


def _tiny(switch: str) -> Recipe:
    """Train on rendered frames with eight of their expressions, on two CPU cores (ours)."""
    return Recipe(
        name=f"hinet-tiny-{switch}",
        model=f"hinet-tiny-{switch}",
        data=(DataSource(name="synthetic"),),
        clip=ClipRule(kind="random", length=1, expressions_per_clip=8),
        transforms=Transforms(short_side=128, long_side=192, flip=0.5, colour_jitter=0.05),
        batch_size=8,
        optim=Optim(lr=7e-4, weight_decay=0.01, decay_all=False, clip_norm=1.0),
        schedule=POLY,
        steps=4_000,
        precision="bf16",
        channels_last=True,
        seed=1,
        num_workers=1,
    )


RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        *(recipe for switch in SWITCHES for recipe in _stages(switch)),
        FROM_REFVOS,
        *map(_tiny, SWITCHES),
    )
}
"""Name -> recipe."""
