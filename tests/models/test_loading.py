"""Every way in which loading can fail has its own line; every way that works gives the same model."""

import argparse
import collections
import json
import os
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from deixis.errors import CheckpointError, DeviceError, SinkError, UnknownNameError
from deixis.models import loading
from deixis.models.loading import convert_file, load, save
from deixis.models.mttr.config import VARIANTS
from deixis.models.mttr.convert import RENAMING
from deixis.models.mttr.model import Mttr
from deixis.text.words import train_tokenizer

NAME = "mttr-tiny-synthetic"


@pytest.fixture(scope="module")
def model() -> Mttr:
    torch.manual_seed(0)
    built = Mttr(VARIANTS[NAME]).eval()
    built.tokenizer = train_tokenizer(["the red square", "a blue circle"])
    return built


def assert_equal_weights(left: torch.nn.Module, right: torch.nn.Module) -> None:
    ours, theirs = left.state_dict(), right.state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


class Code:
    """A pickle of this would run a command."""

    def __reduce__(self):
        return os.system, ("touch /tmp/deixis_was_here",)


def test_a_folder_of_ours(model: Mttr, tmp_path: Path):
    folder = save(model, tmp_path / "new" / "model")
    assert sorted(path.name for path in folder.iterdir()) == [
        "config.json",
        "tokenizer.json",
        "weights.safetensors",
    ]
    for loaded in (load(folder, device="cpu"), load(NAME, folder, device="cpu")):
        assert_equal_weights(model, loaded)
        assert loaded.config == model.config
        assert loaded.tokenizer.definition == model.tokenizer.definition
        assert loaded.tokenizer.max_tokens == model.tokenizer.max_tokens


def test_saving_twice_leaves_other_files_alone(model: Mttr, tmp_path: Path):
    (tmp_path / "notes.txt").write_text("mine")
    save(model, tmp_path)
    save(model, tmp_path)
    assert len(list(tmp_path.iterdir())) == 4


def test_weights_in_any_wrapping(model: Mttr, tmp_path: Path):
    state = model.state_dict()
    published_extras = {
        "model_state_dict": state,
        "epoch": 3,
        "scheduler_state_dict": {"milestones": collections.Counter([20])},
        "args": argparse.Namespace(lr=1e-4),
        "best_mAP": np.float64(0.4),
    }
    torch.save(published_extras, tmp_path / "published.pth.tar")
    torch.save(state, tmp_path / "bare.pth")
    torch.save({"model": state}, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    save_file(state, tmp_path / "weights.safetensors")
    for path in sorted(tmp_path.iterdir()):
        assert_equal_weights(model, load(NAME, path, device="cpu"))


def test_dtype(model: Mttr, tmp_path: Path):
    loaded = load(save(model, tmp_path), device="cpu", dtype=torch.bfloat16)
    assert loaded.queries.weight.dtype == torch.bfloat16


def test_published_files_are_converted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog):
    """With a small text encoder, so that the file stays small; the real one is a matter of the goldens."""
    small = replace(VARIANTS["mttr-video-swin-t"], text_encoder="words-tiny", width=64, feedforward=64)
    monkeypatch.setitem(VARIANTS, "mttr-video-swin-t", small)
    original = Mttr(small)
    ours = {k.replace("text_encoder.", "text_encoder.encoder."): v for k, v in original.state_dict().items()}
    published, unknown = RENAMING.to_published(ours)
    assert not unknown
    renaming = replace(RENAMING, pairs=(("transformer.text_encoder.**", "text_encoder.**"), *RENAMING.pairs))
    monkeypatch.setattr("deixis.models.mttr.convert.RENAMING", renaming)
    published["backbone.layers.0.blocks.0.attn.relative_position_index"] = torch.zeros(3, dtype=torch.int64)
    torch.save({"model_state_dict": published}, tmp_path / "published.pth")
    report = convert_file(tmp_path / "published.pth", tmp_path / "ours", "mttr-video-swin-t")
    assert report.ignored == ("backbone.layers.0.blocks.0.attn.relative_position_index",)
    assert len(report.used) == len(ours)
    assert report.num_parameters == sum(value.numel() for value in ours.values())
    assert "tokenizer.json" in caplog.text
    assert_equal_weights(original, load(tmp_path / "ours", device="cpu"))
    assert_equal_weights(original, load("mttr-video-swin-t", tmp_path / "published.pth", device="cpu"))


@pytest.mark.parametrize("name", ["mttr-tiny-syntetic", "no-such-model"])
def test_unknown_model(name: str):
    with pytest.raises(UnknownNameError, match=NAME):
        load(name, device="cpu")
    with pytest.raises(UnknownNameError):
        load(name, "weights.pth", device="cpu")


def test_variants_without_weights():
    with pytest.raises(CheckpointError, match="comes without weights"):
        load("mttr-video-swin-t", device="cpu")


def test_folder_of_something_else(tmp_path: Path):
    for arguments in ((tmp_path,), (NAME, tmp_path)):
        with pytest.raises(CheckpointError, match=r"no config\.json"):
            load(*arguments, device="cpu")


