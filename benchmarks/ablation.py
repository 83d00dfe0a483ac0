"""What commands share that train the rows of a table with several seeds and compare them.

Settings belong to a folder: runs of others are not mixed in. A run, ``OUT/ROW-seedN``, holds its training and
its scores; one that is finished is not done again, one that was stopped goes on. Tables have the mean over
seeds and the standard deviation.
"""

import argparse
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from deixis import Segmenter
from deixis.data.records import VideoRecord
from deixis.errors import RecipeError
from deixis.evaluation.predictor import Predictor
from deixis.evaluation.record import ResultRecord, load_record
from deixis.evaluation.run import RECORD_FILE, Subject, evaluate
from deixis.inference.record import weights_hash
from deixis.models.base import ReferringModel
from deixis.ops.atomic import write_atomically
from deixis.training.checkpoint import list_checkpoints
from deixis.training.folder import CHECKPOINTS, MODEL
from deixis.training.loop import train
from deixis.training.override import override
from deixis.training.recipe import Recipe

Runs = Mapping[str, Mapping[str, Mapping[str, float]]]
"""Row of a table -> seed -> column -> figure. The column ``steps`` is written without a spread."""

TRAINING = ("steps", "minutes", "train_clips", "change")
"""Options that say how the rows are trained."""


def add_training_options(parser: argparse.ArgumentParser) -> None:
    """Add what is asked of every such command: where to, how long, on how many clips."""
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--steps", type=int, default=0, help="of each run")
    length.add_argument("--minutes", type=float, default=0.0, help="of each run, without its evaluation")
    parser.add_argument("--train-clips", type=int, default=960, help="rendered once, for all runs")
    parser.add_argument("--cache", type=Path, help="of rendered clips; by default OUT/cache")
    parser.add_argument("--change", nargs="*", default=[], metavar="FIELD=VALUE", help="of the recipes")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu"))
    parser.add_argument("--threads", type=int, default=0, help="of the CPU; 0: all")


def parse(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """Read the command line and take the threads that it gives."""
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    return options


def settings_of(options: argparse.Namespace, names: Iterable[str]) -> dict[str, Any]:
    """Return what all runs of a folder have in common."""
    return {name: getattr(options, name) for name in names}


def check_settings(out: Path, settings: Mapping[str, Any], name: str = "settings.json") -> None:
    """Refuse to mix runs of other settings into a folder."""
    path = out / name
    if not path.is_file():
        write_atomically(path, json.dumps(settings, indent=2).encode())
    earlier = json.loads(path.read_text(encoding="utf-8"))
    changed = [name for name in settings if earlier.get(name) != settings[name]]
    if changed:
        raise SystemExit(f"{out} holds runs with another {', '.join(changed)}; choose another --out")


def changed_recipe(recipe: Recipe, seed: int, options: argparse.Namespace) -> Recipe:
    """Return ``recipe`` with the seed, the clips and the length that the options give."""
    changes: dict[str, Any] = {"seed": seed}
    for place in range(len(recipe.data)):
        changes[f"data.{place}.num_clips"] = options.train_clips
        changes[f"data.{place}.cache"] = str(options.cache or options.out / "cache")
    changes |= dict(change.split("=", 1) for change in options.change)
    if options.minutes:
        changes |= {"time_limit": options.minutes, "steps": 1_000_000}
    elif options.steps:
        changes["steps"] = options.steps
    try:
        return override(recipe, changes)
    except (RecipeError, ValueError) as error:
        raise SystemExit(f"--change: {error}") from error


def run_folder(out: Path, row: str, seed: int) -> Path:
    """Return where the run of a row and a seed lies."""
    return out / f"{row}-seed{seed}"


def train_once(
    recipe: Recipe, folder: Path, device: Any, make_model: Callable[[], ReferringModel] | None = None
) -> Path:
    """Train a run, or take what is there, and return the model's folder.

    ``make_model`` gives the model where it is not the recipe's own.
    """
    if not (folder / MODEL).is_dir():
        print(f"training {folder.name}", flush=True)
        model = None if make_model is None else make_model()
        if train(recipe, folder, device=device, model=model).name != MODEL:
            raise SystemExit("stopped; the same command goes on from there")
    return folder / MODEL


def last_step(folder: Path) -> int:
    """Return how many steps a run was trained."""
    return int(list_checkpoints(folder / CHECKPOINTS)[-1].name)


def found_result(scores: Path) -> ResultRecord | None:
    """Return what was found before; None where nothing was, or not to the end."""
    path = scores / RECORD_FILE
    return load_record(path) if path.is_file() else None


def score(
    segmenter: Segmenter,
    predict: Predictor,
    records: Sequence[VideoRecord],
    scores: Path,
    *,
    model: str,
    split: str,
    settings: Mapping[str, Any] | None = None,
) -> ResultRecord:
    """Score ``predict``, which asks ``segmenter``, video by video; one that was stopped goes on."""
    subject = Subject(
        model=model,
        weights_sha256=weights_hash(segmenter.model),
        dataset="synthetic",
        split=split,
        device=str(segmenter.engine.device),
        settings=tuple((settings or {}).items()),
    )
    return evaluate(records, predict, subject, scores)


def with_length(records: Any, length: int) -> Any:
    """Return rendered records of the same seeds with clips of ``length`` frames."""
    return replace(records, settings=replace(records.settings, length=length))


def write_results(
    out: Path, stem: str, settings: Mapping[str, Any], runs: Runs, columns: Sequence[str], row: str
) -> str:
    """Write ``STEM.json`` and ``STEM.md`` and return the latter, a table of ``row`` against ``columns``."""
    table = render_table(runs, columns, row)
    plain = {"settings": dict(settings), "runs": runs}
    write_atomically(out / f"{stem}.json", json.dumps(plain, indent=2).encode())
    write_atomically(out / f"{stem}.md", table.encode())
    return table


def render_table(runs: Runs, columns: Sequence[str], row: str = "variant") -> str:
    """Return mean and standard deviation over seeds of every column as Markdown."""
    has_steps = any("steps" in one for by_seed in runs.values() for one in by_seed.values())
    header = [row, "seeds", *(["steps"] if has_steps else []), *columns]
    lines = [f"| {' | '.join(header)} |", f"| {' | '.join('---' for _ in header)} |"]
    for name, by_seed in runs.items():
        cells = [name, str(len(by_seed))]
        if has_steps:
            cells.append(f"{np.mean([one['steps'] for one in by_seed.values()]):,.0f}")
        cells += [mean_and_spread([one.get(each, math.nan) for one in by_seed.values()]) for each in columns]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def mean_and_spread(values: Sequence[float]) -> str:
    """Return the mean of ``values`` and, of more than one, their standard deviation; "-" for none."""
    known = [value for value in values if not math.isnan(value)]
    if not known:
        return "-"
    spread = f" ± {np.std(known, ddof=1):.1f}" if len(known) > 1 else ""
    return f"{np.mean(known):.1f}{spread}"
