import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import deixis as package
from deixis.models.loading import save
from deixis.text.words import train_tokenizer
from deixis.video.formats import read_records
from deixis.video.sinks import RleJsonLines
from stand_ins import ColourModel, coloured_video
from tiny_uniref import TINY, shaken

EXPRESSIONS = ("the red square", "the blue one")


def test_it_writes_outputs_and_a_record(deixis, model, frames, tmp_path):
    out = tmp_path / "out"
    code, printed, errors = deixis("segment", frames, *EXPRESSIONS, "-o", out)
    assert (code, errors) == (0, "")
    assert sorted(path.name for path in out.iterdir()) == ["masks", "masks.jsonl", "overlay.mp4", "run.json"]
    assert "the red square" in printed and "10 of 10" in printed and "frames/s" in printed

    record = json.loads((out / "run.json").read_text())
    assert record["is_complete"]
    assert record["outputs"] == ["overlay", "masks", "json"]
    assert record["run"]["expressions"] == list(EXPRESSIONS)
    assert len(record["run"]["weights"]) == 64
    assert {"device", "versions", "model", "windows"} <= set(record["run"])

    prediction = package.Segmenter(ColourModel())(coloured_video(10), EXPRESSIONS)
    masks = np.stack([found for _, found in read_records(out / "masks.jsonl")], 1)
    np.testing.assert_array_equal(masks, [prediction.masks(0), prediction.masks(1)])
    palette = np.array(Image.open(out / "masks" / "00003.png"))
    assert set(np.unique(palette)) == {0, 1, 2}


def test_a_second_run_says_what_is_done_and_does_only_what_is_missing(deixis, model, frames, tmp_path):
    out = tmp_path / "out"
    command = ("segment", frames, *EXPRESSIONS, "-o", out)
    first = deixis(*command, "--save", "json")[1]
    calls, written = dict(model.calls), (out / "masks.jsonl").stat().st_mtime_ns
    code, printed, _ = deixis(*command, "--save", "json")
    assert code == 0
    assert printed.startswith("already done: ") and "masks.jsonl" in printed
    assert first.splitlines()[:3] == printed.splitlines()[1:4]
    assert model.calls == calls
    code, printed, _ = deixis(*command, "--save", "json,arrays")
    assert code == 0 and "masks.npz: 10 frames" in printed
    assert (out / "masks.jsonl").stat().st_mtime_ns == written
    code, printed, _ = deixis(*command, "--save", "json", "--overwrite")
    assert code == 0 and "already" not in printed
    assert (out / "masks.jsonl").stat().st_mtime_ns > written


def test_results_of_another_run_are_not_mixed_in(deixis, model, frames, tmp_path):
    out = tmp_path / "out"
    deixis("segment", frames, "red", "-o", out, "--save", "json,masks")
    code, _, errors = deixis("segment", frames, "blue", "-o", out, "--save", "json")
    assert code == 2
    assert "results of another run (different: expressions)" in errors and errors.count("\n") == 1
    model.scale.data += 1
    code, _, errors = deixis("segment", frames, "red", "-o", out, "--save", "json")
    assert code == 2 and "(different: weights)" in errors
    code, _, _ = deixis("segment", frames, "blue", "-o", out, "--save", "json", "--overwrite")
    assert code == 0
    assert not (out / "masks").exists()


def test_what_somebody_else_made_is_not_touched(deixis, model, frames, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "masks.jsonl").write_text("mine")
    code, _, errors = deixis("segment", frames, "red", "-o", out, "--save", "json")
    assert code == 2 and "exists already" in errors
    assert (out / "masks.jsonl").read_text() == "mine"
    (out / "masks.jsonl").unlink()
    (out / "run.json").write_text("[]")
    code, _, errors = deixis("segment", frames, "red", "-o", out, "--save", "json")
    assert code == 2 and "not the record of a run" in errors


def test_after_a_kill_the_same_command_goes_on(deixis, model, frames, tmp_path):
    out = tmp_path / "out"
    command = ("segment", frames, "red", "-o", out, "--save", "json,masks")
    deixis(*command)
    record = json.loads((out / "run.json").read_text())
    # As a kill leaves it: a record of a run that began, one output done, one in the making.
    (out / "run.json").write_text(json.dumps({"run": record["run"], "is_complete": False, "outputs": []}))
    (out / "masks").rename(out / "masks.partial")
    code, printed, _ = deixis(*command)
    assert code == 0
    assert "already done: " in printed and "masks: 10 frames" in printed
    assert sorted(path.name for path in out.iterdir()) == ["masks", "masks.jsonl", "run.json"]


def test_options_reach_the_runner(deixis, model, frames, tmp_path):
    out = tmp_path / "out"
    code, _, _ = deixis(
        *(
            "segment",
            frames,
            "red",
            "-o",
            out,
            "--save",
            "json",
            "--start",
            "2f",
            "--end",
            "9f",
            "--stride",
            "3",
        ),
        *("--windows", "linked", "--window-length", "2", "--window-overlap", "1", "--dtype", "bfloat16"),
    )
    assert code == 0
    assert [record["frame"] for record, _ in read_records(out / "masks.jsonl")] == [2, 5, 8]
    assert model.calls["video"] == 2
    run = json.loads((out / "run.json").read_text())["run"]
    assert run["windows"] == {"length": 2, "overlap": 1, "is_linked": True}
    assert run["dtype"] == "bfloat16"