def test_package_without_its_weights(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(loading, "ASSETS", tmp_path)
    with pytest.raises(CheckpointError, match="install the package again"):
        load(NAME, device="cpu")


def test_device_that_is_not_here():
    with pytest.raises(DeviceError, match="cuda:99"):
        load(NAME, device="cuda:99")


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_missing_file(suffix: str, tmp_path: Path):
    with pytest.raises(CheckpointError, match="no checkpoint file"):
        load(NAME, tmp_path / f"absent{suffix}", device="cpu")


@pytest.mark.parametrize("kind", ["zip", "legacy", "safetensors"])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.95])
def test_truncated(model: Mttr, tmp_path: Path, kind: str, share: float):
    path = tmp_path / ("file.safetensors" if kind == "safetensors" else "file.pth")
    if kind == "safetensors":
        save_file(model.state_dict(), path)
    else:
        torch.save(model.state_dict(), path, _use_new_zipfile_serialization=kind == "zip")
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(CheckpointError, match="copy it again"):
        load(NAME, path, device="cpu")


@pytest.mark.parametrize(
    "content", [b"hello", b"<!DOCTYPE html><html>Too many downloads</html>", b"\x00" * 64]
)
def test_not_a_checkpoint(tmp_path: Path, content: bytes):
    (tmp_path / "file.pth").write_bytes(content)
    with pytest.raises(CheckpointError, match="copy it again"):
        load(NAME, tmp_path / "file.pth", device="cpu")


@pytest.mark.parametrize("protocol", [None, 0, 2, 4])
def test_pickle_with_code(tmp_path: Path, protocol: int | None):
    path = tmp_path / "file.pth"
    if protocol is None:
        torch.save({"model": {}, "extra": Code()}, path)
    else:
        path.write_bytes(pickle.dumps({"model": Code()}, protocol=protocol))
    with pytest.raises(CheckpointError, match=r"pickle with code in it \((posix|nt)\.system\)"):
        load(NAME, path, device="cpu")
    assert not Path("/tmp/deixis_was_here").exists()


def test_checkpoint_of_another_model(tmp_path: Path):
    torch.save({f"fc.{index}.weight": torch.zeros(2) for index in range(15)}, tmp_path / "file.pth")
    with pytest.raises(CheckpointError, match="belongs to another model") as caught:
        load(NAME, tmp_path / "file.pth", device="cpu")
    assert "15 unexpected: fc.0.weight" in str(caught.value)
    assert "and 5 more" in str(caught.value)


def test_checkpoint_of_another_family(model: Mttr, tmp_path: Path):
    description = json.loads((save(model, tmp_path) / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**description, "family": "refformer"}))
    with pytest.raises(CheckpointError, match="family 'refformer', not 'mttr'"):
        load(NAME, tmp_path, device="cpu")
    with pytest.raises(UnknownNameError, match="model family"):
        load(tmp_path, device="cpu")


def test_wrong_shapes_missing_and_wrapped(model: Mttr, tmp_path: Path):
    state = model.state_dict()
    cases = {
        "another variant": {**state, "queries.weight": torch.zeros(3, 128)},
        "not complete": {name: value for name, value in state.items() if name != "queries.weight"},
        "holds more": {**state, "extra": torch.zeros(1)},
        "data-parallel": {f"module.{name}": value for name, value in state.items()},
    }
    for cause, tensors in cases.items():
        torch.save(tensors, tmp_path / "file.pth")
        with pytest.raises(CheckpointError, match=cause):
            load(NAME, tmp_path / "file.pth", device="cpu")


@pytest.mark.parametrize("content", [torch.zeros(3), {"a": 1}, {"state_dict": [1]}, [1, 2]])
def test_files_without_named_weights(tmp_path: Path, content):
    torch.save(content, tmp_path / "file.pth")
    with pytest.raises(CheckpointError, match="weights"):
        load(NAME, tmp_path / "file.pth", device="cpu")


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"family": "mttr"}', '{"family": "mttr", "config": {"widht": 3}}']
)
def test_broken_description(model: Mttr, tmp_path: Path, text: str):
    (save(model, tmp_path) / "config.json").write_text(text)
    with pytest.raises(CheckpointError, match=r"config\.json"):
        load(tmp_path, device="cpu")


def test_broken_tokenizer(model: Mttr, tmp_path: Path):
    (save(model, tmp_path) / "tokenizer.json").write_text("{}")
    with pytest.raises(CheckpointError, match="tokenizer"):
        load(tmp_path, device="cpu")


def test_hub_out_of_reach(monkeypatch: pytest.MonkeyPatch):
    def refuse(*_args, **_options):
        raise OSError("no network")

    monkeypatch.setattr("huggingface_hub.snapshot_download", refuse)
    with pytest.raises(CheckpointError, match="cannot be fetched from the hub"):
        load(NAME, "owner/model", device="cpu")


def test_hub_folder(model: Mttr, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    save(model, tmp_path)
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda hub_id, allow_patterns: str(tmp_path))
    assert_equal_weights(model, load(NAME, "owner/model", device="cpu"))


def test_folder_that_cannot_be_written(model: Mttr, tmp_path: Path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SinkError, match="cannot write"):
        save(model, tmp_path / "file")


def test_a_failed_write_leaves_nothing_half_written(
    model: Mttr, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    save(model, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(SinkError, match="No space left"):
        save(model, tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
