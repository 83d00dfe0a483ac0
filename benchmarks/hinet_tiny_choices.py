"""Whether the sentence picks the right one of several things that were found, by what it speaks of.

    python benchmarks/hinet_tiny_choices.py [--worlds synthetic synthetic-wild] [--clips 40] [--split test]

Goes through rendered clips as ``hinet-tiny`` does. In a frame in which it found at least two objects apart (a
thing and an object overlap by ``FOUND`` or more), every sentence about one of these chooses among them. Where
several are chosen, each has its share. Chance is one over the number of objects; frames are averaged to
sentences, these to a row for each kind of knowledge that was read in them. What is not found, nobody can
pick: finding is what ``deixis evaluate`` judges.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from unittest.mock import patch

import numpy as np
import torch
from jaxtyping import Bool

import deixis
import deixis.models.hinet_tiny.model as model_module
from deixis.data.records import VideoRecord
from deixis.models.hinet_tiny.choice import answer, pick
from deixis.models.hinet_tiny.request import Request
from deixis.models.hinet_tiny.sentence import read_sentence
from deixis.models.hinet_tiny.things import Seen
from deixis.synthetic.worlds import rendered_records

FOUND = 0.3


@dataclass(frozen=True)
class Pick:
    """One sentence: what was read in it, how often it picked the right thing, and how often chance would."""

    kinds: tuple[str, ...]
    right: float
    chance: float


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--worlds", nargs="+", default=["synthetic", "synthetic-wild"])
    parser.add_argument("--clips", type=int, default=40, help="of each world")
    parser.add_argument("--split", default="test", choices=("val", "test"))
    parser.add_argument("--threads", type=int, default=0, help="of the CPU; 0: all")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    segmenter = deixis.Segmenter("hinet-tiny", device="cpu")
    picks: list[Pick] = []
    for world in options.worlds:
        for record in rendered_records(world, options.split, options.clips):
            picks.extend(picks_of(segmenter, record))
    print(render_table(picks))


def picks_of(segmenter: deixis.Segmenter, record: VideoRecord) -> Iterator[Pick]:
    """Let every sentence about one object of a clip choose, in the frames in which it can."""
    assert record.masks is not None
    times, ids = range(len(record.frame_names)), list(record.object_ids)
    seen = things_of(segmenter, record)
    truth = record.masks.read(times, ids)  # n t H W
    owners = [owners_of(frame, truth[:, time]) for time, frame in enumerate(seen)]
    for expression in record.expressions:
        if len(expression.object_ids) != 1:
            continue
        request, wanted = read_sentence(expression.text), ids.index(expression.object_ids[0])
        right, chance = [], []
        for frame, owner in zip(seen, owners, strict=True):
            apart = {one for one in owner if one is not None}
            if wanted not in apart or len(apart) < 2:
                continue
            is_chosen, _ = pick(request, frame.things)
            chosen = {owner[place] for place in np.flatnonzero(is_chosen).tolist()} - {None}
            right.append((wanted in chosen) / max(len(chosen), 1))
            chance.append(1 / len(apart))
        if right:
            yield Pick(kinds_of(request), float(np.mean(right)), float(np.mean(chance)))


def things_of(segmenter: deixis.Segmenter, record: VideoRecord) -> list[Seen]:
    """Return what the model sees in each frame of a clip, before any sentence."""
    seen: list[Seen] = []

    def note(frame: Seen, requests: Sequence[Request]) -> object:
        seen.append(frame)
        return answer(frame, requests)

    with patch.object(model_module, "answer", note):
        segmenter(record.frames.read(range(len(record.frame_names))), ["everything that moves"])
    return seen


def owners_of(seen: Seen, truth: Bool[np.ndarray, "n H W"]) -> list[int | None]:
    """Return the object that each thing is, by index; None where it is none."""
    height, width = seen.labels.shape
    rows = np.arange(height) * truth.shape[1] // height
    columns = np.arange(width) * truth.shape[2] // width
    objects = truth[:, rows][:, :, columns]
    owners: list[int | None] = []
    for number in range(1, len(seen.things) + 1):
        mask = seen.labels == number
        overlaps = (objects & mask).sum(axis=(1, 2)) / np.maximum((objects | mask).sum(axis=(1, 2)), 1)
        owners.append(int(overlaps.argmax()) if overlaps.max(initial=0) >= FOUND else None)
    return owners


def kinds_of(request: Request) -> tuple[str, ...]:
    """Name the kinds of knowledge that were read in a sentence."""
    read = {
        "category": request.categories,
        "colour": any(claim.is_said for claim in request.colours),
        "place": request.places,
        "direction": request.directions,
        "size": request.size,
        "order": request.order,
    }
    return tuple(name for name, value in read.items() if value) or ("none of these",)


def render_table(picks: Sequence[Pick]) -> str:
    """Return how often each kind of sentence is right, in percent, as Markdown."""
    kinds: dict[str, list[Pick]] = defaultdict(list)
    for one in picks:
        for kind in ("all", *one.kinds):
            kinds[kind].append(one)
    lines = ["| sentences with | number | right thing | by chance |", "| --- | ---: | ---: | ---: |"]
    for kind, chosen in sorted(kinds.items(), key=lambda item: -len(item[1])):
        right = 100 * np.mean([one.right for one in chosen])
        chance = 100 * np.mean([one.chance for one in chosen])
        lines.append(f"| {kind} | {len(chosen)} | {right:.0f} | {chance:.0f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
