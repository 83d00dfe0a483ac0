"""CPU time of MTTR, random weights: `python benchmarks/mttr_speed.py [--frames 8 10] [--expressions 1 5]`.

From normalised pixels and token ids of one window to the mask logits of each expression's referent; the video
side runs once per window. Operations for 8 frames of 320x576: backbone 133 GMAC (see
``deixis.backbones.video_swin``); of each expression: encoder 30, decoder 4, pixel decoder 9 GMAC.

Times are the least of ``--repeats`` runs in CPU seconds of the process: other programs disturb them little.
"""

import argparse
import json
import platform
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import torch

from deixis.inference.record import versions
from deixis.models.base import ReferringModel
from deixis.models.mttr.config import VARIANTS
from deixis.models.mttr.model import Mttr
from deixis.structures import Clip, Tokens


def make_inputs(
    num_frames: int, size: tuple[int, int], num_expressions: int, words: int
) -> tuple[Clip, Tokens]:
    generator = torch.Generator().manual_seed(0)
    frames = torch.randn(1, num_frames, 3, *size, generator=generator)
    ids = torch.randint(5, 1000, (num_expressions, words), generator=generator)
    clip = Clip(frames, torch.zeros(1, num_frames, *size, dtype=torch.bool))
    return clip, Tokens(ids, torch.zeros_like(ids, dtype=torch.bool))


def measure(model: ReferringModel, clip: Clip, tokens: Tokens, repeats: int) -> dict[str, float]:
    """Return the CPU seconds of each part and of all together."""
    best: dict[str, float] = {}

    def timed(part: str, function: Callable[[], Any]) -> Any:
        started = time.process_time()
        result = function()
        best[part] = min(best.get(part, float("inf")), time.process_time() - started)
        return result

    def run() -> None:
        video = timed("video", lambda: model.encode_video(clip))
        text = timed("text", lambda: model.encode_text(tokens))
        output = timed("fusion", lambda: model(video, text))
        timed("masks", lambda: choose(model, output))

    with torch.inference_mode():
        for _ in range(repeats):
            timed("total", run)
    return {part: round(seconds, 4) for part, seconds in best.items()}


def choose(model: ReferringModel, output: Any) -> torch.Tensor:
    trajectories = model.postprocess(output)
    return trajectories.make_mask_logits(trajectories.best[:, None])


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="mttr-video-swin-t-a2d", choices=sorted(VARIANTS))
    parser.add_argument("--size", type=int, nargs=2, default=(320, 576), metavar=("HEIGHT", "WIDTH"))
    parser.add_argument("--frames", type=int, nargs="+", default=[8, 10, 12])
    parser.add_argument("--expressions", type=int, nargs="+", default=[1, 5])
    parser.add_argument("--words", type=int, default=10, help="tokens of an expression")
    parser.add_argument("--centre", action="store_true", help="masks of the centre frame only, as for A2D")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="print JSON in place of the table")
    return parser.parse_args()


def main() -> None:
    arguments = parse()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    model = Mttr(VARIANTS[arguments.model]).eval()
    rows = []
    for num_frames, num_expressions in product(arguments.frames, arguments.expressions):
        clip, tokens = make_inputs(num_frames, tuple(arguments.size), num_expressions, arguments.words)
        if arguments.centre:
            clip = replace(clip, annotated_frames=(num_frames // 2,))
        seconds = measure(model, clip, tokens, arguments.repeats)
        rows.append({"frames": num_frames, "expressions": num_expressions, **seconds})
    report = {
        "model": arguments.model,
        "size": list(arguments.size),
        "words": arguments.words,
        "frames_with_masks": "centre" if arguments.centre else "all",
        "repeats": arguments.repeats,
        "device": processor_name(),
        "vectors": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
        "versions": versions(),
    }
    if arguments.json:
        print(json.dumps({**report, "cpu_seconds": rows}, indent=1))
        return
    for name, value in report.items():
        print(f"{name:>17}  {value}")
    print("\nCPU seconds")
    print("  ".join(f"{name:>11}" for name in rows[0]))
    for row in rows:
        print("  ".join(f"{value:>11}" for value in row.values()))


def processor_name() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


if __name__ == "__main__":
    main()
