"""A step of CFBI against the published one: `python benchmarks/cfbi_speed.py --published FOLDER`.

FOLDER is a checkout of the authors' repository; without it ours is timed alone. Both follow the same objects
in the same random frames with the same random weights, in the same run: one reference frame, one previous
frame, and the step finds the objects of the third. Their network is called as their loop over frames does, on
a CPU and without changes; only their configuration, which asks for a GPU, is read without asking. Times are
the least of ``--repeats`` runs in CPU seconds of the process, after one that does not count; ``error`` is the
largest difference of probabilities.

Of one step of ours, ``parts`` are the encoder, the distances to reference and last frame, and the head.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from mttr_speed import processor_name
from stcn_speed import best_of
from torch import Tensor
from torch.nn import functional as F

from deixis.inference.record import versions
from deixis.ops.weights import fit_weights
from deixis.propagators.cfbi.config import CfbiConfig
from deixis.propagators.cfbi.convert import to_ours
from deixis.propagators.cfbi.matching import global_distances, local_distances
from deixis.propagators.cfbi.network import CfbiNetwork, KnownFrame
from deixis.propagators.cfbi.propagator import CfbiPropagator, CfbiState


def published_network(folder: Path) -> torch.nn.Module:
    """Build the published network with ResNet-101 and random weights."""
    sys.path.insert(0, str(folder))
    with mock.patch.object(torch.cuda, "is_available", lambda: True), mock.patch.object(os, "makedirs"):
        from configs.resnet101_cfbi import cfg  # ty: ignore[unresolved-import]
    from networks.cfbi.cfbi import get_module  # ty: ignore[unresolved-import]
    from networks.deeplab.deeplab import DeepLab  # ty: ignore[unresolved-import]

    cfg.PRETRAIN = False
    return get_module()(cfg, DeepLab(backbone=cfg.MODEL_BACKBONE, freeze_bn=cfg.MODEL_FREEZE_BN)).eval()


def draw_weights(network: torch.nn.Module) -> None:
    """Draw what is constant at first, too, so that every part of the network has a say."""
    source = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, value in network.named_parameters():
            if value.dim() < 2 or "GCT" in name or name.endswith(("gamma", "beta", "alpha")):
                value.add_(0.1 * torch.randn(value.shape, generator=source))


def draw_labels(size: tuple[int, int], count: int) -> Tensor:
    """Return ``count`` boxes side by side, each a few percent of the frame."""
    labels = torch.zeros(size, dtype=torch.long)
    height, width = size
    for number in range(count):
        left = (2 * number + 1) * width // (2 * count + 1)
        labels[height // 3 : 2 * height // 3, left : left + width // (2 * count + 1)] = number + 1
    return labels


def measure(arguments: argparse.Namespace, count: int, theirs: torch.nn.Module | None) -> dict[str, Any]:
    """Time both steps with ``count`` objects."""
    network = CfbiNetwork(CfbiConfig()).eval()
    if theirs is not None:
        ours, unknown = to_ours(theirs.state_dict())
        fit_weights(network, ours, "the published network", unknown)
    size = (arguments.size[0], arguments.size[1])
    source = torch.Generator().manual_seed(1)
    smooth = torch.randn(3, 3, size[0] // 8, size[1] // 8, generator=source)
    images = F.interpolate(smooth, size, mode="bicubic")
    labels = draw_labels(size, count)
    propagator = CfbiPropagator(network)
    known = [KnownFrame(network.encode(image[None]).embeddings, labels) for image in images[:2]]
    state = CfbiState(tuple(range(1, count + 1)), (known[0],), known[1])

    def step() -> Tensor:
        return propagator.find(network.encode(images[2:]), state, size)

    row: dict[str, Any] = {"objects": count}
    row["ours"], found = best_of(arguments.repeats, step)
    row["parts"] = time_parts(network, known, images[2:], count, arguments.repeats)
    if theirs is not None:
        step = published_step(theirs, images, labels, count)
        row["published"], expected = best_of(arguments.repeats, step)
        row["ratio"] = round(row["published"] / row["ours"], 2)
        row["error"] = float((found - expected).abs().max())
    return row


def published_step(network: Any, images: Tensor, labels: Tensor, count: int) -> Callable[[], Tensor]:
    """Return the published step on the last of ``images``."""
    size = tuple(images.shape[-2:])
    known = [network.extract_feature(image[None])[0] for image in images[:2]]
    label, number = labels[None, None].float(), torch.tensor([count])
    return lambda: network.forward_for_eval([known[0]], [label], known[1], label, images[2:], size, number)[
        0
    ][0]


def time_parts(
    network: CfbiNetwork, known: list[KnownFrame], image: Tensor, count: int, repeats: int
) -> dict[str, float]:
    """Return the CPU seconds of the parts of our step."""
    frame = network.encode(image)
    placed = [one.placed(count + 1) for one in known]
    biases, windows = network.biases(count + 1), network.config.windows
    query = frame.embeddings[0]
    parts: dict[str, Callable[[], Any]] = {
        "encoder": lambda: network.encode(image),
        "global": lambda: global_distances(query, placed[:1], biases),
        "local": lambda: local_distances(query, *placed[1], biases, windows),
        "score": lambda: network.score(frame, known[:1], known[1], count + 1),
    }
    seconds = {name: best_of(repeats, part)[0] for name, part in parts.items()}
    seconds["head"] = round(seconds.pop("score") - seconds["global"] - seconds["local"], 4)
    return seconds


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--published", type=Path, help="checkout of the authors' repository")
    parser.add_argument("--size", type=int, nargs=2, default=(481, 849), metavar=("HEIGHT", "WIDTH"))
    parser.add_argument("--objects", type=int, nargs="+", default=[1, 3])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3)
    return parser.parse_args()


def main() -> None:
    arguments = parse()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    theirs = None
    if arguments.published:
        theirs = published_network(arguments.published)
        draw_weights(theirs)
    with torch.inference_mode():
        rows = [measure(arguments, number, theirs) for number in arguments.objects]
    report = {
        "size": list(arguments.size),
        "device": processor_name(),
        "threads": torch.get_num_threads(),
        "versions": versions(),
        "cpu_seconds": rows,
    }
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
