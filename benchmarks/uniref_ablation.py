"""Tables 2 and 3 of UniRef's supplement at tiny scale: how references are fused, and which frames they are.

    python benchmarks/uniref_ablation.py --table fusion --out out/uniref --minutes 30 --seeds 1 2 3
    python benchmarks/uniref_ablation.py --table references --out out/uniref --minutes 30 --seeds 1 2 3
    python benchmarks/uniref_ablation.py --table references --out out/final --trained runs/uniref/model

``fusion`` trains a row for every way to put sentence and masks together, each with every seed and the same
weights at the start: what the tiny recipe trains, ``parallel-add``, is what UniRef++ has, the rows
``multiply`` are the supplement's (as we read it). Judged by RVOS alone.

``references`` needs no training of its own: which of the first and the previous frame are looked at is a
switch at inference, as in the supplement. One training a seed, that of ``parallel-add``, serves all rows;
with the same ``--out`` both tables share it. ``--trained`` takes models that are there, each in the place of
a seed. Judged by RVOS, and by VOS of the objects of the first frame, whose masks are given; that frame is
not scored.

Both are judged on rendered clips that were not seen, longer than those of training (``--length``), by masks
alone: no score is too low, as scores of short trainings mostly are. A table is
written after each run: ``TABLE.json`` and ``TABLE.md``, mean and standard deviation over seeds. A run that is
finished is not done again, one that was stopped goes on with the same command.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from ablation import (
    TRAINING,
    add_training_options,
    changed_recipe,
    check_settings,
    found_result,
    last_step,
    parse,
    run_folder,
    score,
    settings_of,
    train_once,
    with_length,
    write_results,
)

from deixis import Segmenter
from deixis.data.records import Expression, VideoRecord
from deixis.errors import DeixisError
from deixis.evaluation.following import follow_record
from deixis.evaluation.predictor import Predictor
from deixis.evaluation.record import ResultRecord, load_record
from deixis.evaluation.run import RECORD_FILE
from deixis.evaluation.segmenting import predict_with
from deixis.evaluation.synthetic import find_records
from deixis.models.base import ReferringModel
from deixis.models.loading import load
from deixis.propagators.base import Propagator
from deixis.propagators.uniref import UniRefPropagator
from deixis.recipes import find_recipe
from deixis.training.build import build_model
from deixis.training.recipe import Recipe
from deixis.training.sources import open_sources

ORDERS = ("parallel", "mask-first", "language-first")
FUSIONS = {f"{order}-{fusion}": (order, fusion) for fusion in ("add", "multiply") for order in ORDERS}
"""Row of the first table -> ``order`` and ``fusion`` of ``UniRefConfig``."""
BASE = "parallel-add"
"""The row that the other table is made of."""
REFERENCES = ("none", "first", "previous", "both")
DEFAULT = "both"
FIGURES = ("J&F", "J", "F")
COLUMNS = {
    "fusion": FIGURES,
    "references": tuple(f"{task} {name}" for task in ("VOS", "RVOS") for name in FIGURES),
}

Table = dict[str, dict[str, dict[str, float]]]


def main() -> None:
    options = read_options()
    settings = settings_of(options, (*TRAINING, "recipe", "trained", "split", "clips", "length"))
    settings["trained"] = [str(path) for path in options.trained]
    options.out.mkdir(parents=True, exist_ok=True)
    check_settings(options.out, settings)
    records = with_length(find_records(options.split, options.clips), options.length)
    is_fusion, text = options.table == "fusion", ""
    for _ in do_fusion(options, records) if is_fusion else do_references(options, records):
        runs = collect_fusion(options.out) if is_fusion else collect_references(options.out)
        text = write_results(
            options.out, options.table, settings, runs, COLUMNS[options.table], options.table
        )
    print(text)


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_training_options(parser)
    parser.add_argument("--table", required=True, choices=("fusion", "references"))
    parser.add_argument("--recipe", default="uniref-tiny-synthetic")
    parser.add_argument("--rows", nargs="+", help="of the table; by default all of them")
    parser.add_argument("--trained", type=Path, nargs="+", default=[], help="folders of models; no training")
    parser.add_argument("--split", default="val", choices=("val", "test"))
    parser.add_argument("--clips", type=int, default=20, help="that are scored")
    parser.add_argument("--length", type=int, default=96, help="frames of a clip that is scored")
    options = parse(parser)
    known = tuple(FUSIONS) if options.table == "fusion" else REFERENCES
    options.rows = options.rows or list(known)
    if unknown := set(options.rows) - set(known):
        parser.error(f"--rows: {min(unknown)} is none of {', '.join(known)}")
    if options.table == "fusion" and options.trained:
        parser.error("--trained goes with --table references; each fusion has a training of its own")
    return options


def do_fusion(options: argparse.Namespace, records: Sequence[VideoRecord]) -> Iterator[ResultRecord]:
    """Train and score the rows of Table 2, all of them with one seed before the next; yield after each."""
    for seed in options.seeds:
        for row in options.rows:
            folder, make = run_folder(options.out, row, seed), partial(train_row, row, seed, options)
            yield score_once("RVOS", DEFAULT, folder, make, records, options)


def do_references(options: argparse.Namespace, records: Sequence[VideoRecord]) -> Iterator[ResultRecord]:
    """Score the rows of Table 3 on one model a seed; yield after each figure."""
    models: dict[Path, Callable[[], Path]] = {
        run_folder(options.out, BASE, seed): partial(train_row, BASE, seed, options) for seed in options.seeds
    }
    if options.trained:
        numbered = enumerate(options.trained, start=1)
        models = {options.out / f"trained-seed{number}": partial(Path, path) for number, path in numbered}
    for folder, make in models.items():
        for row in options.rows:
            if row != "none":
                yield score_once("VOS", row, folder, make, records, options)
            yield score_once("RVOS", row, folder, make, records, options)


def collect_fusion(out: Path) -> Table:
    """Return the figures of all rows of Table 2 that were found so far."""
    runs: Table = {}
    for row in FUSIONS:
        for path in sorted(out.glob(f"{row}-seed*/scores-rvos-{DEFAULT}/{RECORD_FILE}")):
            steps = {"steps": float(last_step(path.parents[1]))}
            seed = path.parts[-3].rpartition("-seed")[2]
            runs.setdefault(row, {})[seed] = figures_of(load_record(path)) | steps
    return runs


def collect_references(out: Path) -> Table:
    """Return the figures of all rows of Table 3 that were found so far."""
    runs: Table = {}
    for row in REFERENCES:
        for task in ("VOS", "RVOS"):
            for path in sorted(out.glob(f"*-seed*/scores-{task.lower()}-{row}/{RECORD_FILE}")):
                name, _, seed = path.parts[-3].rpartition("-seed")
                if name not in (BASE, "trained"):
                    continue
                figures = {f"{task} {key}": value for key, value in figures_of(load_record(path)).items()}
                steps = {"steps": float(last_step(path.parents[1]))} if name == BASE else {}
                runs.setdefault(row, {}).setdefault(seed, {}).update(figures | steps)
    return runs


def score_once(
    task: str,
    references: str,
    folder: Path,
    make: Callable[[], Path],
    records: Sequence[VideoRecord],
    options: argparse.Namespace,
) -> ResultRecord:
    """Score a model that looks at ``references`` on a task, or take what was found before.

    Args:
        task: "RVOS" or "VOS".
        references: of ``UniRefConfig``.
        folder: of the run.
        make: trains the model where that was not done, and gives its folder.
        records: to score on.
        options: of the command.
    """
    scores = folder / f"scores-{task.lower()}-{references}"
    result = found_result(scores)
    if result is not None:
        return result
    model = load(make(), device=options.device)
    model.config = replace(model.config, references=references, expression_threshold=0.0, mask_threshold=0.0)
    segmenter = Segmenter(model, device=options.device)
    predict = predict_with(segmenter)
    if task == "VOS":
        records, predict = [only_objects(record) for record in records], follow_with(UniRefPropagator(model))
    settings = {"task": task, "references": references, "length": options.length}
    return score(
        segmenter, predict, records, scores, model=options.recipe, split=options.split, settings=settings
    )


def figures_of(result: ResultRecord) -> dict[str, float]:
    """Return J&F, J and F in hundredths."""
    whole = result.figures
    values = (whole.region_and_contour, whole.region, whole.contour)
    return {name: 100 * value for name, value in zip(FIGURES, values, strict=True)}


def train_row(row: str, seed: int, options: argparse.Namespace) -> Path:
    """Train a fusion, or take what is there, and return the folder of the model."""
    recipe = changed_recipe(find_recipe(options.recipe), seed, options)
    folder = run_folder(options.out, row, seed)
    return train_once(recipe, folder, options.device, fused(recipe, row, folder))


def fused(recipe: Recipe, row: str, folder: Path) -> Callable[[], ReferringModel]:
    """Return what makes the model of a recipe with the fusion of ``row``; the other weights stay the same."""

    def make() -> ReferringModel:
        torch.manual_seed(recipe.seed)
        plain = build_model(recipe, open_sources(recipe), folder)
        order, fusion = FUSIONS[row]
        model = type(plain)(replace(plain.config, order=order, fusion=fusion), plain.tokenizer)
        weights = plain.state_dict()
        model.load_state_dict({name: weights.get(name, own) for name, own in model.state_dict().items()})
        return model

    return make


def only_objects(record: VideoRecord) -> VideoRecord:
    """Return a record that asks for the objects of its first frame, which itself is not scored."""
    assert record.masks is not None
    is_seen = record.masks.read([0], record.object_ids)[:, 0].any(axis=(1, 2))
    objects = [number for number, seen in zip(record.object_ids, is_seen, strict=True) if seen]
    return replace(
        record,
        expressions=tuple(Expression(str(number), f"object {number}", (number,)) for number in objects),
        annotated_frames=tuple(range(1, len(record.frame_names))),
    )


def follow_with(propagator: Propagator) -> Predictor:
    """Make a predictor of a propagator, which is given the masks of the first frame."""

    def predict(record: VideoRecord, expressions: Sequence[str]) -> Iterator[np.ndarray]:
        objects = np.array([expression.object_ids[0] for expression in record.expressions])
        shown = replace(record, object_ids=tuple(map(int, objects)), annotated_frames=None)
        for labels in follow_record(propagator, shown):
            yield labels == objects[:, None, None]

    return predict


if __name__ == "__main__":
    try:
        main()
    except DeixisError as error:
        raise SystemExit(f"uniref_ablation: {error}") from error
