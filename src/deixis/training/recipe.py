"""A training run as one typed value: data, clips, optimiser, schedule, precision, seed. No torch here.

A value that cannot be raises a :class:`RecipeError` that says in one line which field is wrong and why.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from deixis.configuration import from_plain
from deixis.data.rules import ClipRule, Transforms, check, check_choice, check_types
from deixis.data.samplings import SAMPLINGS
from deixis.errors import RecipeError
from deixis.flow.config import ESTIMATORS


@dataclass(frozen=True, kw_only=True)
class DataSource:
    """One data set of the mix.

    Attributes:
        name: a name of the data catalogue.
        split: "train", "val" or "test".
        root: folder of the data set; "" for a world that is rendered.
        weight: share of the draws, relative to the other sources.
        num_clips: how many videos of the split are used; 0: all of them.
        cache: folder where rendered clips (as memory-mapped arrays) or the list of training clips of a data
            set on disk are kept; "": render, or read every mask, at each start.
        sampling: a name of ``data.samplings``, whose clips and transforms this source has in the place of the
            recipe's; "": the recipe's.
    """

    name: str
    split: Literal["train", "val", "test"] = "train"
    root: str = ""
    weight: float = 1.0
    num_clips: int = 0
    cache: str = ""
    sampling: str = ""

    def __post_init__(self) -> None:
        check_types(self, "data.")
        check(bool(self.name), "data.name is empty; name a data set")
        check(
            self.split in ("train", "val", "test"),
            f"data.split must be train, val or test, got {self.split!r}",
        )
        check(self.weight > 0, f"data.weight must be above 0, got {self.weight}")
        check(self.num_clips >= 0, f"data.num_clips must be 0 (all) or more, got {self.num_clips}")
        if self.sampling:
            check_choice("data.sampling", self.sampling, tuple(SAMPLINGS))


@dataclass(frozen=True, kw_only=True)
class Flow:
    """How the optical flow of the clips is made, for models that look at it.

    Attributes:
        estimator: a name of ``flow.config.ESTIMATORS``; "": the model's own.
        weights: file of weights of RAFT.
        cache: folder where flow is kept, from one epoch and one run to the next; "": it is estimated each
            time, which for DIS on small frames is as fast.
    """

    estimator: str = ""
    weights: str = ""
    cache: str = ""

    def __post_init__(self) -> None:
        check_types(self, "flow.")
        if self.estimator:
            check_choice("flow.estimator", self.estimator, ESTIMATORS)


@dataclass(frozen=True, kw_only=True)
class Optim:
    """An optimiser over groups of parameters chosen by name.

    Attributes:
        kind: "adamw", or "sgd" (with ``momentum``).
        lr: rate of all parameters that no group takes.
        groups: part of a parameter's name -> rate; the first group that matches takes the parameter.
        frozen: parts of names of parameters that are not trained.
        weight_decay: decoupled decay of AdamW; what SGD adds to the gradient, as a share of the weights.
        decay_all: also decay norms and biases (one-dimensional parameters), as the published code does.
        betas, eps: of AdamW.
        momentum: of SGD.
        clip_norm: largest global gradient norm; 0: no clipping.
    """

    kind: Literal["adamw", "sgd"] = "adamw"
    lr: float = 1e-4
    groups: dict[str, float] = field(default_factory=dict)
    frozen: tuple[str, ...] = ()
    weight_decay: float = 1e-4
    decay_all: bool = True
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    momentum: float = 0.9
    clip_norm: float = 0.0

    def __post_init__(self) -> None:
        check_types(self, "optim.")
        check_choice("optim.kind", self.kind, ("adamw", "sgd"))
        check(self.lr > 0, f"optim.lr must be above 0, got {self.lr}")
        for name, rate in self.groups.items():
            check(
                rate > 0, f"optim.groups.{name} must be above 0, got {rate}; to freeze it, use optim.frozen"
            )
        check(self.weight_decay >= 0, f"optim.weight_decay must be 0 or more, got {self.weight_decay}")
        check(all(0 <= beta < 1 for beta in self.betas), f"optim.betas must lie in [0, 1), got {self.betas}")
        check(self.eps > 0, f"optim.eps must be above 0, got {self.eps}")
        check(0 <= self.momentum < 1, f"optim.momentum must lie in [0, 1), got {self.momentum}")
        check(self.clip_norm >= 0, f"optim.clip_norm must be 0 (off) or more, got {self.clip_norm}")


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """How all learning rates change over the run.

    Attributes:
        kind: "constant"; "multi-step": times ``factor`` at each milestone; "poly": (1 - progress) **
            ``power``; "cosine": from 1 to ``final`` along half a cosine; "published-mttr": times ``factor``
            from the second epoch on, which is what the published Refer-YouTube-VOS training does, because its
            scheduler is stepped with the loss in the place of the epoch (MTTR, code; the paper intends
            milestone 20); "falling": by a fixed amount after each epoch, in ``phases`` (RefVOS, README).
        phases: for "falling": the first rate of each phase, the fall after each epoch (or step, as for
            ``milestones``), and the rate at which the next phase begins in its place, all relative to the
            peak rates. The last phase falls to its last number and stays there.
        milestones: for "multi-step", in epochs where the recipe counts epochs, else in steps.
        factor: for "multi-step" and "published-mttr".
        power: for "poly".
        final: for "cosine", the last rate relative to the first.
        warmup: share of the run over which rates rise linearly from a hundredth.
    """

    kind: Literal["constant", "multi-step", "poly", "cosine", "published-mttr", "falling"] = "constant"
    phases: tuple[tuple[float, float, float], ...] = ()
    milestones: tuple[float, ...] = ()
    factor: float = 0.1
    power: float = 0.9
    final: float = 0.0
    warmup: float = 0.0

    def __post_init__(self) -> None:
        check_types(self, "schedule.")
        kinds = ("constant", "multi-step", "poly", "cosine", "published-mttr", "falling")
        check_choice("schedule.kind", self.kind, kinds)
        check(
            bool(self.phases) == (self.kind == "falling"),
            f"schedule.phases belong to schedule.kind falling, got {len(self.phases)} and {self.kind}",
        )
        for phase in self.phases:
            check(
                len(phase) == 3 and phase[0] > 0 and phase[1] >= 0 and 0 <= phase[2] <= phase[0],
                f"schedule.phases are each a first rate, a fall and a last rate, got {list(phase)}",
            )
        check(
            all(fall > 0 for _, fall, _ in self.phases[:-1]),
            "schedule.phases must fall, but for the last one: another follows",
        )
        if self.kind == "multi-step":
            check(bool(self.milestones), "schedule.milestones is empty, but schedule.kind is multi-step")
        check(
            list(self.milestones) == sorted(self.milestones) and all(item > 0 for item in self.milestones),
            f"schedule.milestones must rise from above 0, got {self.milestones}",
        )
        check(self.factor > 0, f"schedule.factor must be above 0, got {self.factor}")
        check(self.power > 0, f"schedule.power must be above 0, got {self.power}")
        check(0 <= self.final <= 1, f"schedule.final must lie in [0, 1], got {self.final}")
        check(0 <= self.warmup < 1, f"schedule.warmup is a share of the run in [0, 1), got {self.warmup}")


@dataclass(frozen=True, kw_only=True)
class HardPixels:
    """Which pixels count in the training of a propagator: all at first, later those with the largest losses.

    The defaults count all.

    Attributes:
        start, end: shares of the training between which their share falls.
        share: of the pixels that count from ``end`` on.
    """

    start: float = 0.0
    end: float = 0.5
    share: float = 1.0

    def __post_init__(self) -> None:
        check_types(self, "hard_pixels.")
        check(
            0 <= self.start <= self.end <= 1,
            f"need 0 <= hard_pixels.start <= hard_pixels.end <= 1, got {self.start} and {self.end}",
        )
        check(0 < self.share <= 1, f"hard_pixels.share must lie in (0, 1], got {self.share}")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One training run.

    Attributes:
        name: what the run is called.
        model: the variant to train, a name of ``deixis models list``, or a propagator that can be trained.
        data: the sources of the mix.
        clip, transforms: how a video becomes what the network takes.
        flow: how flow is made, for models that look at it; the frames it is made of are those that the
            data set has, before any change of colours and size.
        mixing: "weighted": sources are drawn in proportion to their weights; "concatenated": to their numbers
            of clips times their weights, as from one list of all clips.
        run_length: consecutive clips that come from one source; the batch must be a multiple. UniRef's
            batches hold one task each: 2.
        pad_multiple: the sides of a batch are padded to multiples of this.
        batch_size: clips of one optimiser step, over all processes and accumulated parts.
        accumulation: parts into which each process cuts its share of a step, to save memory.
        concepts: phrases of a step that is trained on concepts (``training.concepts``): rendered clips of
            ``clip.length`` frames against phrases of ``clip.kinds``, without transforms. 0: on expressions.
        hard_pixels: which pixels count, for propagators.
        optim, schedule: how parameters move.
        steps, epochs: length of the run; exactly one is above 0. An epoch is one pass over the clips of all
            sources.
        time_limit: minutes after which the run ends with whole weights; the schedule then follows the share
            of the time spent. 0: no limit.
        precision: "no" (float32), "bf16", or "fp16" (GPU only).
        sync_batch_norm: batch norms take the statistics of a step over all processes (of one part of it,
            with ``accumulation``); no effect on a single process.
        channels_last: lay images out with channels last (several times faster on a CPU in bf16).
        seed: of weights, order, augmentation and dropout (each process adds its rank for the last).
        num_workers: processes that load data; 0: the training process itself.
        checkpoint_every: minutes between checkpoints; 0: only at the end of the run and at SIGTERM.
        checkpoint_steps: steps between checkpoints; 0: by minutes alone.
        keep_checkpoints: how many of the newest stay on disk.
        ema: decay of averaged weights, which are then the result of the run; 0: off.
        init_from: weights to start from (a folder of ours, a published file); "": the model's own
            initialisation.
        init_fresh: parts of names of parameters that ``init_from`` leaves at the model's own initialisation,
            such as heads for other classes.
        init_parts: part of the model -> file of pretrained weights for it alone: {"backbone": Kinetics-400
            file of Video Swin, "text_encoder": file of RoBERTa}.
        tokenizer: a ``tokenizer.json`` for a model whose weights bring none; "": made from the expressions of
            the data, for models of a small vocabulary.
        log_every: steps between log lines.
        validate_every: steps between validations, where a function for it is given; 0: never.
        validate_clips: videos of the held-out split that the command line validates on.
    """

    name: str
    model: str
    data: tuple[DataSource, ...]
    clip: ClipRule = field(default_factory=ClipRule)
    transforms: Transforms = field(default_factory=Transforms)
    flow: Flow = field(default_factory=Flow)
    mixing: Literal["weighted", "concatenated"] = "weighted"
    run_length: int = 1
    pad_multiple: int = 1
    batch_size: int = 8
    accumulation: int = 1
    concepts: int = 0
    hard_pixels: HardPixels = field(default_factory=HardPixels)
    optim: Optim = field(default_factory=Optim)
    schedule: Schedule = field(default_factory=Schedule)
    steps: int = 0
    epochs: int = 0
    time_limit: float = 0.0
    precision: Literal["no", "bf16", "fp16"] = "no"
    sync_batch_norm: bool = False
    channels_last: bool = False
    seed: int = 42
    num_workers: int = 0
    checkpoint_every: float = 10.0
    checkpoint_steps: int = 0
    keep_checkpoints: int = 2
    ema: float = 0.0
    init_from: str = ""
    init_fresh: tuple[str, ...] = ()
    init_parts: dict[str, str] = field(default_factory=dict)
    tokenizer: str = ""
    log_every: int = 20
    validate_every: int = 0
    validate_clips: int = 24

    def __post_init__(self) -> None:
        check_types(self, "")
        check(bool(self.name), "name is empty")
        check(bool(self.model), "model is empty; name a variant (deixis models list)")
        check(bool(self.data), "data is empty; name at least one source")
        check(self.batch_size >= 1, f"batch_size must be 1 or more, got {self.batch_size}")
        check(self.accumulation >= 1, f"accumulation must be 1 or more, got {self.accumulation}")
        check(
            self.batch_size % self.accumulation == 0,
            f"batch_size ({self.batch_size}) must be a multiple of accumulation ({self.accumulation})",
        )
        check_choice("mixing", self.mixing, ("weighted", "concatenated"))
        check(self.pad_multiple >= 1, f"pad_multiple must be 1 or more, got {self.pad_multiple}")
        check(
            self.run_length >= 1 and self.batch_size % self.run_length == 0,
            f"batch_size ({self.batch_size}) must be a multiple of run_length ({self.run_length})",
        )
        for source in self.data:
            clip, transforms = self.sampling(source)
            check(
                clip.kind == "image" or not transforms.pseudo_video,
                f"transforms.pseudo_video is for clips of kind image, got {clip.kind}",
            )
        check(self.concepts >= 0, f"concepts must be 0 or more, got {self.concepts}")
        check(self.steps >= 0 and self.epochs >= 0, "steps and epochs must be 0 or more")
        check(
            (self.steps > 0) != (self.epochs > 0),
            f"give either steps or epochs, above 0, got steps={self.steps} and epochs={self.epochs}",
        )
        check_choice("precision", self.precision, ("no", "bf16", "fp16"))
        check(0 <= self.ema < 1, f"ema must lie in [0, 1), got {self.ema}")
        check(self.seed >= 0, f"seed must be 0 or more, got {self.seed}")
        check(self.log_every >= 1, f"log_every must be 1 or more, got {self.log_every}")
        check(self.keep_checkpoints >= 1, f"keep_checkpoints must be 1 or more, got {self.keep_checkpoints}")
        counts = ("num_workers", "checkpoint_steps", "validate_every", "validate_clips")
        for name in ("time_limit", "checkpoint_every", *counts):
            check(getattr(self, name) >= 0, f"{name} must be 0 or more, got {getattr(self, name)}")

    def sampling(self, source: DataSource) -> tuple[ClipRule, Transforms]:
        """Return the clips and transforms of ``source``: those that it names, or the recipe's."""
        if not source.sampling:
            return self.clip, self.transforms
        named = SAMPLINGS[source.sampling]
        return named.clip, named.transforms


def recipe_from_plain(plain: Mapping[str, Any]) -> Recipe:
    """Rebuild a recipe from what ``to_plain`` gave (the ``recipe.json`` of a run).

    Raises:
        RecipeError: an unknown field (the closest is offered) or an impossible value.
    """
    try:
        return from_plain(Recipe, plain)
    except (ValueError, TypeError) as error:
        raise RecipeError(f"the recipe cannot be read: {error}") from error
