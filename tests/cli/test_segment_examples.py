import json

import numpy as np
import pytest
from PIL import Image

from deixis.models import loading
from stand_ins import AlikeModel, coloured_video


@pytest.fixture
def examples(monkeypatch, tmp_path):
    """Two images of the red square with its masks, and a model that takes them."""
    model = AlikeModel()
    monkeypatch.setattr(
        loading, "load", lambda name, checkpoint=None, *, device="auto", tokenizer=None: model
    )
    pairs = []
    for index, image in enumerate(coloured_video(9)[::8]):
        Image.fromarray(image).save(tmp_path / f"{index}.png")
        Image.fromarray(np.where(image[..., 0] > 127, 255, 0).astype(np.uint8)).save(
            tmp_path / f"m{index}.png"
        )
        pairs.append(f"{tmp_path / str(index)}.png={tmp_path}/m{index}.png")
    return pairs


def test_what_examples_show_is_found_in_a_folder(deixis, frames, examples, tmp_path):
    command = ("segment", frames, "--examples", *examples, "-o", tmp_path / "out", "--model", "uniref-tiny")
    code, printed, errors = deixis(*command)
    assert (code, errors) == (0, "")
    assert "like the examples" in printed and "10 of 10" in printed
    found = np.array(Image.open(tmp_path / "out/masks/00009.png")) > 0
    wanted = coloured_video(10)[9, ..., 0] > 127
    assert (found & wanted).sum() / (found | wanted).sum() > 0.8
    run = json.loads((tmp_path / "out/run.json").read_text())["run"]
    assert [name.rpartition("/")[2] for name in run["examples"]["images"]] == ["0.png", "1.png"]
    code, printed, _ = deixis(*command)
    assert code == 0 and "already done" in printed
    code, _, errors = deixis(*command, "--min-score", "0.9")
    assert code == 2 and "(different: min_score)" in errors


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["red", "--examples", "{one}"], "sentences are of no use beside --examples"),
        (["--examples", "{one}", "--masks", "a.png"], "--masks is of no use beside --examples"),
        (["--examples", "{one}", "--windows", "whole"], "--windows is of no use"),
        (["--examples", "a.jpg"], "write a.jpg=MASK.png"),
        (["--examples", "a.jpg=b.png"], "there is no file or folder 'a.jpg'"),
        (["--examples", "{frames}/00000.png=b.png"], "there is no mask b.png"),
        (["--examples", "{one}", "--min-score", "7"], "min_score must lie in [0, 1]"),
        (["red", "--min-score", "0.5"], "--min-score goes with --examples"),
    ],
)
def test_examples_of_no_use_are_told_in_a_line(deixis, frames, examples, tmp_path, arguments, message):
    filled = [argument.format(frames=frames, one=examples[0]) for argument in arguments]
    code, printed, errors = deixis("segment", frames, *filled, "-o", tmp_path / "out")
    assert code == 2 and message in errors and errors.count("\n") == 1
    assert printed == "" and not (tmp_path / "out").exists()


def test_a_model_that_takes_no_examples(deixis, model, frames, tmp_path):
    Image.fromarray(np.full((64, 96), 255, np.uint8)).save(tmp_path / "all.png")
    pair = f"{frames}/00000.png={tmp_path}/all.png"
    code, _, errors = deixis("segment", frames, "--examples", pair, "-o", tmp_path / "out")
    assert code == 2 and "takes no examples; name a UniRef" in errors and errors.count("\n") == 1
