"""Cost of J and F from folders of PNGs: `python benchmarks/evaluation_speed.py [--official CHECKOUT]`.

The semi-supervised DAVIS-17 protocol, decoding included, on one core and on several; with the path of a
checkout of davis2017-evaluation the published code is run in turn on the same folders and must give the same
figures. `--official-python` names an interpreter that has what it imports (OpenCV, scikit-image, pandas).

What has to be done for a frame of 480 x 854 with N objects, counted before anything was measured:

* two files of 2 to 8 KB are read and inflated to 2 x 410 KB. zlib writes 0.5 to 1 GB/s: 0.8 to 1.6 ms, and no
  evaluator that reads PNGs with it can be faster than that.
* 2 N times, 410 KB are compared with an id and packed to 51 KB (6,720 words of 64 pixels): 0.03 ms each.
* N times, counts for J: 4 passes over at most 2 x 51 KB. Contours: 12 operations on as many words.
* N times, the dilation by the disk of radius 8 (197 pixels): 6 sideways steps of 8 operations and 17 shifted
  ORs, 65 operations on the words of the joint box of both masks, at most 2 x 54 KB: up to 7 MB through the
  first two caches, 0.1 to 0.3 ms.

Together 1.5 to 3 ms for two or three objects, half of it inflation. The published code expands each video to
arrays of float64 and bool, [N, t, H, W]: 3.3 MB an object, frame and array, written and read several times
in memory that is mapped anew.
"""

import argparse
import json
import multiprocessing
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

PROTOCOL = "davis17-semi"
COLUMNS = ("J&F-Mean", "J-Mean", "J-Recall", "J-Decay", "F-Mean", "F-Recall", "F-Decay")
OFFICIAL = """
import json, resource, sys, time
sys.path.insert(0, sys.argv[1])
import cv2, numpy as np, skimage.morphology
cv2.setNumThreads(1)
from davis2017.evaluation import DAVISEvaluation
def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
before, started = cpu(), time.perf_counter()
result = DAVISEvaluation(sys.argv[2], "semi-supervised", "val").evaluate(sys.argv[3])
figures = [np.mean(result[name][key]) for name in "JF" for key in "MRD"]
print(json.dumps({
    "cpu_s": cpu() - before,
    "wall_s": time.perf_counter() - started,
    "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    "figures": [(figures[0] + figures[3]) / 2, *figures],
}))
"""


def draw(root: Path, num_videos: int, num_frames: int, num_objects: int, size: tuple[int, int]) -> None:
    """Draw moving ellipses, and predictions a few pixels off, in the layout of DAVIS."""
    height, width = size
    rows, columns = np.mgrid[:height, :width]
    generator = np.random.default_rng(0)
    palette = generator.integers(0, 256, 768, dtype=np.uint8).tobytes()
    names = [f"video{number:02d}" for number in range(num_videos)]
    listing = root / "DAVIS" / "ImageSets" / "2017" / "val.txt"
    listing.parent.mkdir(parents=True)
    listing.write_text("\n".join(names) + "\n")
    for name in names:
        folders = [root / "DAVIS" / kind / "480p" / name for kind in ("Annotations", "JPEGImages")]
        folders.append(root / "predictions" / name)
        for folder in folders:
            folder.mkdir(parents=True)
        centres = generator.uniform(0.2, 0.8, (num_objects, 2)) * size
        radii = generator.uniform(0.08, 0.2, (num_objects, 2)) * size
        steps = generator.uniform(-1.5, 1.5, (num_objects, 2))
        for frame in range(num_frames):
            places = (centres + frame * steps) % size
            for folder, shift in ((folders[0], 0), (folders[2], 6)):
                labels = np.zeros(size, np.uint8)
                for label, ((y, x), (a, b)) in enumerate(zip(places, radii, strict=True), start=1):
                    ripple = 1 + 0.1 * np.sin((rows - columns) / (7 + shift))
                    inside = ((rows - y - shift) / a) ** 2 + ((columns - x + shift) / b) ** 2
                    labels[inside < ripple] = label
                if frame == 0 and folder is folders[0]:
                    labels[0, 0] = num_objects
                image = Image.fromarray(labels)
                image.putpalette(palette)
                image.save(folder / f"{frame:05d}.png")
            (folders[1] / f"{frame:05d}.jpg").touch()


