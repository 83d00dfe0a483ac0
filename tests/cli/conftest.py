import numpy as np
import pytest
from PIL import Image

from deixis.cli import main
from deixis.errors import UnknownNameError
from deixis.models import loading
from deixis.models.registry import list_models
from stand_ins import ColourModel, coloured_video


@pytest.fixture
def model(monkeypatch):
    """A stand-in that every known name loads."""
    model = ColourModel()

    def load(name, checkpoint=None, *, device="auto", tokenizer=None):
        if name not in list_models():
            raise UnknownNameError("model", name, list_models())
        return model

    monkeypatch.setattr(loading, "load", load)
    return model


@pytest.fixture
def frames(tmp_path):
    """A folder of ten pictures."""
    folder = tmp_path / "frames"
    folder.mkdir()
    for index, image in enumerate(coloured_video(10)):
        Image.fromarray(np.ascontiguousarray(image)).save(folder / f"{index:05d}.png")
    return folder


@pytest.fixture
def deixis(capsys):
    """Run the command line; return exit code, output and errors."""

    def run(*arguments):
        code = 0
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as error:
            code = error.code
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run
