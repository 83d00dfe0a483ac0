"""The ablation of HINet's supplement (Figure 1) at tiny scale: five variants, trained and compared.

    python benchmarks/hinet_ablation.py --out out/ablation --minutes 12 --seeds 1 2 3

Trains ``hinet-tiny-{single-level,static,vision-flow,gate-flow,full}`` on the rendered world, each with every
seed, one after another on the same clips, and scores them on clips that they have not seen. Writes
``ablation.json``, ``ablation.md`` (mean and spread over seeds) and ``ablation.png`` (frame, truth, variants).
A run that is finished is not done again, one that was stopped goes on: the same command, with more seeds or
variants if you like. With ``--steps`` all variants see as many clips; with ``--minutes`` each gets the same
time.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
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
)
from ablation import write_results as write_tables
from PIL import Image, ImageDraw

from deixis import Segmenter
from deixis.data.records import VideoRecord
from deixis.errors import DeixisError
from deixis.evaluation.predictor import read_frames
from deixis.evaluation.record import ResultRecord, load_record
from deixis.evaluation.run import RECORD_FILE
from deixis.evaluation.segmenting import predict_with
from deixis.evaluation.synthetic import find_records
from deixis.models.hinet.config import SWITCHES
from deixis.recipes import find_recipe
from deixis.training.folder import MODEL
from deixis.training.recipe import Recipe

KINDS = ("appearance", "location", "motion", "relation")
COLUMNS = ("J&F", "J", "F", "mean IoU", *(f"J {kind}" for kind in KINDS), "absent empty")
COLOUR = (255, 64, 32)
GAP, HEADER = 4, 14


def main() -> None:
    options = read_options()
    settings = settings_of(options, (*TRAINING, "split", "clips"))
    options.out.mkdir(parents=True, exist_ok=True)
    check_settings(options.out, settings)
    records = find_records(options.split, options.clips)
    for seed in options.seeds:
        for variant in options.variants:
            folder = run_folder(options.out, variant, seed)
            run(recipe_of(variant, seed, options), folder, records, options)
            write_results(options.out, settings)
    if options.pictures:
        write_picture(options, records)
    print((options.out / "ablation.md").read_text(encoding="utf-8"))


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_training_options(parser)
    parser.add_argument("--variants", nargs="+", default=list(SWITCHES), choices=list(SWITCHES))
    parser.add_argument("--split", default="val", choices=("val", "test"))
    parser.add_argument("--clips", type=int, default=50, help="that are scored")
    parser.add_argument("--pictures", type=int, default=6, help="rows of the picture")
    return parse(parser)


def recipe_of(variant: str, seed: int, options: argparse.Namespace) -> Recipe:
    """Return the recipe of one run."""
    return changed_recipe(find_recipe(f"hinet-tiny-{variant}"), seed, options)


def run(
    recipe: Recipe, folder: Path, records: Sequence[VideoRecord], options: argparse.Namespace
) -> ResultRecord:
    """Train and score one variant, or take what is there."""
    scores = folder / "scores"
    if (result := found_result(scores)) is not None:
        return result
    segmenter = Segmenter(train_once(recipe, folder, options.device), device=options.device)
    predict = predict_with(segmenter)
    return score(segmenter, predict, records, scores, model=recipe.model, split=options.split)


def figures_of(result: ResultRecord) -> dict[str, float]:
    """Return the columns of the table in hundredths."""
    whole, by_kind = result.figures, result.figures_by_kind
    values = [whole.region_and_contour, whole.region, whole.contour, whole.mean_iou]
    values += [by_kind[kind].region if kind in by_kind else float("nan") for kind in KINDS]
    return dict(zip(COLUMNS, (100 * value for value in (*values, whole.absent_empty_share)), strict=True))


def write_results(out: Path, settings: Mapping[str, Any]) -> None:
    """Write table and figures of all runs that are finished."""
    runs: dict[str, dict[str, dict[str, float]]] = {}
    for variant in SWITCHES:
        for path in sorted(out.glob(f"{variant}-seed*/scores/{RECORD_FILE}")):
            seed = path.parts[-3].removeprefix(f"{variant}-seed")
            figures = {**figures_of(load_record(path)), "steps": last_step(path.parents[1])}
            runs.setdefault(variant, {})[seed] = figures
    write_tables(out, "ablation", settings, runs, COLUMNS, "variant")


def write_picture(options: argparse.Namespace, records: Sequence[VideoRecord]) -> None:
    """Write a row for each of some expressions about motion: frame, truth, and each variant's mask."""
    shown = [(record, place) for record in records if (place := motion_expression(record)) is not None]
    shown = shown[: options.pictures]
    titles, columns = ["frame", "truth"], [[], []]
    for record, place in shown:
        middle = len(record.frame_names) // 2
        frame = record.frames.read([middle])[0]
        assert record.masks is not None
        truth = record.masks.read([middle], record.expressions[place].object_ids)[0, 0]
        columns[0].append(frame)
        columns[1].append(painted(frame, truth))
    for variant in options.variants:
        folder = run_folder(options.out, variant, options.seeds[0])
        segmenter = Segmenter(folder / MODEL, device=options.device)
        titles.append(variant)
        columns.append([masked(segmenter, record, place) for record, place in shown])
    captions = [record.expressions[place].text for record, place in shown]
    table_of_pictures(titles, columns, captions).save(options.out / "ablation.png", optimize=True)


def motion_expression(record: VideoRecord) -> int | None:
    """Return the first expression about motion that denotes one object, seen in the middle frame."""
    middle = len(record.frame_names) // 2
    assert record.masks is not None
    for place, expression in enumerate(record.expressions):
        is_about_motion = "motion" in expression.kinds and len(expression.object_ids) == 1
        if is_about_motion and record.masks.read([middle], expression.object_ids).any():
            return place
    return None


def masked(segmenter: Segmenter, record: VideoRecord, place: int) -> np.ndarray:
    """Return the middle frame with the mask of an expression."""
    frames = list(read_frames(record))
    middle = len(frames) // 2
    prediction = segmenter(frames, [record.expressions[place].text])
    return painted(frames[middle], prediction.masks(0)[middle])


def painted(frame: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return ``frame [H, W, 3]`` with ``mask [H, W]`` in colour, the rest in dimmed grey."""
    grey = np.repeat(frame.mean(axis=2, keepdims=True) * 0.6, 3, axis=2)
    return np.where(mask[..., None], 0.5 * frame + 0.5 * np.array(COLOUR), grey).astype(np.uint8)


def table_of_pictures(
    titles: Sequence[str], columns: Sequence[Sequence[np.ndarray]], captions: Sequence[str]
) -> Image.Image:
    """Put pictures of one size side by side, with a title over each column and a caption under each row."""
    height, width = columns[0][0].shape[:2]
    across, down = width + GAP, height + HEADER + GAP
    sheet = Image.new("RGB", (len(titles) * across - GAP, HEADER + len(captions) * down), "white")
    draw = ImageDraw.Draw(sheet)
    for place, (title, column) in enumerate(zip(titles, columns, strict=True)):
        draw.text((place * across + 2, 1), title, fill="black")
        for row, picture in enumerate(column):
            sheet.paste(Image.fromarray(picture), (place * across, HEADER + row * down))
    for row, caption in enumerate(captions):
        draw.text((2, HEADER + row * down + height + 1), caption, fill="black")
    return sheet


if __name__ == "__main__":
    try:
        main()
    except DeixisError as error:
        raise SystemExit(f"hinet_ablation: {error}") from error
