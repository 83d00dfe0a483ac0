"""Frames a second and memory of hinet-tiny, on one thread, with everything it does.

Run: python benchmarks/hinet_tiny_speed.py [--size 240 427] [--frames 48] [--model hinet-tiny]
"""

import argparse
import os
import platform
import resource
import time
from dataclasses import replace

import cv2
import numpy as np
import torch

import deixis
from deixis.models.loading import load
from deixis.synthetic.wild.render import render_wild
from deixis.synthetic.wild.scene import WildSettings, draw_wild

EXPRESSIONS = ("a person walking", "the red car", "a dog on the left", "the larger one", "a sailing boat")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, nargs=2, default=(240, 427), metavar=("HEIGHT", "WIDTH"))
    parser.add_argument("--frames", type=int, default=48)
    parser.add_argument("--model", default="hinet-tiny")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    height, width = options.size
    clip = render_wild(draw_wild(1, WildSettings(size=(height, width), length=options.frames)))
    frames = np.ascontiguousarray(clip.frames)
    print(
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, PyTorch {torch.__version__}"
    )
    print(f"{options.frames} rendered frames of {height}x{width}, one thread; CPU time of reading to masks")
    for has_cut in (True, False):
        model = load(options.model, device="cpu")
        model.config = replace(model.config, has_cut=has_cut)
        segmenter = deixis.Segmenter(model, device="cpu")
        segmenter(frames[:4], EXPRESSIONS[:1])
        for count in (1, len(EXPRESSIONS)):
            begin = time.process_time()
            segmenter(frames, EXPRESSIONS[:count])
            spent = (time.process_time() - begin) / options.frames
            name = "with GrabCut" if has_cut else "without (hinet-tiny-fast)"
            print(
                f"{1 / spent:6.1f} frames/s, {1000 * spent:6.1f} ms  {name}, {count} expressions", flush=True
            )
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:6.0f} MiB  largest memory")


if __name__ == "__main__":
    main()
