"""The memory read of STCN against the published one: `python benchmarks/stcn_speed.py --published FOLDER`.

FOLDER is a checkout of the authors' repository; without it ours is timed alone. Both read the same random
bank in the same run: the one that stands at video frame ``--frame``, where every 5th frame is remembered.
Results are compared, too. Times are the least of ``--repeats`` runs in CPU seconds of the process, after one
that does not count; ``step`` is the rest of a frame, which does not grow: key encoder and decoder.
"""

import argparse
import importlib.util
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from mttr_speed import processor_name

from deixis.inference.record import versions
from deixis.propagators.stcn.config import StcnShape
from deixis.propagators.stcn.memory import MemoryBank, read, remember
from deixis.propagators.stcn.network import StcnNetwork

STRIDE = StcnShape().strides[-1]


def best_of(repeats: int, function: Callable[[], Any]) -> tuple[float, Any]:
    """Return the least CPU seconds and the result."""
    seconds, result = [], None
    for _ in range(repeats + 1):
        started = time.process_time()
        result = function()
        seconds.append(time.process_time() - started)
    return round(min(seconds[1:]), 4), result


def published_bank(folder: Path, num_objects: int, top_k: int) -> Any:
    """Return an empty bank of the published code."""
    path = folder / "inference_memory_bank.py"
    specification = importlib.util.spec_from_file_location("published_memory", path)
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module.MemoryBank(k=num_objects, top_k=top_k)


def measure(arguments: argparse.Namespace, num_objects: int) -> dict[str, Any]:
    """Fill both banks alike and read them."""
    height, width = (-(-side // STRIDE) for side in arguments.size)
    source = torch.Generator().manual_seed(0)
    bank: MemoryBank | None = None
    theirs = published_bank(arguments.published, num_objects, 20) if arguments.published else None
    num_frames = (arguments.frame - 1) // 5 + 1
    for _ in range(num_frames):
        key = torch.randn(1, 64, height, width, generator=source)
        value = torch.randn(num_objects, 512, height, width, generator=source)
        bank = remember(bank, key, value, is_given=False)
        if theirs is not None:
            theirs.add_memory(key[:, :, None], value[:, :, None])
    assert bank is not None
    memory, query = bank, torch.randn(1, 64, height, width, generator=source)
    row: dict[str, Any] = {"objects": num_objects, "memory_frames": num_frames}
    row["ours"], found = best_of(arguments.repeats, lambda: read(memory, query, 20))
    if theirs is not None:
        row["published"], expected = best_of(arguments.repeats, lambda: theirs.match_memory(query))
        difference = (found - expected.reshape(found.shape)).abs().max() / expected.abs().max()
        row |= {"ratio": round(row["published"] / row["ours"], 2), "error": float(difference)}
    if arguments.step:
        row["step"] = measure_step(arguments, found)
    return row


def measure_step(arguments: argparse.Namespace, readout: torch.Tensor) -> float:
    """Return the CPU seconds of what else a frame costs."""
    network = StcnNetwork().eval()
    height, width = (side * STRIDE for side in readout.shape[-2:])
    frame = torch.zeros(1, 3, height, width)
    return best_of(arguments.repeats, lambda: network.decode(readout, network.encode_key(frame)))[0]


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--published", type=Path, help="checkout of the authors' repository")
    parser.add_argument("--size", type=int, nargs=2, default=(480, 854), metavar=("HEIGHT", "WIDTH"))
    parser.add_argument("--frame", type=int, default=100, help="of the video, from 0")
    parser.add_argument("--objects", type=int, nargs="+", default=[1, 3])
    parser.add_argument("--step", action="store_true", help="time encoder and decoder, too")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3)
    return parser.parse_args()


def main() -> None:
    arguments = parse()
    torch.set_num_threads(arguments.threads)
    with torch.inference_mode():
        rows = [measure(arguments, number) for number in arguments.objects]
    report = {
        "size": list(arguments.size),
        "frame": arguments.frame,
        "device": processor_name(),
        "threads": torch.get_num_threads(),
        "versions": versions(),
        "cpu_seconds": rows,
    }
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
