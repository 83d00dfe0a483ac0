import pytest

from deixis.cli import COMMANDS, main
from deixis.errors import DeixisError


def failing(error):
    class Failing:
        def run(self):
            raise error

    return lambda name, arguments: Failing()


def test_help_lists_every_command(deixis):
    for arguments in ([], ["--help"], ["-h"]):
        code, printed, _ = deixis(*arguments)
        assert code == 0
        assert all(f"  {name} " in printed for name in COMMANDS)
    code, printed, _ = deixis("models")
    assert code == 0 and "models convert" in printed and "segment" not in printed
    assert deixis("--version")[1].startswith("deixis 0.")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["segmnt"], "unknown command 'segmnt'; did you mean segment"),
        (["models", "lst"], "unknown command of 'models': 'lst'; did you mean list"),
        (["xyzzy"], "known: bench, data, demo"),
    ],
)
def test_unknown_commands_offer_the_closest(deixis, arguments, message):
    code, _, errors = deixis(*arguments)
    assert code == 2 and message in errors and errors.count("\n") == 1


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(deixis, name):
    code, printed, errors = deixis(*name.split(), "--help")
    assert code == 0 and errors == ""
    assert "--" in printed


def test_unknown_options_offer_the_closest(deixis):
    code, _, errors = deixis("segment", "a.mp4", "a dog", "--strid", "2")
    assert code == 2 and "--stride" in errors


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (DeixisError("no\nsuch  thing"), 2, "deixis: no such thing\n"),
        (ValueError("too small"), 2, "deixis: too small\n"),
        (FileNotFoundError(2, "No such file", "x.npz"), 2, "deixis: [Errno 2] No such file: 'x.npz'\n"),
        (
            ImportError("'gradio' is not installed; run: pip install 'deixis[demo]'"),
            2,
            "deixis: 'gradio' is not",
        ),
        (KeyboardInterrupt(), 130, "deixis: interrupted\n"),
    ],
)
def test_errors_are_one_line_and_an_exit_code(deixis, monkeypatch, error, code, line):
    monkeypatch.setattr("deixis.cli._parse", failing(error))
    found, _, errors = deixis("segment")
    assert found == code and errors.startswith(line) and errors.count("\n") == 1


def test_defects_of_ours_are_not_hidden(monkeypatch):
    monkeypatch.setattr("deixis.cli._parse", failing(ImportError("cannot import name 'x'")))
    with pytest.raises(ImportError):
        main(["segment"])
    monkeypatch.setattr("deixis.cli._parse", failing(KeyError("x")))
    with pytest.raises(KeyError):
        main(["segment"])
    monkeypatch.setenv("DEIXIS_TRACEBACK", "1")
    monkeypatch.setattr("deixis.cli._parse", failing(ValueError("x")))
    with pytest.raises(ValueError, match="x"):
        main(["segment"])
