"""What cutting a long video into windows changes: against the whole video at once, and the truth.

    python benchmarks/window_effect.py --model mttr-tiny-synthetic --clips 3 --frames 64

Every expression of generated clips (seeds that no split has) is segmented with each way of cutting. ``J`` is
the mean region similarity to the truth; ``agreement`` the mean IoU over space and time with the masks of the
whole video at once; ``other object`` the share of expressions where that IoU is below a half. The model must
be trained: give --checkpoint for one that is not embedded.
"""

import argparse

import numpy as np
import torch

from deixis import Segmenter
from deixis.evaluation.predictor import read_frames
from deixis.inference.windows import WindowRule
from deixis.metrics.region import region_similarity
from deixis.synthetic.benchmark import SceneRecords
from deixis.synthetic.scene import SceneSettings

FIRST_SEED = 90_000_000


def rules_of(lengths: list[int]) -> dict[str, WindowRule]:
    """Return the ways of cutting by name, the whole video first."""
    rules = {"whole": WindowRule()}
    for length in lengths:
        rules[f"linked {length}, overlap {length // 4}"] = WindowRule(length=length, overlap=length // 4)
    for length in lengths:
        rules[f"clips of {length}"] = WindowRule(length=length, is_linked=False)
    return rules


def space_time_iou(a: np.ndarray, b: np.ndarray) -> float:
    """Return the IoU of two masks ``[t, H, W]``; two empty ones agree."""
    union = (a | b).sum()
    return float((a & b).sum() / union) if union else 1.0


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="mttr-tiny-synthetic")
    parser.add_argument("--checkpoint")
    parser.add_argument("--clips", type=int, default=3)
    parser.add_argument("--frames", type=int, default=64)
    parser.add_argument("--windows", type=int, nargs="+", default=[32, 16, 8])
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    segmenter = Segmenter(options.model, checkpoint=options.checkpoint, device="cpu")
    rules = rules_of(options.windows)
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in rules}
    scenes = SceneRecords("windows", SceneSettings(length=options.frames), FIRST_SEED, options.clips)
    for record in scenes:
        named = [expression for expression in record.expressions if len(expression.object_ids) == 1]
        assert record.masks is not None
        truths = record.masks.read(range(options.frames), [e.object_ids[0] for e in named])
        frames = list(read_frames(record))
        whole: list[np.ndarray] = []
        for name, rule in rules.items():
            segmenter.rule = rule
            prediction = segmenter(frames, [expression.text for expression in named])
            masks = [prediction.masks(place) for place in range(len(named))]
            whole = whole or masks
            for mask, reference, truth in zip(masks, whole, truths, strict=True):
                similarity = float(region_similarity(mask, truth).mean())
                found[name].append((similarity, space_time_iou(mask, reference)))
    num_expressions = len(found["whole"])
    print(f"{options.model}: {options.clips} clips of {options.frames} frames, {num_expressions} expressions")
    print("| windows | J | agreement | other object |")
    print("| --- | --- | --- | --- |")
    for name, rows in found.items():
        similarities, agreements = (np.array(column) for column in zip(*rows, strict=True))
        print(
            f"| {name} | {100 * similarities.mean():.1f} | {100 * agreements.mean():.1f} "
            f"| {100 * (agreements < 0.5).mean():.1f} % |"
        )


if __name__ == "__main__":
    main()
