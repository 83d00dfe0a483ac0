"""Frames a second on one core of the wild world, scenes and expressions included, and what is seen in it.

Run: python benchmarks/wild_speed.py [--clips 40] [--length 3]
"""

import argparse
import os
import platform
import time
from collections import Counter

import cv2
import numpy as np

from deixis.flow.camera import residual_flow
from deixis.synthetic.wild.benchmark import WildRecords
from deixis.synthetic.wild.scene import WildSettings


def _visibility(frames: np.ndarray, movers: np.ndarray) -> float:
    """Return the chance that a pixel of what moves has more residual flow, both ways, than another pixel."""
    estimator = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames]
    flows = [estimator.calc(grey[1], grey[other], None) for other in (0, 2)]
    residual = np.min(
        [np.hypot(*residual_flow(flow, "homography").transpose(2, 0, 1)) for flow in flows], axis=0
    )
    ranks = np.empty(residual.size)
    ranks[residual.ravel().argsort(kind="stable")] = np.arange(residual.size)
    count = movers.sum()
    return float((ranks[movers.ravel()].mean() - (count - 1) / 2) / (movers.size - count))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=40)
    parser.add_argument("--length", type=int, default=3)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    records = WildRecords("train", WildSettings(length=options.length), 10_000_000, options.clips)
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, numpy {np.__version__}")
    seconds, areas, visible = 0.0, [], []
    categories: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    for index in range(options.clips):
        start = time.process_time()
        record = records[index]
        frames = record.frames.read(range(options.length))
        seconds += time.process_time() - start
        categories.update(item.category for item in record.objects)
        kinds.update(kind for item in record.expressions for kind in item.kinds)
        middle = options.length // 2
        movers = record.masks.read([middle], record.expressions[0].object_ids)[:, 0].any(axis=0)
        if movers.sum() > 200 and options.length > 2:
            areas.append(movers.mean())
            visible.append(_visibility(frames[middle - 1 : middle + 2], movers))
    rate = options.clips * options.length / seconds
    print(f"{rate:.1f} frames/s of CPU time, set-up and expressions included")
    print(f"area of what moves: median {np.median(areas):.3f} of the frame")
    hidden = np.mean(np.array(visible) < 0.82)
    print(f"it outruns other pixels: {np.mean(visible):.3f}; in {hidden:.0%} of the clips under 0.82")
    print("objects:", dict(categories.most_common()))
    print("expressions:", dict(kinds.most_common()))


if __name__ == "__main__":
    main()
