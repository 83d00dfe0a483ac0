"""The Python of the README runs as it stands there, and its pictures and links exist."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deixis.synthetic.benchmark import records
from deixis.synthetic.write import render_videos

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_python_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    record = records("val", 1)[0]
    (video,) = render_videos([record], tmp_path)
    video.rename(tmp_path / "dog.mp4")
    shown = record.masks.read([0], record.object_ids)[0, 0]
    Image.fromarray((255 * shown).astype(np.uint8)).save(tmp_path / "first_frame.png")
    monkeypatch.chdir(tmp_path)
    names = {"frames": record.frames.read(range(3))}
    exec(compile(example, "README.md", "exec"), names)
    assert names["masks"].shape[0] == 16
    for written in re.findall(r"(\w+\.mp4|masks/|masks\.jsonl)", example.split("save(")[1].splitlines()[0]):
        assert (tmp_path / "out" / written).exists()


def test_links_and_pictures_exist() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target


def test_commands_are_known() -> None:
    from deixis.cli import COMMANDS

    for line in re.findall(r"^deixis (.+?)(?:  |$)", README, re.MULTILINE):
        words = line.split()
        names = [words[0]] if words[0] in COMMANDS else [f"{words[0]} {verb}" for verb in words[1].split("|")]
        assert set(names) <= set(COMMANDS), line
