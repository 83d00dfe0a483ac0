"""Peak memory and speed of segmenting generated videos of several lengths, each in a process of its own.

    python benchmarks/segment_memory.py --model mttr-tiny-synthetic --size 360 640 --frames 120 480

Weights are random: they matter neither for memory nor for time. The whole path runs: frames are made one at a
time, windows linked, candidates kept on disk, masks made at full size and written as run lengths.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np


def frames(num_frames: int, height: int, width: int) -> Iterator[np.ndarray]:
    """Yield a slope of colours with a disc that moves over it."""
    rows, columns = np.mgrid[:height, :width]
    slope = np.stack([rows * 255 // height, columns * 255 // width, (rows + columns) % 256], axis=-1)
    for index in range(num_frames):
        centre = width * (0.5 + 0.4 * np.sin(index / 20))
        image = slope.astype(np.uint8)
        image[(rows - height / 2) ** 2 + (columns - centre) ** 2 < (height / 8) ** 2] = (250, 40, 40)
        yield image


def measure(model: str, num_frames: int, size: tuple[int, int], num_expressions: int, threads: int) -> dict:
    """Segment one video in this process; return what it took."""
    import torch

    from deixis import Segmenter
    from deixis.inference.folder import plan_outputs, write_outputs
    from deixis.inference.record import versions
    from deixis.models.registry import family_part, find_variant
    from deixis.structures import Tokens
    from deixis.video.frames import Frame, Source

    torch.set_num_threads(threads)
    family, config = find_variant(model)
    segmenter = Segmenter(family_part(family, "model").MODEL(config), device="cpu")
    expressions = [f"expression {number}" for number in range(num_expressions)]
    ids = torch.arange(3, 13).expand(num_expressions, -1)
    tokens = Tokens(ids, torch.zeros_like(ids, dtype=torch.bool))

    def read() -> Iterator[Frame]:
        images = enumerate(frames(num_frames, *size))
        return (Frame(index, index / 25, f"{index:05d}", image) for index, image in images)

    source = Source("generated", size, 25.0, num_frames, read)
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        plan = plan_outputs(Path(folder), ["json"], {})
        write_outputs(plan, segmenter.iterate(source, expressions, tokens=tokens), expressions, source)
    seconds = time.perf_counter() - begin
    return {
        "model": model,
        "frames": num_frames,
        "size": size,
        "expressions": num_expressions,
        "threads": threads,
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "seconds": round(seconds, 1),
        "versions": versions(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="mttr-tiny-synthetic")
    parser.add_argument("--frames", type=int, nargs="+", default=[120, 480])
    parser.add_argument("--size", type=int, nargs=2, default=[360, 640])
    parser.add_argument("--expressions", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    if len(options.frames) == 1:
        size = (options.size[0], options.size[1])
        print(
            json.dumps(measure(options.model, options.frames[0], size, options.expressions, options.threads))
        )
        return
    for count in options.frames:
        arguments = ["--model", options.model, "--frames", str(count), "--size", *map(str, options.size)]
        arguments += ["--expressions", str(options.expressions), "--threads", str(options.threads)]
        subprocess.run([sys.executable, __file__, *arguments], check=True)


if __name__ == "__main__":
    main()
