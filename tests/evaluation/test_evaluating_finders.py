"""Models that take examples scored on FSS-1000: through the command line, and image by image."""

import json
import pickle
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from deixis.cli import main
from deixis.data.catalog import load_records
from deixis.errors import DatasetError
from deixis.evaluation.finding import FinderOnDemand, choose_examples
from deixis.evaluation.protocols.alike import COLUMNS, aggregate_alike, score_alike
from deixis.evaluation.protocols.base import Options
from deixis.evaluation.protocols.sources import PredictedArrays, truth_of_record
from deixis.models import loading
from stand_ins import AlikeModel, coloured_frame

CLASSES = {"red": 0, "green": 1}


@pytest.fixture
def model(monkeypatch):
    model = AlikeModel()
    monkeypatch.setattr(
        loading, "load", lambda name, checkpoint=None, *, device="auto", tokenizer=None: model
    )
    return model


@pytest.fixture
def root(tmp_path, model):
    """Two classes of four images; the mask of the second red one is empty."""
    root = tmp_path / "fss"
    for name, channel in CLASSES.items():
        folder = root / "images" / name
        folder.mkdir(parents=True)
        for number in range(1, 5):
            image = coloured_frame(6 * number)
            Image.fromarray(image).save(folder / f"{number}.jpg", quality=95)
            mask = (image[..., channel] > 127) & ((name, number) != ("red", 2))
            Image.fromarray(np.where(mask, 255, 0).astype(np.uint8)).save(folder / f"{number}.png")
    (root / "splits").mkdir()
    (root / "splits/val.txt").write_text("red\ngreen\n")
    return root


def evaluate(*arguments):
    main(["evaluate", "fss-1000", *map(str, arguments)])


def test_a_model_is_scored_by_the_first_examples(root, model, tmp_path, capsys):
    command = ("--root", root, "--model", "uniref-tiny-synthetic", "--shots", "2", "--out", tmp_path / "out")
    evaluate(*command)
    assert "class mIoU" in capsys.readouterr().out
    report = json.loads((tmp_path / "out/report.json").read_text())
    assert tuple(report["figures"]) == COLUMNS
    assert report["figures"]["mIoU"] > 0.8 and report["figures"]["class mIoU"] > 0.8
    assert report["predictions"]["shots"] == 2
    assert report["protocol"]["classes"] == 2 and report["protocol"]["samples"] == 7
    assert (tmp_path / "out/masks/red/2.png").is_file(), "also images that are not scored are predicted"
    looks = model.num_looks
    evaluate(*command)
    assert model.num_looks == looks, "classes that are done are not done again"
    with pytest.raises(SystemExit):
        evaluate(*command[:4], "--shots", "1", "--out", tmp_path / "out")
    assert "of another model" in capsys.readouterr().err
    evaluate("--root", root, "--predictions", tmp_path / "out/masks", "--out", tmp_path / "again")
    again = json.loads((tmp_path / "again/report.json").read_text())
    assert again["figures"] == report["figures"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "x", "--shots", "4"], "red/1 has 2 examples; give fewer than 4 --shots"),
        (["--model", "x", "--shots", "0"], "--shots must be at least 1"),
        (["--propagator", "copy"], "--propagator is of no use"),
        (["--model", "x", "--permute"], "--permute is of no use"),
        (["--predictions", "masks", "--shots", "1"], "--shots is about models"),
        (["--model", "x", "--split", "test"], "put test.txt"),
    ],
)
def test_wrong_commands_are_told_in_a_line(root, tmp_path, capsys, arguments, message):
    with pytest.raises(SystemExit):
        evaluate("--root", root, *arguments, "--out", tmp_path / "out")
    errors = capsys.readouterr().err.splitlines()
    assert message in errors[-1] and errors[-1].startswith("deixis")


def test_examples_are_the_first_with_a_mask(root, model):
    red, green = load_records("fss-1000", root, "val")
    assert choose_examples(red, 0, 2) == (2, 3) and choose_examples(green, 0, 2) == (1, 2)
    assert choose_examples(red, 3, 2) == (0, 2)
    method = FinderOnDemand(model="x", shots=1)
    assert len(list(method(green))) == 4 and model.num_looks == 2, "images share what they may"
    assert pickle.loads(pickle.dumps(method)) == method
    with pytest.raises(DatasetError, match="only FSS-1000"):
        choose_examples(replace(green, examples=()), 0, 1)


def test_means_over_images_and_over_classes(root):
    rows = []
    for record, number in zip(load_records("fss-1000", root, "val"), (1, 0), strict=True):
        truth = truth_of_record(record)
        masks = {name: truth.masks.read(name, (1,))[0] for name in record.frame_names}
        masks[record.frame_names[-1]][:] = number  # all or nothing
        rows += score_alike(
            truth, PredictedArrays({("", name): one for name, one in masks.items()}), Options()
        )
    assert len(rows) == 7 and {row.name for row in rows if row.video == "red"} == {"1", "3", "4"}
    size, frame = 16 * 16, 64 * 96
    score = aggregate_alike("fss-1000", rows, Options())
    ious = [1, 1, size / frame, 1, 1, 1, 0]
    assert score.table["mIoU"] == pytest.approx(np.mean(ious))
    of_classes = 3 * size / (2 * size + frame), 3 / 4
    assert score.table["class mIoU"] == pytest.approx(np.mean(of_classes))
    assert score.table["oIoU"] == pytest.approx(6 * size / (6 * size + frame))
    assert tuple(score.table) == COLUMNS
