"""Whether the sentence picks the right one of several things that move, by what it speaks of.

    python benchmarks/hinet_tiny_choices.py [--world synthetic|synthetic-wild] [--clips 100] [--split test]

On rendered clips in which at least two things are found by "everything that moves", every sentence about one
of these is asked; the answer is the thing that it covers most of. Chance is one over the number of things
found. What is not found, nobody can pick: finding is what ``deixis evaluate`` judges.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool

import deixis
from deixis.data.records import VideoRecord
from deixis.models.loading import load
from deixis.synthetic.worlds import rendered_records

FOUND = 0.5
"""Share of a thing's pixels that "everything that moves" must cover."""
EVERYTHING = "everything that moves"


@dataclass(frozen=True)
class Pick:
    """One sentence: its kinds, whether the right thing was picked, and how likely by chance."""

    kinds: tuple[str, ...]
    is_right: bool
    chance: float


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--world", default="synthetic-wild", choices=("synthetic", "synthetic-wild"))
    parser.add_argument("--clips", type=int, default=100)
    parser.add_argument("--split", default="test", choices=("val", "test"))
    parser.add_argument("--model", default="hinet-tiny")
    parser.add_argument("--threads", type=int, default=0, help="of the CPU; 0: all")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    model = load(options.model, device="cpu")
    # The choice is judged by itself: no mask is emptied.
    model.config = replace(model.config, inputs=replace(model.config.inputs, presence_threshold=None))
    segmenter = deixis.Segmenter(model, device="cpu")
    picks: list[Pick] = []
    for record in rendered_records(options.world, options.split, options.clips):
        picks.extend(picks_of(segmenter, record))
    print(render_table(picks))


def picks_of(segmenter: deixis.Segmenter, record: VideoRecord) -> Iterator[Pick]:
    """Ask every sentence about one of the things of a clip that were found."""
    assert record.masks is not None
    times, ids = range(len(record.frame_names)), list(record.object_ids)
    asked = [one for one in record.expressions if len(one.object_ids) == 1]
    prediction = segmenter(record.frames.read(times), [EVERYTHING, *(one.text for one in asked)])
    truth = record.masks.read(times, ids)
    covered = shares(truth, prediction.masks(0))
    found = [place for place, share in enumerate(covered) if share >= FOUND]
    if len(found) < 2:
        return
    for index, expression in enumerate(asked):
        place = ids.index(expression.object_ids[0])
        if place in found:
            picked = shares(truth[found], prediction.masks(index + 1))
            is_right = bool(max(picked) > 0 and found[int(np.argmax(picked))] == place)
            yield Pick(tuple(expression.kinds), is_right, 1 / len(found))


def shares(truth: Bool[np.ndarray, "n t H W"], mask: Bool[np.ndarray, "t H W"]) -> list[float]:
    """Return how much of each thing is covered."""
    return [float((one & mask).sum() / max(one.sum(), 1)) for one in truth]


def render_table(picks: Sequence[Pick]) -> str:
    """Return how often each kind of sentence is right, in percent, as Markdown."""
    kinds: dict[str, list[Pick]] = defaultdict(list)
    for pick in picks:
        for kind in ("all", *pick.kinds):
            kinds[kind].append(pick)
    lines = ["| sentences about | number | right thing | by chance |", "| --- | --- | --- | --- |"]
    for kind, chosen in sorted(kinds.items(), key=lambda item: -len(item[1])):
        right = 100 * np.mean([pick.is_right for pick in chosen])
        chance = 100 * np.mean([pick.chance for pick in chosen])
        lines.append(f"| {kind} | {len(chosen)} | {right:.0f} | {chance:.0f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
