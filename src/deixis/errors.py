"""The kinds of failure that a caller may want to tell apart; each message says what is wrong and what to do.

Wrong arguments of functions raise ``ValueError`` or ``TypeError``. The kinds below are for what comes from
outside the program: files, checkpoints, data sets, devices. The command line turns all of them into one line
and exit code 2.
"""

import difflib
from collections.abc import Iterable


class DeixisError(Exception):
    """Anything that the user of the toolkit can put right."""


class SourceError(DeixisError):
    """Frames cannot be read: missing, empty, corrupt or of several sizes."""


class SinkError(DeixisError):
    """Results cannot be written: the folder is not writable, the disk is full."""


class MaskError(DeixisError):
    """Masks that cannot be followed: no ids, no object, another size, or a frame that is not there."""


class ExpressionError(DeixisError):
    """An expression that no text encoder can take: empty, too long, control characters, not a string."""


class CheckpointError(DeixisError):
    """Weights that do not fit: of another model, truncated, unsafe, missing or unexpected keys."""


class DatasetError(DeixisError):
    """A data set on disk that is not as its layout says."""


class MissingSplitError(DatasetError):
    """A split of a data set that is not there at all, as when its archive was never unpacked."""


class DeviceError(DeixisError):
    """A device that this machine does not have."""


class RecipeError(DeixisError):
    """A training recipe with an unknown field or an impossible value."""


class TrainingError(DeixisError):
    """A training run that cannot go on, as when its loss is no longer finite."""


class UnknownNameError(DeixisError):
    """A name that no table holds; the message offers the closest ones."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        """Say that there is no ``kind`` of thing (``"model"``) called ``name``, and what is close to it."""
        known = sorted(known)
        close = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
        hint = f"did you mean {' or '.join(close)}?" if close else f"known: {', '.join(known)}"
        super().__init__(f"unknown {kind} {name!r}; {hint}")


def require(module: str, extra: str) -> None:
    """Raise an ``ImportError`` that names the ``extra`` to install where ``module`` is absent."""
    import importlib.util

    if importlib.util.find_spec(module) is None:
        raise ImportError(f"{module!r} is not installed; run: pip install 'deixis[{extra}]'")