def measure(root: Path, predictions: Path, workers: int) -> dict:
    """Evaluate with ours; meant to be run in a process of its own."""
    from deixis.evaluation.files import FolderFiles
    from deixis.evaluation.protocols.run import score_videos
    from deixis.evaluation.protocols.sources import predicted_videos, truth_of_folder
    from deixis.evaluation.protocols.table import PROTOCOLS

    before, started = cpu_seconds(), time.perf_counter()
    names = (root / "ImageSets" / "2017" / "val.txt").read_text().split()
    truths = [truth_of_folder(name, root / "Annotations" / "480p" / name) for name in names]
    files = predicted_videos(FolderFiles(predictions), PROTOCOLS[PROTOCOL].layout, names)
    score = score_videos(PROTOCOLS[PROTOCOL], truths, files, workers=workers)
    wall = time.perf_counter() - started
    peaks = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return {
        "frames": sum(len(row.frames) for row in score.rows if row.name == "1"),
        "object_frames": sum(len(row.frames) for row in score.rows),
        "cpu_s": cpu_seconds() - before,
        "wall_s": wall,
        "peak_mb": max(peaks) / 1024,
        "figures": [score.table[column] for column in COLUMNS],
    }


def cpu_seconds() -> float:
    return sum(
        used.ru_utime + used.ru_stime
        for used in (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def in_fresh_process(root: Path, predictions: Path, workers: int) -> dict:
    """Measure in a new process, so that its peak memory is its own."""
    command = [sys.executable, __file__, "--measure", str(root), str(predictions), str(workers)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def run_command(root: Path, predictions: Path) -> dict:
    """Measure the whole command: start, looking the files over, scoring, hashes and reports."""
    before, started = cpu_seconds(), time.perf_counter()
    with tempfile.TemporaryDirectory() as out:
        program = "import sys; from deixis.cli import main; sys.exit(main())"
        options = ["--root", root, "--predictions", predictions, "--out", out]
        command = [sys.executable, "-c", program, "evaluate", "davis17", *map(str, options)]
        subprocess.run(command, check=True, capture_output=True)
    return {"cpu_s": cpu_seconds() - before, "wall_s": time.perf_counter() - started}


def run_official(python: str, checkout: Path, root: Path, predictions: Path) -> dict:
    command = [python, "-c", OFFICIAL, str(checkout), str(root), str(predictions)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.strip().splitlines()[-1])


def compare(arguments: argparse.Namespace, root: Path, predictions: Path) -> dict:
    """Run ours and the official code in turn; keep the best of each."""
    ours, official = [], []
    for _ in range(arguments.repeats):
        ours.append(in_fresh_process(root, predictions, 1))
        if arguments.official:
            official.append(run_official(arguments.official_python, arguments.official, root, predictions))
    best = min(ours, key=lambda one: one["cpu_s"])
    report = {
        "frames": best["frames"],
        "objects_per_frame": round(best["object_frames"] / best["frames"], 2),
        "ours": _figures(best, best["frames"]),
        "deixis evaluate": _figures(run_command(root, predictions), best["frames"]),
        "workers": {},
    }
    for workers in arguments.workers:
        found = in_fresh_process(root, predictions, workers)
        assert found["figures"] == best["figures"], "the figures depend on the number of processes"
        report["workers"][workers] = _figures(found, best["frames"])
    if official:
        other = min(official, key=lambda one: one["cpu_s"])
        np.testing.assert_allclose(best["figures"], other["figures"], rtol=0, atol=1e-8)
        report["official"] = _figures(other, best["frames"])
        report["official_over_ours_cpu"] = round(other["cpu_s"] / best["cpu_s"], 1)
    return report


def _figures(found: dict, num_frames: int) -> dict:
    figures = {
        "cpu_ms_per_frame": round(found["cpu_s"] / num_frames * 1e3, 2),
        "wall_s": round(found["wall_s"], 2),
    }
    return {**figures, "peak_mb": round(found["peak_mb"])} if "peak_mb" in found else figures


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", type=Path, help="DAVIS folder to evaluate on; default: drawn masks")
    parser.add_argument("--predictions", type=Path, help="label maps VIDEO/FRAME.png, with --root")
    parser.add_argument("--official", type=Path, help="checkout of davis2017-evaluation")
    parser.add_argument("--official-python", default=sys.executable)
    parser.add_argument("--videos", type=int, default=6)
    parser.add_argument("--frames", type=int, default=50)
    parser.add_argument("--objects", type=int, default=3)
    parser.add_argument("--size", type=int, nargs=2, default=(480, 854), metavar=("HEIGHT", "WIDTH"))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--workers", type=int, nargs="*", default=(2,), help="also with so many processes")
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        root, predictions, workers = arguments.measure
        print(json.dumps(measure(Path(root), Path(predictions), int(workers))))
        return
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with tempfile.TemporaryDirectory() as folder:
        if arguments.root is None:
            draw(Path(folder), arguments.videos, arguments.frames, arguments.objects, tuple(arguments.size))
            arguments.root, arguments.predictions = Path(folder) / "DAVIS", Path(folder) / "predictions"
        report = compare(arguments, arguments.root, arguments.predictions)
    report["machine"] = f"{platform.machine()}, {multiprocessing.cpu_count()} cores"
    report["versions"] = {"python": platform.python_version(), "numpy": np.__version__}
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
