"""The folder of a run: its recipe, its checkpoints, and at the end the model."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from accelerate import Accelerator

from deixis.configuration import to_plain
from deixis.errors import RecipeError
from deixis.models.base import ReferringModel

from .build import TOKENIZER
from .checkpoint import list_checkpoints, remove_partial
from .following import TrainedPropagator, save_propagator
from .logging import LOG_NAME
from .optim import AveragedWeights
from .override import differences
from .recipe import Recipe, recipe_from_plain

CHECKPOINTS = "checkpoints"
MODEL = "model"
RECIPE = "recipe.json"

Save = Callable[[ReferringModel, Path], object]
"""Writes a model as a folder."""


def check_run(out: Path, recipe: Recipe, resume: bool) -> None:
    """Refuse to go on with another recipe than that of the run (fields that change no result may differ).

    Raises:
        RecipeError: naming the first field that differs.
    """
    path = out / RECIPE
    if not resume or not path.is_file():
        return
    earlier = recipe_from_plain(json.loads(path.read_text(encoding="utf-8")))
    changed = differences(earlier, recipe)
    if changed:
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        raise RecipeError(
            f"the run in {out} was started with another {changed[0]}{more}; choose another folder, "
            "or start it anew"
        )


def open_run(
    out: Path,
    recipe: Recipe,
    resume: bool,
    model: ReferringModel | TrainedPropagator,
    accelerator: Accelerator,
) -> Path | None:
    """Make the folder ``out`` ready and return the newest checkpoint to go on from, if there is one."""
    if accelerator.is_main_process:
        if not resume:
            drop_run(out)
        out.mkdir(parents=True, exist_ok=True)
        remove_partial(out / CHECKPOINTS)
        _write(out / RECIPE, json.dumps(to_plain(recipe), indent=2) + "\n")
        if model.tokenizer is not None:
            _write(out / TOKENIZER, model.tokenizer.definition)
    accelerator.wait_for_everyone()
    checkpoints = list_checkpoints(out / CHECKPOINTS)
    return checkpoints[-1] if checkpoints else None


def drop_run(out: Path) -> None:
    """Remove the files of an earlier run in ``out``, and nothing else."""
    for name in (CHECKPOINTS, MODEL, "tensorboard"):
        shutil.rmtree(out / name, ignore_errors=True)
    for name in (RECIPE, LOG_NAME, TOKENIZER):
        (out / name).unlink(missing_ok=True)


def write_model(
    out: Path,
    model: ReferringModel | TrainedPropagator,
    average: AveragedWeights | None,
    accelerator: Accelerator,
    save: Save,
) -> Path:
    """Write the trained weights (averaged, where there are averages) in a folder for whoever loads them."""
    folder = out / MODEL
    if accelerator.is_main_process:
        if average is not None:
            average.swap(model)
        if isinstance(model, TrainedPropagator):
            save_propagator(model, folder)
        else:
            save(model, folder)
        if average is not None:
            average.swap(model)
    accelerator.wait_for_everyone()
    return folder


def _write(path: Path, text: str) -> None:
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)
