"""The command line: one file a command, named in ``COMMANDS`` and imported only when it is called.

A command is a frozen data class in a module of its own: the fields are the arguments, their docstrings the
help (``tyro`` reads both), and ``run()`` does the work and imports what is heavy. A class that parses in its
own way has a class method ``parse(arguments, program)``, which takes the place of ``tyro``. ``run`` prints
results on standard output and raises what goes wrong; :func:`main` turns that into one line and an exit code.
Parsing imports no torch.
"""

import importlib
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from deixis.errors import DeixisError, UnknownNameError


class Command(Protocol):
    """What a command's class has."""

    def run(self) -> None:
        """Do the work."""
        ...


@dataclass(frozen=True)
class Entry:
    """Where a command lives: ``module`` and class ``name``, with the ``summary`` for the list of commands."""

    module: str
    name: str
    summary: str


COMMANDS: dict[str, Entry] = {
    "segment": Entry("deixis.cli.segment", "Segment", "mask the objects that sentences name in a video"),
    "demo": Entry("deixis.cli.demo", "Demo", "render a sample clip and segment it with two sentences"),
    "train": Entry("deixis.cli.train", "Train", "train a recipe, or go on with a run"),
    "evaluate": Entry("deixis.cli.evaluate", "Evaluate", "score a model or saved masks on a benchmark"),
    "data list": Entry("deixis.cli.data", "List", "name the data sets"),
    "data check": Entry("deixis.cli.data", "Check", "check a data set on disk"),
    "data render": Entry("deixis.cli.data", "Render", "render clips of the synthetic world"),
    "data export": Entry("deixis.cli.data", "Export", "write the synthetic world in a data set's layout"),
    "data flow": Entry("deixis.cli.flow", "Flow", "estimate optical flow ahead, into a cache or files"),
    "models list": Entry("deixis.cli.models", "List", "name the models"),
    "models show": Entry("deixis.cli.models", "Show", "describe a model: its parts, parameters and weights"),
    "models convert": Entry("deixis.cli.models", "Convert", "turn a published checkpoint into ours"),
    "bench parity": Entry(
        "deixis.cli.bench", "Parity", "compare a model with stored numbers, array by array"
    ),
    "bench speed": Entry("deixis.cli.bench", "Speed", "time a model, part by part"),
}
"""Command -> its entry. To add one: a class in a module of this folder, and a line here."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 2 on anything the user can put right, 130 on Ctrl-C.

    The environment variable ``DEIXIS_TRACEBACK=1`` shows where an error came from.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    try:
        _dispatch(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("deixis: interrupted", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        # The reader of our output (`deixis models list | head`) has gone: nothing is wrong.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except (DeixisError, ValueError, OSError, ImportError) as error:
        _explain(error)
        sys.exit(2)


def _explain(error: Exception) -> None:
    """Print ``error`` in one line; raise an ``ImportError`` again that names no extra: a defect of ours."""
    if os.environ.get("DEIXIS_TRACEBACK") == "1":
        raise error
    if isinstance(error, ImportError) and "deixis[" not in str(error):
        raise error
    print("deixis: " + " ".join(str(error).split()), file=sys.stderr)


def _dispatch(arguments: list[str]) -> None:
    if not arguments or arguments[0] in ("-h", "--help"):
        _print_help("")
        return
    if arguments[0] == "--version":
        from deixis.version import __version__

        print(f"deixis {__version__}")
        return
    for words in (2, 1):
        name = " ".join(arguments[:words])
        if name in COMMANDS:
            _parse(name, arguments[words:]).run()
            return
    group = arguments[0]
    members = [name.removeprefix(f"{group} ") for name in COMMANDS if name.startswith(f"{group} ")]
    if not members:
        raise UnknownNameError("command", group, {name.split()[0] for name in COMMANDS})
    if len(arguments) == 1 or arguments[1] in ("-h", "--help"):
        _print_help(f"{group} ")
        return
    raise UnknownNameError(f"command of {group!r}:", arguments[1], members)


def _parse(name: str, arguments: list[str]) -> Any:
    entry = COMMANDS[name]
    command = getattr(importlib.import_module(entry.module), entry.name)
    program = f"deixis {name}"
    if hasattr(command, "parse"):
        return command.parse(arguments, program)
    import tyro

    return tyro.cli(command, prog=program, args=arguments, config=(tyro.conf.FlagCreatePairsOff,))


def _print_help(prefix: str) -> None:
    """List the commands whose names start with ``prefix``."""
    print(f"usage: deixis {prefix}COMMAND [OPTIONS]\n")
    if not prefix:
        print("Point at objects in video with words.\n")
    names = [name for name in COMMANDS if name.startswith(prefix)]
    width = max(len(name) for name in names)
    for name in names:
        print(f"  {name:<{width}}  {COMMANDS[name].summary}")
    print(f"\nThe options of a command: deixis {prefix}COMMAND --help")
