"""From a model to figures on record, through the runner and the command line."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from deixis.cli import main
from deixis.data.records import Expression, VideoRecord
from deixis.data.ref_davis17 import records
from deixis.evaluation.run import evaluate
from deixis.evaluation.segmenting import ModelOnDemand, predict_with, validate
from deixis.inference.segmenter import Segmenter
from deixis.metrics.tables import aggregate
from deixis.models.base import FrameMasks
from deixis.models.loading import save
from deixis.models.registry import DEFAULT
from deixis.structures import VideoFeatures
from deixis.synthetic.write import export
from stand_ins import ColourModel, OnlineColourModel, StandInConfig, coloured_video, online_model
from tiny_uniref import shaken

NUM_FRAMES = 8


@pytest.fixture
def root(tmp_path):
    """Write a plain folder of two coloured clips: object k is the k-th colour."""
    videos = {}
    for name in ("one", "two"):
        for kind in ("JPEGImages", "Annotations"):
            (tmp_path / "data" / kind / name).mkdir(parents=True)
        for index, frame in enumerate(coloured_video(NUM_FRAMES)):
            Image.fromarray(frame).save(tmp_path / "data" / "JPEGImages" / name / f"{index:05d}.png")
            labels = (frame > 0) @ np.arange(1, 4)
            Image.fromarray(labels.astype(np.uint8)).save(
                tmp_path / "data" / "Annotations" / name / f"{index:05d}.png"
            )
        expressions = {
            str(n): {"exp": f"the {colour} one", "obj_id": str(n + 1), "kinds": ["appearance"]}
            for n, colour in enumerate(("red", "green", "blue"))
        }
        frames = [f"{index:05d}" for index in range(NUM_FRAMES)]
        videos[name] = {"expressions": expressions, "frames": frames, "absent": ["the blue cat"]}
    (tmp_path / "data" / "meta_expressions.json").write_text(json.dumps({"videos": videos}))
    return tmp_path / "data"


def test_frames_are_encoded_once_for_all_expressions(root):
    model = ColourModel().train()
    figures = validate(model, records(root))
    assert model.training
    assert model.calls["video"] == 4, "two windows a video, whatever the number of expressions"
    assert figures["J"] > 0.65, "what the coarse masks of the stand-in reach"
    assert figures["J&F"] == (figures["J"] + figures["F"]) / 2 > 3 * figures["J&F permuted"]
    assert figures["absent accuracy"] == 0


class Pixels:
    """Frames, or the masks of the three squares."""

    def __init__(self, video):
        self.video = video

    def read(self, indices, object_ids=None):
        frames = self.video[list(indices)]
        return frames if object_ids is None else np.stack([frames[..., id - 1] > 127 for id in object_ids])


def coloured_record(num_frames, annotated_frames=None):
    """The coloured video as a record: object k is the k-th colour."""
    pixels = Pixels(coloured_video(num_frames))
    names = tuple(f"{index:05d}" for index in range(num_frames))
    expressions = tuple(
        Expression(str(n), f"the {colour} one", (n + 1,)) for n, colour in enumerate(("red", "green", "blue"))
    )
    return VideoRecord("clip", names, pixels, expressions, (1, 2, 3), pixels, annotated_frames, (64, 96))


@pytest.fixture
def with_stand_in(monkeypatch):
    monkeypatch.setattr("deixis.models.loading.load", lambda *_, **__: ColourModel())


@pytest.mark.usefixtures("with_stand_in")
def test_the_command_prints_and_writes(root, tmp_path, capsys):
    options = ["evaluate", "ref-davis17", "--root", str(root), "--model", "mttr", "--device", "cpu"]
    main([*options, "--out", str(tmp_path / "out")])
    printed = capsys.readouterr().out
    assert "| all" in printed and "| appearance" in printed and "| one" not in printed
    record = json.loads((tmp_path / "out" / "result.json").read_text())
    assert record["figures"]["region"] > 0.65 and len(record["rows"]) == 8
    assert record["model"] == "mttr" and len(record["weights_sha256"]) == 64 and record["device"] == "cpu"
    main([*options, "--out", str(tmp_path / "control"), "--permute", "--num-clips", "1", "--videos"])
    assert "| one" in capsys.readouterr().out
    control = json.loads((tmp_path / "control" / "result.json").read_text())
    assert control["figures"]["region"] == 0 and len(control["rows"]) == 3


@pytest.mark.usefixtures("with_stand_in")
def test_the_command_writes_submissions(root, tmp_path, capsys):
    options = ["evaluate", "ref-davis17", "--root", str(root), "--device", "cpu"]
    main([*options, "--submission", str(tmp_path / "submission.zip")])
    assert "64 images" in capsys.readouterr().out


@pytest.mark.usefixtures("with_stand_in")
def test_a_model_under_a_protocol_has_its_masks_saved_and_scored(root, tmp_path, capsys, monkeypatch):
    options = [
        "evaluate",
        "ref-davis17",
        "--root",
        str(root),
        "--device",
        "cpu",
        "--out",
        str(tmp_path / "out"),
    ]
    options += ["--protocol", "refdavis-per-expression", "--num-clips", "1"]
    main(options)
    assert "name refdavis-per-expression" in capsys.readouterr().out
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["predictions"]["name"] == DEFAULT and len(report["predictions"]["weights_sha256"]) == 64
    assert report["figures"]["J"] > 0.65 * 3 / 4, "the absent expression is answered with something: 0"
    assert len(report["rows"]) == 4
    assert len(list((tmp_path / "out" / "masks" / "one").rglob("*.png"))) == 4 * NUM_FRAMES
    assert "data:image/jpeg" in (tmp_path / "out" / "report.html").read_text()

    def refuse(*_):
        raise AssertionError("the masks are there already")

    monkeypatch.setattr("deixis.evaluation.segmenting.read_frames", refuse)
    main(options)
    assert json.loads((tmp_path / "out" / "report.json").read_text())["figures"] == report["figures"]
    with pytest.raises(SystemExit):
        main([*options, "--dtype", "bfloat16"])
    assert "holds the masks of another model" in capsys.readouterr().err


@pytest.mark.usefixtures("with_stand_in")
def test_label_maps_of_a_model_are_merged_by_probability(tmp_path, capsys):
    export([coloured_record(6)], tmp_path / "data", "ref-davis17", "val", image="png")
    options = ["evaluate", "ref-davis17", "--root", str(tmp_path / "data"), "--device", "cpu"]
    options += ["--protocol", "refdavis-unsupervised", "--windows", "clips", "--out", str(tmp_path / "out")]
    main(options)
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["predictions"]["overlaps"] == "the highest probability of at least a half is seen"
    assert report["figures"]["J-Mean"] > 0.6
    maps = list((tmp_path / "out" / "masks").rglob("*.png"))
    assert len(maps) == 4 * 6
    assert json.loads((tmp_path / "out" / "masks.json").read_text())["windows"]["is_linked"] is False
    with pytest.raises(SystemExit):
        main([*options, "--model", DEFAULT, "--propagator", "copy"])
    assert "masks of another model" in capsys.readouterr().err


@pytest.mark.usefixtures("with_stand_in")
def test_probabilities_are_what_masks_are_made_of(root):
    segmenter = Segmenter(ColourModel())
    for found in segmenter.answers(coloured_video(NUM_FRAMES), ["red", "blue"]):
        is_clear = abs(found.probabilities - 0.5) > 1e-6
        np.testing.assert_array_equal((found.probabilities > 0.5)[is_clear], found.masks[is_clear])
        assert is_clear.mean() > 0.99
        assert len(np.unique(found.probabilities)) > 2
    followed = Segmenter(ColourModel(), propagator="copy")
    for found in followed.answers(coloured_video(NUM_FRAMES), ["red"]):
        np.testing.assert_array_equal(found.probabilities, found.masks)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ref-davis"], "unknown data set 'ref-davis'; did you mean ref-davis17"),
        (["ref-davis17"], "where is ref-davis17? give its folder with --root"),
        (["ref-davis17", "--root", "nowhere"], "there is no folder nowhere"),
        (["synthetic", "--split", "tset"], "did you mean test?"),
        (["synthetic", "--num-clips", "0"], "--num-clips must be at least 1"),
    ],
)
def test_wrong_arguments_are_one_line(arguments, message, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["evaluate", *arguments])
    printed = capsys.readouterr().err
    assert stop.value.code == 2 and message in printed and printed.count("\n") == 1


def test_the_figures_of_a_run_are_those_of_its_rows(root, tmp_path):
    from deixis.evaluation.run import Subject

    predict = predict_with(Segmenter(ColourModel(), device="cpu"))
    subject = Subject(model="colours", weights_sha256="", dataset="made-up", split="val")
    result = evaluate(records(root), predict, subject, tmp_path / "out", permute_seed=3)
    assert repr(result.figures) == repr(aggregate(result.rows))
    assert result.figures.region == 0


@pytest.mark.usefixtures("with_stand_in")
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:50]), "cannot read the masks"),
        (lambda path: path.unlink(), "there are no masks"),
        (lambda path: Image.new("L", (96, 60)).save(path), "have several sizes"),
        (lambda path: Image.new("RGB", (96, 64)).save(path), "RGB colours, not object ids"),
    ],
)
def test_broken_truth_is_one_line(root, tmp_path, capsys, damage, message):
    damage(root / "Annotations" / "two" / "00003.png")
    options = ["--root", str(root), "--device", "cpu", "--out", str(tmp_path / "out")]
    with pytest.raises(SystemExit) as stop:
        main(["evaluate", "ref-davis17", *options])
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert stop.value.code == 2 and message in error
    assert not (tmp_path / "out" / "result.json").exists()
    rows = (tmp_path / "out" / "rows.jsonl").read_text()
    assert '"video": "one"' in rows and '"video": "two"' not in rows


@pytest.mark.usefixtures("with_stand_in")
def test_masks_of_another_size_than_the_frames(root, capsys, tmp_path):
    for path in (root / "Annotations" / "one").iterdir():
        Image.new("L", (90, 64)).save(path)
    with pytest.raises(SystemExit):
        main(
            [
                "evaluate",
                "ref-davis17",
                "--root",
                str(root),
                "--device",
                "cpu",
                "--out",
                str(tmp_path / "out"),
            ]
        )
    assert "one: masks predicted at 64x96, but the truth is 64x90" in capsys.readouterr().err


def test_label_maps_of_hinet_and_refvos_show_the_higher_id(tmp_path, monkeypatch):
    """A model that masks everything for every expression: the object of the highest id is seen alone."""
    inputs = replace(online_model().config.inputs, merging="higher-id-overrides")
    model = OnlineColourModel(StandInConfig(inputs=inputs))
    monkeypatch.setattr(model, "step", lambda frame, state: (_everything(frame, state), state))
    monkeypatch.setattr("deixis.models.loading.load", lambda *_, **__: model)
    export([coloured_record(3)], tmp_path / "data", "ref-davis17", "val", image="png")
    options = ["evaluate", "ref-davis17", "--root", str(tmp_path / "data"), "--device", "cpu"]
    main([*options, "--protocol", "refdavis-unsupervised", "--out", str(tmp_path / "out")])
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["predictions"]["overlaps"] == "the higher id is seen"
    maps = [np.asarray(Image.open(path)) for path in (tmp_path / "out" / "masks").rglob("*.png")]
    assert len(maps) == 4 * 3
    assert {int(value) for labels in maps for value in np.unique(labels)} == {3}


def _everything(frame: VideoFeatures, state: dict[str, Any]) -> FrameMasks:
    h, w = frame.maps[0].shape[-2:]
    ones = torch.ones(len(state["named"]))
    return FrameMasks(torch.ones(len(ones), h, w), ones, ones)


def test_a_folder_is_known_by_its_configuration_too(tmp_path):
    model = shaken()
    save(model, tmp_path / "one")
    model.config = replace(model.config, expression_threshold=0.9)
    save(model, tmp_path / "two")
    one, two = (ModelOnDemand(model=str(tmp_path / name), device="cpu") for name in ("one", "two"))
    assert one.settings() != two.settings() and one.settings() == replace(one).settings()
    assert "config_sha256" not in ModelOnDemand(model="mttr-tiny-synthetic", device="cpu").settings()
