"""Milliseconds a frame on one thread of what is made of optical flow, and of the motion baseline.

Run: python benchmarks/flow_speed.py [--size 240 427] [--frames 24]
"""

import argparse
import os
import platform
import time
from collections.abc import Callable

import cv2
import numpy as np
import torch

import deixis
from deixis.flow.camera import residual_flow
from deixis.flow.cuts import is_cut
from deixis.flow.dis import PRESETS, Dis
from deixis.flow.motion import motion_map
from deixis.models.registry import find_variant
from deixis.synthetic.render import render
from deixis.synthetic.sampling import sample_scene
from deixis.synthetic.scene import SceneSettings


def _milliseconds(work: Callable[[int], object], count: int) -> float:
    """Return the median CPU time of ``work(0)`` to ``work(count - 1)``, after one that does not count."""
    work(0)
    times = []
    for index in range(count):
        begin = time.process_time()
        work(index)
        times.append(time.process_time() - begin)
    return 1000 * float(np.median(times))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, nargs=2, default=(240, 427), metavar=("HEIGHT", "WIDTH"))
    parser.add_argument("--frames", type=int, default=24)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    height, width = options.size
    clip = render(sample_scene(0, SceneSettings(size=(height, width), length=options.frames)))
    frames = np.ascontiguousarray(clip.frames)
    pairs = options.frames - 1
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, OpenCV {cv2.__version__}")
    print(f"{options.frames} rendered frames of {height}x{width}, one thread; median CPU ms")

    def report(name: str, value: float) -> None:
        print(f"{value:8.2f}  {name}", flush=True)

    report("is it a cut", _milliseconds(lambda i: is_cut(frames[i], frames[i + 1]), pairs))
    for preset in PRESETS:
        estimator = Dis(preset)
        report(
            f"flow by DIS {preset}", _milliseconds(lambda i, e=estimator: e(frames[i], frames[i + 1]), pairs)
        )
    flows = [Dis()(frames[i], frames[i + 1]) for i in range(pairs)]
    for camera in ("mean", "median", "homography"):
        report(
            f"camera motion: {camera}", _milliseconds(lambda i, c=camera: residual_flow(flows[i], c), pairs)
        )
    report("normalised map, camera motion: mean", _milliseconds(lambda i: motion_map(flows[i]), pairs))
    for name in _baselines():
        segmenter = deixis.Segmenter(name, device="cpu")
        begin = time.process_time()
        segmenter(frames, "what moves")
        report(f"{name}, everything", 1000 * (time.process_time() - begin) / options.frames)


def _baselines() -> list[str]:
    family, _ = find_variant("motion-baseline")
    return [name for name in deixis.list_models() if find_variant(name)[0] == family]


if __name__ == "__main__":
    main()
