"""The published trainings of RefVOS. No torch here.

Sources: "code" is the published training code of Bellver et al. (2020), "README" what its authors say that
they ran. The files of BERT and of the backbone (``init_parts``: ImageNet, or COCO as the DeepLabv3 of
torchvision), the ``tokenizer`` and the ``data.N.root`` are left to the command line.
"""

from dataclasses import replace

from deixis.data.samplings import SAMPLINGS
from deixis.training.recipe import DataSource, Optim, Recipe, Schedule

RATES: dict[str, tuple[tuple[float, float, float], ...]] = {
    "refcoco": ((0.01, 4e-4, 3e-3), (6e-3, 2.5e-4, 1e-3), (3e-5, 0.0, 3e-5)),
    "ref-davis17": ((1e-3, 1e-5, 0.0),),
    "a2d-sentences": ((0.1, 4e-3, 0.0),),
}
"""Phases (README): first rate, fall after each epoch, rate at which the next phase begins."""


def _falling(data: str) -> Schedule:
    """Return the README's schedule, relative to its first rate."""
    peak = RATES[data][0][0]
    phases = tuple((first / peak, fall / peak, last / peak) for first, fall, last in RATES[data])
    return Schedule(kind="falling", phases=phases)


FRAMES = SAMPLINGS["refvos"]

REFCOCO = Recipe(
    name="refvos-resnet101-refcoco",
    model="refvos-resnet101",
    data=(DataSource(name="refcoco"),),
    clip=FRAMES.clip,
    transforms=FRAMES.transforms,  # code: short side 416
    pad_multiple=480,  # code: crops of 480, in which the sides that are shorter are padded
    batch_size=6,  # code: the default; README: 7
    optim=Optim(
        kind="sgd",  # code and README
        momentum=0.9,  # code and README
        lr=0.01,  # code and README
        weight_decay=1e-4,  # code: the default; README: 1e-6
        decay_all=True,  # code
    ),
    schedule=Schedule(kind="poly", power=0.9),  # code: the default; README: RATES
    epochs=30,  # code: the default; README: three days
    precision="no",  # code
)
"""By the defaults of the code."""

REFCOCO_README = replace(
    REFCOCO,
    name="refvos-resnet101-refcoco-readme",
    batch_size=7,  # README
    optim=replace(REFCOCO.optim, weight_decay=1e-6),  # README
    schedule=_falling("refcoco"),  # README
    epochs=45,  # README: three days; its first two phases take 38
)
"""As its authors say that they trained it."""

DAVIS17 = replace(
    REFCOCO,
    name="refvos-resnet101-ref-davis17",
    model="refvos-resnet101-davis",
    data=(DataSource(name="ref-davis17", cache="runs/cache"),),
    batch_size=7,  # README
    optim=replace(REFCOCO.optim, lr=1e-3, weight_decay=1e-6),  # README
    schedule=_falling("ref-davis17"),  # README
    epochs=20,  # README
    init_from="runs/refvos-resnet101-refcoco/model",
)

A2D = replace(
    DAVIS17,
    name="refvos-resnet101-a2d-sentences",
    model="refvos-resnet101-a2d",
    data=(DataSource(name="a2d-sentences", cache="runs/cache"),),
    optim=replace(DAVIS17.optim, lr=0.1),  # README
    schedule=_falling("a2d-sentences"),  # README
    epochs=15,  # README
)

RECIPES: dict[str, Recipe] = {recipe.name: recipe for recipe in (REFCOCO, REFCOCO_README, DAVIS17, A2D)}
"""Name -> recipe."""
