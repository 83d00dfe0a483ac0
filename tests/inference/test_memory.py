"""Memory does not grow with the number of frames: peaks of processes of their own."""

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import resource, sys
sys.path.insert(0, {tests!r})
import torch
torch.set_num_threads(1)
from stand_ins import ColourModel, coloured_frame
import deixis
from deixis.inference.folder import plan_outputs, write_outputs
from deixis.video.frames import Frame, Source

num_frames, how, out = int(sys.argv[1]), sys.argv[2], sys.argv[3]

def images():
    return (coloured_frame(index, size=(96, 128)) for index in range(num_frames))

def read():
    return (Frame(index, index / 25, f"{{index:05d}}", image) for index, image in enumerate(images()))

segmenter = deixis.Segmenter(ColourModel())
source = Source("generated", (96, 128), 25.0, num_frames, read)
if how == "call":
    prediction = segmenter(source, ["red", "blue"])
    assert len(prediction) == num_frames
elif how == "files":
    plan = plan_outputs(__import__("pathlib").Path(out), ["overlay", "json"], {{}})
    write_outputs(plan, segmenter.iterate(source, ["red", "blue"]), ["red", "blue"], source)
else:
    assert sum(1 for _ in segmenter.stream(images(), ["red", "blue"])) == num_frames
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.parametrize(
    "how",
    ["call", pytest.param("stream", marks=pytest.mark.slow), pytest.param("files", marks=pytest.mark.slow)],
)
def test_peak_memory_is_flat(tmp_path, how):
    def peak(num_frames):
        program = PROGRAM.format(tests=str(Path(__file__).parents[1]))
        command = [sys.executable, "-c", program, str(num_frames), how, str(tmp_path / str(num_frames))]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    short, long = peak(300), peak(3000)
    print(f"{how}: {short / 1024:.1f} MiB for 300 frames, {long / 1024:.1f} MiB for 3,000")
    assert long <= 1.05 * short
