"""CPU time of J and F: `python benchmarks/metrics_speed.py [--size 480 854] [--frames 60]`.

Masks are two ellipses that move against each other, given as booleans; reading PNGs is not included.
"""

import argparse
import json
import platform
import time

import numpy as np

from deixis.metrics.frame_scores import score_frames


def ellipses(num_frames: int, height: int, width: int, shift: int) -> np.ndarray:
    """Draw an object of a tenth of the image that moves to the right, ``shift`` pixels off its path."""
    rows, columns = np.mgrid[:height, :width]
    centres = width * (0.3 + 0.4 * np.arange(num_frames) / num_frames) + shift
    half = (0.16 * height, 0.2 * width)
    return np.stack(
        [((rows - height / 2 - shift) / half[0]) ** 2 + ((columns - x) / half[1]) ** 2 < 1 for x in centres]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, nargs=2, default=(480, 854), metavar=("HEIGHT", "WIDTH"))
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    annotation, prediction = (ellipses(arguments.frames, *arguments.size, shift) for shift in (0, 9))
    seconds = []
    for _ in range(arguments.repeats):
        started = time.process_time()
        scores = score_frames(prediction, annotation)
        seconds.append(time.process_time() - started)
    report = {
        "size": list(arguments.size),
        "frames": arguments.frames,
        "cpu_ms_per_frame_and_object": round(min(seconds) / arguments.frames * 1e3, 3),
        "region": scores.region.mean(),
        "contour": scores.contour.mean(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "numpy": np.__version__,
    }
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
