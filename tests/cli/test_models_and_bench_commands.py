import json
from pathlib import Path

import pytest

import deixis.parity as deixis_parity
from deixis.models import loading
from deixis.models.registry import find_variant, list_models
from deixis.parity import ArrayParity, ParityReport


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model of ours with random weights, as a folder."""
    from deixis.models.mttr.model import Mttr
    from deixis.text.words import train_tokenizer

    model = Mttr(find_variant("mttr-tiny-synthetic")[1], train_tokenizer(["the red square", "a blue star"]))
    return loading.save(model, tmp_path_factory.mktemp("models") / "tiny")


def test_list_names_every_model(deixis):
    code, printed, _ = deixis("models", "list")
    assert code == 0
    assert [line.split()[0] for line in printed.splitlines()] == list_models()
    assert "the default" in printed and "needs --checkpoint" in printed


def test_show_describes_a_model_with_and_without_weights(deixis, folder):
    code, printed, _ = deixis("models", "show", folder)
    assert code == 0
    assert '"num_queries": 1' in printed and "text_encoder" in printed
    assert len(printed.split("sha256 ")[1].strip()) == 64
    code, _, errors = deixis("models", "show", "mttr-video-swin")
    assert code == 2 and "did you mean mttr-video-swin-t" in errors and errors.count("\n") == 1


def test_convert_reports_what_became_of_the_parameters(deixis, monkeypatch, tmp_path):
    asked = []

    def convert_file(*arguments, tokenizer):
        asked.append((*arguments, tokenizer))
        return loading.ConversionReport(tmp_path / "out", "mttr", 1234567, ("a", "b"), ("buffer",))

    monkeypatch.setattr(loading, "convert_file", convert_file)
    command = ("models", "convert", "published.pth", tmp_path / "out", "--model", "mttr-video-swin-t")
    code, printed, errors = deixis(*command)
    assert (code, errors) == (0, "")
    assert "2 tensors, 1,234,567 numbers" in printed and "constants: 1 (buffer)" in printed
    assert asked == [(Path("published.pth"), tmp_path / "out", "mttr-video-swin-t", None)]


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 cut off"])
def test_convert_refuses_files_that_are_none(deixis, tmp_path, content):
    (tmp_path / "published.pth").write_bytes(content)
    code, _, errors = deixis(
        "models", "convert", tmp_path / "published.pth", tmp_path / "out", "--model", "mttr-tiny-synthetic"
    )
    assert code == 2 and errors.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("is_equal", [True, False])
def test_parity_prints_every_array_and_fails_on_a_difference(deixis, monkeypatch, is_equal):
    rows = (
        ArrayParity("maps", "backbone", 1e-6, 1e-4),
        ArrayParity("masks", "head", 0.0 if is_equal else 0.5, 1e-4),
    )
    monkeypatch.setattr(
        deixis_parity,
        "check",
        lambda golden, layout, tolerance: ParityReport(golden.stem, "mttr", "network", rows),
    )
    code, printed, errors = deixis("bench", "parity", "a.npz", "b.npz")
    assert code == (0 if is_equal else 2)
    assert printed.index("maps") < printed.index("masks")
    assert errors == ("" if is_equal else "deixis: 2 of 2 differ: a, b\n")
    code, printed, _ = deixis("bench", "parity", "a.npz", "--json", "--tolerance", "1e-3")
    assert json.loads(printed)["is_equal"] is is_equal


def test_parity_needs_a_golden_that_is_there(deixis):
    code, _, errors = deixis("bench", "parity")
    assert code == 2 and "at least one golden" in errors
    code, _, errors = deixis("bench", "parity", "nowhere.npz")
    assert code == 2 and "nowhere.json" in errors and errors.count("\n") == 1


def test_speed_times_the_parts(deixis):
    code, printed, _ = deixis(
        *("bench", "speed", "mttr-tiny-synthetic", "--frames", "2", "--height", "32", "--width", "48"),
        *("--expressions", "1", "3", "--repeats", "1", "--json"),
    )
    assert code == 0
    found = json.loads(printed)
    assert list(found["seconds"]) == [
        *("vision", "text, 1 expression", "all, 1 expression"),
        *("text, 3 expressions", "all, 3 expressions"),
    ]
    assert all(value > 0 for value in found["seconds"].values())
    assert {"device", "threads", "versions"} <= set(found)
    code, _, errors = deixis("bench", "speed", "--frames", "0")
    assert code == 2 and "at least 1" in errors


def test_demo_renders_and_segments_with_two_sentences(deixis, folder, tmp_path):
    out = tmp_path / "demo"
    code, printed, errors = deixis("demo", "-o", out, "--model", folder, "--length", "6", "--device", "cpu")
    assert (code, errors) == (0, "")
    assert {"overlay.mp4", "masks", "masks.jsonl", "run.json"} <= {path.name for path in out.iterdir()}
    assert len(json.loads((out / "run.json").read_text())["run"]["expressions"]) == 2
    assert "look at" in printed
    code, printed, _ = deixis("demo", "-o", out, "--model", folder, "--length", "6", "--device", "cpu")
    assert code == 0 and "already done" in printed
