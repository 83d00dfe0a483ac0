"""`import deixis` and `deixis --help` are instant: what is loaded is tested, not the time."""

import subprocess
import sys

HEAVY = ("torch", "torchvision", "transformers", "av", "scipy", "PIL", "pycocotools")


def loaded(code):
    ending = f"; import sys; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code + ending], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1]


def test_import_loads_nothing_heavy():
    assert loaded("import deixis; deixis.__version__") == "[]"


def test_list_of_models_loads_nothing_heavy():
    assert loaded("import deixis; assert 'mttr-tiny-synthetic' in deixis.list_models()") == "[]"


def test_help_of_every_command_loads_nothing_heavy():
    code = """
import contextlib
from deixis.cli import COMMANDS, main
main(['--help'])
for name in COMMANDS:
    with contextlib.suppress(SystemExit):
        main([*name.split(), '--help'])
main(['models', 'list'])
pass"""
    assert loaded(code) == "[]"


def test_public_names_are_there():
    import deixis

    for name in deixis.__all__:
        assert getattr(deixis, name) is not None