def test_streaming_writes_the_same_files(deixis, model, frames, tmp_path):
    code, printed, _ = deixis("segment", frames, "red", "-o", tmp_path / "a", "--save", "json", "--stream")
    assert code == 0 and "10 of 10" in printed
    deixis("segment", frames, "red", "-o", tmp_path / "b", "--save", "json")
    assert (tmp_path / "a/masks.jsonl").read_text() == (tmp_path / "b/masks.jsonl").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{frames}"], "say which object you mean"),
        (["{frames}", ""], "empty"),
        (["{frames}", "dog " * 10_000], "10,000 words"),
        (["{frames}", "a\x00dog"], "U+0000"),
        (["{frames}", "red", "--model", "mttr-tiny-sinthetic"], "did you mean mttr-tiny-synthetic"),
        (["{frames}", "red", "--device", "cuda:63"], "this machine has"),
        (["{frames}", "red", "--device", "warp"], "not a device"),
        (["{frames}", "red", "--save", "overlay,jason"], "did you mean json"),
        (["{frames}", "red", "--save", ","], "names no output"),
        (["{frames}", "red", "--start", "9f", "--end", "2f"], "is not before end"),
        (["{frames}", "red", "--start", "soon"], "start is 'soon'"),
        (["{frames}", "red", "--start", "99f"], "after the end"),
        (["{frames}", "red", "--stride", "0"], "stride is 0"),
        (["{frames}", "red", "--window-length", "3", "--window-overlap", "3"], "overlap"),
        (["{frames}", "red", "--windows", "demo", "--window-length", "3"], "--windows linked"),
        (["nowhere.mp4", "red"], "no file or folder 'nowhere.mp4'"),
        (["{frames}", "red", "-o", "{frames}/00000.png"], "is a file, not a folder"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(
    deixis, model, frames, tmp_path, monkeypatch, arguments, message
):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    code, printed, errors = deixis("segment", *(part.replace("{frames}", str(frames)) for part in arguments))
    assert code == 2
    assert errors.startswith("deixis: ") and errors.count("\n") == 1
    assert message in errors
    assert printed == ""
    assert sorted(tmp_path.rglob("*")) == before
    assert model.calls["video"] == 0


def test_masks_are_followed_from_the_surest_frame(deixis, model, frames, tmp_path):
    command = ("segment", frames, "red", "--save", "json", "--propagator", "translation")
    code, printed, errors = deixis(*command, "-o", tmp_path / "out")
    assert (code, errors) == (0, "") and "10 of 10" in printed
    (masks,) = zip(*(found for _, found in read_records(tmp_path / "out/masks.jsonl")), strict=True)
    assert len({mask.sum() for mask in masks}) == 1  # one mask that moves
    assert len({mask.tobytes() for mask in masks}) > 1
    code, _, errors = deixis(*command, "-o", tmp_path / "two", "--stream")
    assert code == 2 and "--propagator goes backward" in errors
    code, _, errors = deixis(*command[:-1], "translatoin", "-o", tmp_path / "two")
    assert code == 2 and "translation" in errors


def test_a_folder_that_cannot_be_written_is_found_before_the_work(
    deixis, model, frames, tmp_path, monkeypatch
):
    monkeypatch.setattr("os.access", lambda *_: False)
    code, _, errors = deixis("segment", frames, "red", "-o", tmp_path / "out")
    assert code == 2 and "cannot be written" in errors
    assert model.calls["video"] == 0


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_full_disk_or_an_interrupt_leaves_nothing(deixis, model, frames, tmp_path, monkeypatch, error):
    def write(self, result, partial):
        raise error

    monkeypatch.setattr(RleJsonLines, "_write", write)
    code, _, errors = deixis("segment", frames, "red", "-o", tmp_path / "out", "--save", "json,masks")
    assert code == (130 if isinstance(error, KeyboardInterrupt) else 2)
    assert errors.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_frame_that_breaks_on_the_way_leaves_nothing(deixis, model, frames, tmp_path):
    whole = (frames / "00007.png").read_bytes()
    (frames / "00007.png").write_bytes(whole[: len(whole) // 2])
    code, _, errors = deixis("segment", frames, "red", "-o", tmp_path / "out", "--stream")
    assert code == 2 and "00007.png" in errors and errors.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_predictions_save_what_the_command_writes(deixis, model, frames, tmp_path):
    prediction = package.segment(frames, EXPRESSIONS, model=ColourModel())
    prediction.save(tmp_path / "saved")
    deixis("segment", frames, *EXPRESSIONS, "-o", tmp_path / "out")
    for name in ("masks.jsonl", "overlay.mp4", "masks/00009.png"):
        assert (tmp_path / "saved" / name).read_bytes() == (tmp_path / "out" / name).read_bytes()
    prediction.save(tmp_path / "saved", ["cutout"])
    assert (tmp_path / "saved/cutout/00000.png").exists()
    other = package.segment(frames, "green", model=ColourModel())
    with pytest.raises(package.errors.SinkError, match="another run"):
        other.save(tmp_path / "saved")


def test_another_threshold_is_another_run(deixis, tmp_path):
    """What a folder's configuration says is part of what a result is of, weights being the same."""
    model = shaken(replace(TINY, inputs=replace(TINY.inputs, short_side=32, long_side=64)))
    model.tokenizer = train_tokenizer(["a red square"])
    Image.fromarray(coloured_video(1)[0]).save(tmp_path / "one.png")
    command = ("segment", tmp_path / "one.png", "a red square", "--model", tmp_path / "model")
    command = (*command, "--save", "json", "--quiet", "--device", "cpu", "-o", tmp_path / "out")
    save(model, tmp_path / "model")
    assert deixis(*command)[0] == 0
    model.config = replace(model.config, expression_threshold=0.9)
    save(model, tmp_path / "model")
    code, _, errors = deixis(*command)
    assert code == 2 and "(different: config)" in errors
