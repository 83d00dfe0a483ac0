"""Train a recipe: a loop to be read from top to bottom.

One step: load the parts of the batch; agree with the other processes on how many masks and expressions they
hold together; set the rates; sum up the gradients part by part; clip; move the weights. Then, when due: log,
validate, save.
"""

from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Literal

import torch

from deixis.models.base import ReferringModel
from deixis.models.loading import save as save_model

from .build import build_model, check_model
from .folder import Save, check_run, open_run, write_model
from .following import TrainedPropagator, is_propagator
from .logging import RenderBar, RunLog, format_seconds
from .optim import rate_factor, set_rates
from .recipe import Recipe
from .run import Run, StopSignal, start_accelerator
from .sources import ClipSource, open_sources

Validate = Callable[[ReferringModel], dict[str, float]]


def train(
    recipe: Recipe,
    out: Path,
    resume: bool = True,
    *,
    model: ReferringModel | TrainedPropagator | None = None,
    sources: Sequence[ClipSource] | None = None,
    validate: Validate | None = None,
    save: Save = save_model,
    device: Literal["auto", "cpu"] = "auto",
    show_progress: bool = True,
) -> Path:
    """Train ``recipe`` in the folder ``out``, or go on with what is there.

    Run it in several processes with ``python -m torch.distributed.run``. SIGTERM ends it after the current
    step, with a checkpoint.

    Args:
        recipe: what to train.
        out: folder of the run: ``recipe.json``, ``log.jsonl``, ``checkpoints/``, at the end ``model/``.
        resume: go on from the newest checkpoint in ``out``; False: start anew and drop what is there.
        model: the model to train; None: the recipe's, from its weights or its own initialisation.
        sources: the clips; None: the recipe's.
        validate: measures the model (its averaged weights, where the recipe has them) every
            ``recipe.validate_every`` steps.
        save: writes the trained model as a folder.
        device: "auto": the GPU where there is one.
        show_progress: draw a bar.

    Returns:
        The folder of the trained model, or the last checkpoint where SIGTERM came first.

    Raises:
        RecipeError: the recipe does not fit the model, the machine, or the run in ``out``.
        TrainingError: the loss is not finite.
    """
    accelerator = start_accelerator(recipe, device)
    check_run(out, recipe, resume)
    if model is None and not is_propagator(recipe.model):
        check_model(recipe)
    if sources is None:
        bar = RenderBar(accelerator.is_main_process and show_progress)
        # The first process renders what the cache lacks; the others then read it.
        with accelerator.main_process_first():
            sources = open_sources(recipe, bar.report)
    torch.manual_seed(recipe.seed)
    model = build_model(recipe, sources, out if resume else None) if model is None else model
    run = Run(accelerator, recipe, out, model, sources)
    # Nothing is written before this line: a recipe that does not work leaves no folder behind.
    newest = open_run(out, recipe, resume, model, accelerator)
    if newest is not None:
        run.restore(newest)
    log = RunLog(out, run.step, is_main=accelerator.is_main_process, show_progress=show_progress)
    with log, StopSignal() as stop:
        is_finished = do_steps(run, log, stop, validate)
    checkpoint = run.save()
    return write_model(out, run.model, run.average, accelerator, save) if is_finished else checkpoint


def do_steps(run: Run, log: RunLog, stop: StopSignal, validate: Validate | None = None) -> bool:
    """Do the steps that are left; False when a stop was asked for before the last one."""
    recipe = run.recipe
    batches = run.batches()
    while run.progress < 1:
        parts = list(islice(batches, recipe.accumulation))
        agreed = run.agree(parts, stop.is_set)
        rates = set_rates(run.optimizer, rate_factor(recipe.schedule, run.progress, run.units))
        run.model.set_progress(run.progress)
        values = run.sum_gradients(parts, agreed)
        values["gradient_norm"] = run.clip_gradients()
        run.optimizer.step()
        run.optimizer.zero_grad()
        run.finish_step(values)

        if run.step % recipe.log_every == 0:
            line = run.summary(rates)
            log.write(line)
            log.show(run.progress, f"loss {line['loss']:.3f}, {format_seconds(line['eta_seconds'])} left")
        if validate is not None and recipe.validate_every and run.step % recipe.validate_every == 0:
            log.write({"step": run.step, "validation": run.validate(validate)})
        if agreed.is_stopping:
            return False
        if agreed.is_checkpoint_due or (recipe.checkpoint_steps and run.step % recipe.checkpoint_steps == 0):
            run.save()
    return True
