"""Frames a second on one core of the synthetic world: what is drawn, what is proven, what is read.

Run: python benchmarks/synthetic_speed.py [--size 192 320] [--clips 40]
"""

import argparse
import os
import platform
import time
from collections.abc import Callable

import numpy as np

from deixis.synthetic.expressions import describe
from deixis.synthetic.render import RenderedClip, render
from deixis.synthetic.sampling import sample_scene
from deixis.synthetic.scene import SceneSettings


def _draw(clip: RenderedClip) -> None:
    _ = clip.masks, clip.frames


def _draw_all(clip: RenderedClip) -> None:
    _ = clip.masks, clip.amodal_masks, clip.boxes, clip.visibility, clip.frames, clip.flow


def _describe(clip: RenderedClip) -> None:
    describe(clip, np.random.default_rng(clip.scene.seed))


def _record(clip: RenderedClip) -> None:
    _describe(clip)
    _draw(clip)


TASKS: dict[str, Callable[[RenderedClip], None]] = {
    "frames and masks": _draw,
    "frames, masks, amodal masks, boxes, visibility, flow": _draw_all,
    "masks and expressions": _describe,
    "a record read whole (frames, masks, expressions)": _record,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, nargs=2, default=(192, 320), metavar=("HEIGHT", "WIDTH"))
    parser.add_argument("--length", type=int, default=16)
    parser.add_argument("--clips", type=int, default=40)
    options = parser.parse_args()
    settings = SceneSettings(size=tuple(options.size), length=options.length)
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, numpy {np.__version__}")
    height, width = options.size
    print(f"{options.clips} clips of {options.length} frames of {height}x{width}, one process")
    for name, task in TASKS.items():
        task(render(sample_scene(0, settings)))
        start = time.process_time()
        for seed in range(options.clips):
            task(render(sample_scene(seed, settings)))
        seconds = time.process_time() - start
        print(f"{options.clips * options.length / seconds:8.0f} frames/s/core  {name}")


if __name__ == "__main__":
    main()
