"""A video that comes through a pipe, in a real process, while it comes."""

import json
import os
import subprocess
import sys
import threading
from dataclasses import replace

import av
import numpy as np
import pytest

from deixis.models.loading import save
from deixis.text.words import train_tokenizer
from stand_ins import coloured_video
from tiny_uniref import TINY, shaken

NUM_FRAMES = 6


@pytest.fixture
def model(tmp_path):
    """A folder of a UniRef, which answers frame by frame."""
    inputs = replace(TINY.inputs, short_side=32, long_side=64)
    uniref = shaken(replace(TINY, inputs=inputs, expression_threshold=0.0))
    uniref.tokenizer = train_tokenizer(["a red square"])
    return save(uniref, tmp_path / "model")


@pytest.fixture
def video(tmp_path):
    """The bytes of a video that can be read without going back."""
    path = tmp_path / "clip.mkv"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("ffv1", rate=25, options={"threads": "1"})
        stream.height, stream.width = coloured_video(1).shape[1:3]
        stream.pix_fmt = "bgr0"
        for image in coloured_video(NUM_FRAMES):
            output.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")))
        output.mux(stream.encode())
    return path.read_bytes()


def segment(source, model, out, **options):
    command = (sys.executable, "-m", "deixis", "segment", str(source), "a red square", "--model", str(model))
    command = (*command, "--save", "json", "--stream", "--quiet", "--device", "cpu", "-o", str(out))
    return subprocess.run(command, check=False, capture_output=True, **options)


def frames_of(out):
    lines = (out / "masks.jsonl").read_text().splitlines()
    return [record["frame"] for record in map(json.loads, lines) if "frame" in record]


def test_standard_input(model, video, tmp_path):
    done = segment("-", model, tmp_path / "out", input=video)
    assert done.returncode == 0, done.stderr
    assert frames_of(tmp_path / "out") == list(range(NUM_FRAMES))


def test_named_pipes(model, video, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(video,))
    writer.start()
    done = segment(tmp_path / "pipe", model, tmp_path / "out")
    writer.join()
    assert done.returncode == 0, done.stderr
    assert frames_of(tmp_path / "out") == list(range(NUM_FRAMES))


def test_nothing_piped_in(model, tmp_path):
    done = segment("-", model, tmp_path / "out", input=b"")
    assert (
        done.returncode == 2 and done.stderr.count(b"\n") == 1 and b"cannot be read as a video" in done.stderr
    )
