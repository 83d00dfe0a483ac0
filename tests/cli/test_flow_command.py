import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deixis.flow.cache import decode_flow
from deixis.flow.dis import Dis
from deixis.synthetic.benchmark import records
from deixis.synthetic.write import export
from moving_pictures import moving_square, texture


@pytest.fixture
def moving(tmp_path: Path) -> Path:
    """A folder of four frames, and two of another scene."""
    folder = tmp_path / "moving"
    folder.mkdir()
    frames, _ = moving_square(4)
    other = [np.roll(texture(96, 128, 7), 3 * index, 1) for index in range(2)]
    for index, image in enumerate([*frames, *other]):
        Image.fromarray(image).save(folder / f"{index:05d}.png")
    return folder


def test_what_a_model_will_ask_for_is_there(deixis, moving, tmp_path):
    cache = tmp_path / "cache"
    code, printed, _ = deixis("data", "flow", moving, "--model", "motion-baseline", "--cache", cache)
    assert code == 0
    assert "8 made, 0 there already" in printed  # both ways: three pairs, a cut, one pair
    stored = {path: path.stat().st_mtime_ns for path in cache.rglob("*.png")}
    assert len(stored) == 8
    (method,) = cache.iterdir()
    assert json.loads((method / "method.json").read_text()) == Dis("medium").describe()
    again = deixis("data", "flow", moving, "--model", "motion-baseline", "--cache", cache)[1]
    assert "0 made, 8 there already" in again

    options = ("--model", "motion-baseline", "--flow-cache", cache, "--quiet", "--save", "json")
    code, printed, errors = deixis("segment", moving, "the square", *options, "-o", tmp_path / "out")
    assert code == 0, errors
    assert {path: path.stat().st_mtime_ns for path in cache.rglob("*.png")} == stored
    assert json.loads((tmp_path / "out" / "run.json").read_text())["run"]["flow"]["rounded_to"] == 1 / 64


def test_flow_as_files_named_after_frames(deixis, moving, tmp_path):
    code, printed, _ = deixis("data", "flow", moving, "--export", tmp_path / "flow", "--short-side", "48")
    assert code == 0
    assert printed.strip().endswith("flow")
    written = sorted(path.name for path in (tmp_path / "flow").iterdir())
    assert written == ["00000.png", "00001.png", "00002.png", "00004.png"]
    assert decode_flow((tmp_path / "flow" / "00000.png").read_bytes()).shape == (48, 64, 2)


def test_flow_of_a_data_set(deixis, tmp_path):
    from dataclasses import replace

    chosen = records("test", 2)
    small = replace(chosen, settings=replace(chosen.settings, size=(48, 64), length=3))
    export(small, tmp_path / "data", "folder", "test")
    options = ("--split", "test", "--cache", tmp_path / "cache", "--directions", "forward")
    code, printed, errors = deixis("data", "flow", "folder", "--root", tmp_path / "data", *options)
    assert code == 0, errors
    made = int(printed.split(": ")[1].split()[0])
    assert made == 2 * 3  # two forward, and back from the last


def test_mistakes_are_named(deixis, moving, tmp_path):
    errors = deixis("data", "flow", moving, "--estimator", "raft-large", "--cache", tmp_path / "c")[2]
    assert "raft-large needs weights" in errors
    errors = deixis("data", "flow", "ref-davis17")[2]
    assert "where is ref-davis17? give its folder with --root" in errors
    errors = deixis("data", "flow", moving, "--model", "mttr-tiny-synthetic")[2]
    assert "wants no optical flow" in errors
    errors = deixis("data", "flow", tmp_path / "absent")[2]
    assert "absent" in errors
    options = ("--model", "mttr-tiny-synthetic", "--flow-cache", tmp_path / "c", "--quiet")
    errors = deixis("segment", moving, "it", *options, "-o", tmp_path / "out")[2]
    assert "wants no optical flow" in errors


def test_models_are_evaluated_with_flow_that_is_kept(deixis, tmp_path):
    cache, out = tmp_path / "cache", tmp_path / "out"
    options = ("--split", "val", "--num-clips", "1", "--model", "motion-baseline", "--out", out)
    code, _, errors = deixis("evaluate", "synthetic", *options, "--flow-cache", cache)
    assert code == 0, errors
    stored = {path: path.stat().st_mtime_ns for path in cache.rglob("*.png")}
    assert len(stored) == 30  # 15 pairs, both ways
    told = json.loads((out / "result.json").read_text())["protocol"]["flow"]
    assert told == {**Dis("medium").describe(), "rounded_to": 1 / 64}
    assert deixis("evaluate", "synthetic", *options, "--flow-cache", cache, "--overwrite")[0] == 0
    assert {path: path.stat().st_mtime_ns for path in cache.rglob("*.png")} == stored
    code, _, errors = deixis("evaluate", "synthetic", *options)
    assert code == 2
    assert "holds another evaluation" in errors
    for option in (("--flow-cache", cache), ("--raft-weights", "file.pth")):
        code, _, errors = deixis("evaluate", "davis16", "--predictions", tmp_path, *option)
        assert code == 2
        assert f"{option[0]} is about models" in errors


def test_davis16_by_attribute_with_one_command(deixis, tmp_path):
    """HINet, supplement, table 1."""
    from dataclasses import replace

    chosen = records("test", 2)
    small = replace(chosen, settings=replace(chosen.settings, size=(48, 64), length=5))
    names = ("bmx-trees", "goat")
    export(
        [replace(one, name=name) for one, name in zip(small, names, strict=True)],
        tmp_path / "data",
        "davis16",
        "val",
    )
    options = ("--root", tmp_path / "data", "--model", "motion-baseline", "--protocol", "davis16-referring")
    code, printed, errors = deixis("evaluate", "davis16", *options, "--out", tmp_path / "out")
    assert code == 0, errors
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    attributes = report["groups"]["attribute"]
    assert list(attributes)[:5] == ["LR", "SV", "SC", "CS", "BC"]
    assert attributes["CS"] == attributes["BC"] == report["figures"]
    assert attributes["LR"]["J-Mean"] != attributes["CS"]["J-Mean"]
    assert "\n| CS " in printed
    assert "\n| annotator 1 " in printed
