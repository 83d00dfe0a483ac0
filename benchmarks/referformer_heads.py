"""Table D3 of ReferFormer's supplement at tiny scale: class-agnostic against class-discriminative heads.

    python benchmarks/referformer_heads.py --init-from runs/mttr-tiny-synthetic-concepts/model --steps 45

Trains ``referformer-tiny-synthetic`` (is it the referent?) and ``referformer-tiny-synthetic-shapes`` (which
of 12 shapes is the referent?) with every seed, for the same steps on the same clips, and scores them on the
first clips of synthetic/val: ``J``, the mean region similarity of the query of the best score, no mask left
out; ``matched query``, the same if every expression got the best of all queries; ``absent AUC``, how often an
expression that nothing answers gets a lower score than one that has a referent. A run that is finished is not
done again, one that was stopped goes on.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from deixis.data.records import VideoRecord
from deixis.evaluation.predictor import read_frames
from deixis.evaluation.synthetic import find_records
from deixis.metrics.region import region_similarity
from deixis.models.base import ReferringModel
from deixis.models.loading import load
from deixis.ops.atomic import write_atomically
from deixis.recipes import find_recipe
from deixis.structures import Clip, Trajectories
from deixis.training.loop import train
from deixis.training.recipe import Schedule

VARIANTS = {
    "class-agnostic": "referformer-tiny-synthetic",
    "class-discriminative": "referformer-tiny-synthetic-shapes",
}
FIGURES = ("J", "matched query", "absent AUC")


@torch.inference_mode()
def look(model: ReferringModel, record: VideoRecord) -> tuple[Trajectories, np.ndarray]:
    """Return the trajectories of all expressions of a clip and all their masks, ``bool [e, t, q, H, W]``."""
    assert model.tokenizer is not None
    inputs = model.config.inputs
    frames = torch.from_numpy(np.stack(list(read_frames(record)))).float() / 255  # t H W 3
    frames = (frames - torch.tensor(inputs.mean)) / torch.tensor(inputs.std)
    clip = Clip(frames.permute(0, 3, 1, 2)[None], torch.zeros(1, *frames.shape[:3], dtype=torch.bool))
    with torch.autocast("cpu", torch.bfloat16):
        text = model.encode_text(model.tokenizer([e.text for e in record.expressions]))
        output = model(model.encode_video(clip), text)
        found = model.postprocess(output)
        queries = torch.arange(found.scores.shape[1]).expand(found.scores.shape)
        logits = found.make_mask_logits(queries).float()  # e t q h w
    full = F.interpolate(logits.flatten(1, 2), size=frames.shape[1:3], mode="bilinear")
    return found, (full > 0).unflatten(1, logits.shape[1:3]).numpy()


def score(model: ReferringModel, records: list[VideoRecord]) -> dict[str, float]:
    """Return the figures of the table, in percent."""
    chosen, matched, present, absent = [], [], [], []
    for record in records:
        found, masks = look(model, record)
        assert record.masks is not None
        truths = record.masks.read(range(masks.shape[1]), record.object_ids)
        for index, expression in enumerate(record.expressions):
            best = int(found.best[index])
            (present if expression.object_ids else absent).append(float(found.scores[index, best]))
            if not expression.object_ids:
                continue
            truth = np.asarray(
                truths[[record.object_ids.index(name) for name in expression.object_ids]].any(axis=0)
            )
            queries = range(masks.shape[2])
            each = [float(region_similarity(masks[index, :, query], truth).mean()) for query in queries]
            chosen.append(each[best])
            matched.append(max(each))
    order = np.array(present)[:, None] - np.array(absent)[None]
    values = (np.mean(chosen), np.mean(matched), ((order > 0) + 0.5 * (order == 0)).mean())
    return {name: 100 * float(value) for name, value in zip(FIGURES, values, strict=True)}


def run(name: str, seed: int, options: argparse.Namespace) -> dict[str, float]:
    """Train and score one model, or read what was found before."""
    out = options.out / f"{name}-{seed}"
    path = out / "figures.json"
    settings = {"steps": options.steps, "clips": options.clips}
    if path.exists():
        stored = json.loads(path.read_text(encoding="utf-8"))
        if stored["settings"] != settings:
            raise SystemExit(
                f"{out} was made with {stored['settings']}, not {settings}; choose another --out"
            )
        return stored["figures"]
    recipe = replace(
        find_recipe(name),
        seed=seed,
        steps=options.steps,
        time_limit=0.0,
        schedule=Schedule(kind="cosine", warmup=0.1, final=0.05),
        ema=0.9,
        log_every=10,
        init_from=options.init_from,
    )
    model = load(train(recipe, out, device="cpu", show_progress=False), device="cpu")
    figures = score(model, list(find_records("val", options.clips)))
    write_atomically(path, json.dumps({"settings": settings, "figures": figures}, indent=2).encode())
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--init-from", default="runs/mttr-tiny-synthetic-concepts/model")
    parser.add_argument("--out", type=Path, default=Path("out/referformer_heads"))
    parser.add_argument("--steps", type=int, default=45)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--clips", type=int, default=12)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    found: dict[str, list[dict[str, float]]] = {heads: [] for heads in VARIANTS}
    for seed in options.seeds:  # pairs first: a run that is stopped leaves something to compare
        for heads, name in VARIANTS.items():
            found[heads].append(run(name, seed, options))
            print(heads, seed, {key: round(value, 1) for key, value in found[heads][-1].items()}, flush=True)
    print(
        f"{options.steps} steps, {options.clips} clips of synthetic/val, seeds {options.seeds}: mean ± spread"
    )
    print(f"| heads | {' | '.join(FIGURES)} |")
    print(f"| --- |{' --- |' * len(FIGURES)}")
    for heads, rows in found.items():
        columns = [np.array([row[figure] for row in rows]) for figure in FIGURES]
        cells = [
            f"{column.mean():.1f} ± {column.std(ddof=1 if len(column) > 1 else 0):.1f}" for column in columns
        ]
        print(f"| {heads} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
