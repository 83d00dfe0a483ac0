"""What bounding STCN's memory costs: `python benchmarks/stcn_bounded.py --clips 6 --frames 240`.

Rendered clips (seeds that no split has) are followed from the masks of their first frame, once with each
policy: all memory frames kept, as published, and the given frame with the newest ``--max-frames``. ``J`` and
``F`` are means over all frames but the first and the last, then over objects (DAVIS); ``late`` is J over the
last quarter of each clip; ``loss`` is what J&F falls behind the first policy, with the standard error of the
difference over objects; ``MiB`` is the largest memory bank. ``copy`` is the first frame's masks repeated.

``--checkpoint`` names weights of ``--name``, without it those that ship inside the package are taken.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from deixis.data.records import VideoRecord
from deixis.metrics.contour import contour_accuracy
from deixis.metrics.region import region_similarity
from deixis.propagators import build
from deixis.propagators.base import ObjectMasks, Propagator
from deixis.propagators.copying import CopyPropagator
from deixis.propagators.stcn.propagator import StcnPropagator
from deixis.synthetic.benchmark import SceneRecords
from deixis.synthetic.scene import SceneSettings
from deixis.synthetic.wild.benchmark import WildRecords
from deixis.synthetic.wild.scene import WildSettings

FIRST_SEED = 91_000_000
SMALLEST = 64
"""Pixels of an object in the first frame that is followed."""


def clips_of(world: str, count: int, length: int) -> Sequence[VideoRecord]:
    """Return ``count`` clips of ``length`` frames."""
    if world == "synthetic":
        return SceneRecords("bounded", SceneSettings(length=length), FIRST_SEED, count)
    return WildRecords("bounded", replace(WildSettings(), length=length), FIRST_SEED, count)


def follow(
    propagator: Propagator, frames: np.ndarray, masks: np.ndarray, ids: tuple[int, ...]
) -> tuple[np.ndarray, int]:
    """Follow ``masks [k H W]`` of the first frame; return ``bool [k t H W]`` and the bytes of the bank."""
    state, found, largest = propagator.start(), [], 0
    given: ObjectMasks | None = ObjectMasks(ids, torch.from_numpy(masks))
    for frame in frames:
        image = torch.from_numpy(frame).permute(2, 0, 1)
        one, state = propagator.step(image, state, given)
        found.append(one.masks.numpy())
        given = None
        bank = getattr(state, "bank", None)
        largest = max(largest, 0 if bank is None else bank.num_bytes)
    return np.stack(found, axis=1), largest


def measure(policies: dict[str, Propagator], records: Sequence[VideoRecord]) -> dict[str, dict[str, Any]]:
    """Follow the objects of all clips with every policy."""
    scores: dict[str, list[tuple[float, float, float]]] = {name: [] for name in policies}
    sizes = dict.fromkeys(policies, 0)
    for record in records:
        every = range(len(record.frame_names))
        assert record.masks is not None
        truth = record.masks.read(every, record.object_ids)
        seen = np.flatnonzero(truth[:, 0].sum(axis=(1, 2)) >= SMALLEST)
        if not len(seen):
            continue
        ids = tuple(record.object_ids[place] for place in seen)
        frames, truth = record.frames.read(every), truth[seen]
        for name, propagator in policies.items():
            found, size = follow(propagator, frames, truth[:, 0], ids)
            sizes[name] = max(sizes[name], size)
            for mine, own in zip(found[:, 1:-1], truth[:, 1:-1], strict=True):
                j = region_similarity(mine, own)
                late = j[-max(len(j) // 4, 1) :].mean()
                scores[name].append((float(j.mean()), float(contour_accuracy(mine, own).mean()), float(late)))
    return {name: summary(scores[name], scores["all"], sizes[name]) for name in policies}


def summary(
    own: list[tuple[float, float, float]], full: list[tuple[float, float, float]], size: int
) -> dict[str, Any]:
    """Return the figures of one policy, in percent."""
    rows, reference = 100 * np.array(own), 100 * np.array(full)
    difference = reference[:, :2].mean(axis=1) - rows[:, :2].mean(axis=1)
    j, f, late = rows.mean(axis=0)
    return {
        "objects": len(rows),
        "J&F": round((j + f) / 2, 2),
        "J": round(j, 2),
        "F": round(f, 2),
        "late": round(late, 2),
        "loss": round(float(difference.mean()), 2),
        "error": round(float(difference.std(ddof=1) / len(rows) ** 0.5), 2) if len(rows) > 1 else None,
        "MiB": round(size / 2**20, 2),
    }


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--name", default="stcn-tiny-synthetic")
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--worlds", nargs="+", default=["synthetic", "synthetic-wild"])
    parser.add_argument("--clips", type=int, default=6)
    parser.add_argument("--frames", type=int, default=240)
    parser.add_argument("--max-frames", type=int, nargs="+", default=[9])
    parser.add_argument("--short-side", type=int, help="of the network's frames; default: the propagator's")
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def main() -> None:
    arguments = parse()
    torch.set_num_threads(arguments.threads)
    full = build(arguments.name, arguments.checkpoint, device="cpu")
    if not isinstance(full, StcnPropagator):
        raise SystemExit(f"{arguments.name} is no STCN")
    config = replace(full.config, max_frames=None)
    if arguments.short_side:
        config = replace(config, short_side=arguments.short_side)
    policies: dict[str, Propagator] = {
        "all": StcnPropagator(full.network, config),
        **{
            f"newest {number}": StcnPropagator(full.network, replace(config, max_frames=number))
            for number in arguments.max_frames
        },
        "copy": CopyPropagator(),
    }
    report = {
        world: measure(policies, clips_of(world, arguments.clips, arguments.frames))
        for world in arguments.worlds
    }
    print(json.dumps({"clips": arguments.clips, "frames": arguments.frames, **report}, indent=1))


if __name__ == "__main__":
    main()
