import json

import numpy as np
import pytest
from PIL import Image

from stand_ins import coloured_video


@pytest.fixture
def mask(tmp_path):
    """The red square of the first frame as object 4, the green one as object 2."""
    frame = coloured_video(1)[0]
    labels = np.where(frame[..., 0] > 127, 4, np.where(frame[..., 1] > 127, 2, 0)).astype(np.uint8)
    Image.fromarray(labels).save(tmp_path / "first_frame.png")
    return tmp_path / "first_frame.png"


def read(path):
    return np.array(Image.open(path))


def test_masks_are_followed_into_the_same_outputs(deixis, frames, mask, tmp_path):
    out = tmp_path / "out"
    command = ("segment", frames, "--masks", mask, "--propagator", "translation", "-o", out)
    code, printed, errors = deixis(*command)
    assert (code, errors) == (0, "")
    assert printed.splitlines()[0].split() == ["object", "present", "score"]
    assert "object 2" in printed and "10 of 10" in printed
    assert sorted(path.name for path in out.iterdir()) == ["masks", "masks.jsonl", "overlay.mp4", "run.json"]
    last = coloured_video(10)[9]
    np.testing.assert_array_equal(read(out / "masks/00009.png") == 4, last[..., 0] > 127)
    np.testing.assert_array_equal(read(out / "masks/00009.png") == 2, last[..., 1] > 127)
    run = json.loads((out / "run.json").read_text())["run"]
    assert run["propagator"] == "translation" and run["masks"]["frames"] == {"first": [2, 4]}
    code, printed, _ = deixis(*command, "--save", "masks,json,arrays")
    assert code == 0 and "already done: " in printed and "masks.npz: 10 frames" in printed
    code, _, errors = deixis(*command[:4], "--propagate", "copy", "-o", out)
    assert code == 2 and "(different: propagator)" in errors


def test_frames_are_named_in_either_way(deixis, frames, mask, tmp_path):
    def last(name, *arguments):
        options = ("--save", "masks", "--propagator", "copy", "-o", tmp_path / name)
        code, _, errors = deixis("segment", frames, *options, "--masks", *arguments)
        assert (code, errors) == (0, "")
        return [read(tmp_path / name / "masks" / f"{index:05d}.png") for index in (0, 9)]

    named = last("a", f"5={mask}", f"0={mask}")
    (tmp_path / "given").mkdir()
    for index in (0, 5):
        Image.open(mask).save(tmp_path / "given" / f"{index:05d}.png")
    listed = last("b", *sorted((tmp_path / "given").iterdir()))
    folder = last("c", tmp_path / "given")
    forward = last("d", f"5={mask}", "--ways", "forward")
    np.testing.assert_array_equal(forward, last("e", f"5={mask}", "--stream"))
    np.testing.assert_array_equal(named, listed)
    np.testing.assert_array_equal(named, folder)
    assert not forward[0].any() and forward[1].any()


def test_a_model_that_follows_no_masks(deixis, frames, mask, tmp_path):
    command = ("segment", frames, "--masks", mask, "-o", tmp_path / "out")
    code, _, errors = deixis(*command, "--model", "mttr-tiny-synthetic")
    assert code == 2 and "follows no masks; name a UniRef" in errors
    code, _, errors = deixis(*command, "--model", "uniref-plus-resnet50")
    assert code == 2 and "comes without weights" in errors
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{frames}", "red", "--masks", "{mask}"], "hinet-tiny takes no masks beside sentences"),
        (["{frames}", "red", "--masks", "absent.png"], "there is no mask absent.png"),
        (["{frames}", "--masks", "absent.png"], "there is no mask absent.png"),
        (["{frames}", "--masks", "{mask}", "{mask}"], "which frame is"),
        (["{frames}", "--masks", "3={mask}", "3={mask}"], "are for one frame"),
        (["{frames}", "--masks", "99={mask}"], "for frame 99, which is not among"),
        (["{frames}", "--masks", "{frames}/00000.png"], "stores colours"),
        (["{frames}", "--masks", "{mask}", "--propagator", "transltion"], "translation"),
        (["{frames}", "red", "--ways", "forward"], "--ways goes with --masks"),
        (["{frames}", "--masks", "{mask}", "--windows", "whole"], "--windows is about sentences"),
        (["{frames}", "--masks", "{mask}", "--dtype", "bfloat16"], "--dtype is about sentences"),
    ],
)
def test_bad_masks_are_told_in_a_line(deixis, model, frames, mask, tmp_path, arguments, message):
    filled = [argument.format(frames=frames, mask=mask) for argument in arguments]
    code, printed, errors = deixis("segment", *filled, "-o", tmp_path / "out")
    assert code == 2 and message in errors and errors.count("\n") == 1
    assert printed == "" and not (tmp_path / "out").exists()
