"""Weights on disk: reading files that may be broken or hostile, and fitting them into a model exactly."""

import pickle
import pickletools
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from deixis.errors import CheckpointError

LISTED = 10
"""How many names an error lists at most."""

_NESTED_UNDER = ("model_state_dict", "model", "state_dict", "network")
_SPLIT_INTO = ("model", "bert_model")


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read the tensors of a ``.safetensors`` file, or of a file of ``torch.save`` without running code in it.

    In the latter the weights may be the whole file, or stand under ``model_state_dict``, ``model``,
    ``state_dict`` or ``network``; those of a network and its BERT under ``model`` and ``bert_model`` keep
    the two as the first part of their names (RefVOS).

    Raises:
        CheckpointError: missing, truncated, not a checkpoint, or a pickle with code in it.
    """
    if not path.is_file():
        raise CheckpointError(f"there is no checkpoint file {path}")
    content = _read_safetensors(path) if path.suffix == ".safetensors" else _read_pickle(path)
    if isinstance(content, Mapping):
        content = _unnested(content)
    if not isinstance(content, Mapping):
        raise CheckpointError(f"{path} holds a {type(content).__name__}, not named weights")
    tensors = {str(name): value for name, value in content.items() if isinstance(value, Tensor)}
    if not tensors:
        raise CheckpointError(f"{path} holds no weights (found: {_listed(map(str, content))})")
    return tensors


def _unnested(content: Mapping[Any, Any]) -> Mapping[Any, Any]:
    if all(isinstance(content.get(part), Mapping) for part in _SPLIT_INTO):
        return {f"{part}.{name}": value for part in _SPLIT_INTO for name, value in content[part].items()}
    for name in _NESTED_UNDER:
        if isinstance(content.get(name), Mapping):
            return content[name]
    return content


def fit_weights(model: nn.Module, tensors: Mapping[str, Tensor], source: str, unknown: list[str]) -> None:
    """Copy ``tensors`` into ``model``; every parameter must be there once, and nothing else.

    Args:
        model: takes the weights.
        tensors: by our names.
        source: the file, for the message.
        unknown: names of the file that have no place in the model.

    Raises:
        CheckpointError: names are missing or too many, or shapes differ; with at most ten of each and the
            likely cause.
    """
    wanted = model.state_dict()
    missing = [name for name in wanted if name not in tensors]
    unexpected = [*unknown, *(name for name in tensors if name not in wanted)]
    misshapen = [
        f"{name} is {list(tensors[name].shape)}, should be {list(value.shape)}"
        for name, value in wanted.items()
        if name in tensors and tensors[name].shape != value.shape
    ]
    if missing or unexpected or misshapen:
        problems = {"missing": missing, "unexpected": unexpected, "wrong shapes": misshapen}
        report = "; ".join(
            f"{len(names)} {kind}: {_listed(names)}" for kind, names in problems.items() if names
        )
        cause = _likely_cause(len(wanted), missing, unexpected, misshapen)
        raise CheckpointError(f"{source} does not fit this model ({cause}): {report}")
    model.load_state_dict(dict(tensors), strict=True)


def _likely_cause(num_wanted: int, missing: list[str], unexpected: list[str], misshapen: list[str]) -> str:
    if unexpected and all(name.startswith("module.") for name in unexpected):
        return "it was saved from a data-parallel wrapper: remove the prefix 'module.'"
    if len(missing) > num_wanted // 2:
        return "it belongs to another model"
    if misshapen:
        return "it belongs to another variant of the model"
    if missing and unexpected:
        return "it belongs to another variant or another version of the code"
    return "it is not complete" if missing else "it holds more than the model"


def _listed(names: Any) -> str:
    names = list(names)
    more = f", and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} is broken or truncated; copy it again ({error})") from error


def _read_pickle(path: Path) -> Any:
    allowed = _published_globals()
    try:
        with torch.serialization.safe_globals(allowed), warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # about pickle protocols
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        refused = [name for name in _pickled_globals(path) if not name.startswith(("torch", "collections"))]
        if not refused:
            raise CheckpointError(f"{path} is not a checkpoint, or is broken; copy it again") from error
        raise CheckpointError(
            f"{path} is a pickle with code in it ({_listed(refused)}) and is not loaded; ask for a file "
            "of tensors alone, such as safetensors"
        ) from error
    except (RuntimeError, EOFError, OSError, ValueError, LookupError) as error:
        reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise CheckpointError(f"{path} is broken or truncated; copy it again ({reason})") from error


def _pickled_globals(path: Path) -> list[str]:
    """Name the classes and functions that the pickle in ``path`` asks for, without running it."""
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                member = next(name for name in archive.namelist() if name.endswith("data.pkl"))
                content = archive.read(member)
        else:
            content = path.read_bytes()
    except (OSError, StopIteration, zipfile.BadZipFile):
        return []
    names: dict[str, None] = {}
    strings: list[str] = []
    try:
        for operation, argument, _ in pickletools.genops(content):
            if operation.name == "GLOBAL":
                names[str(argument).replace(" ", ".")] = None
            elif operation.name == "STACK_GLOBAL" and len(strings) > 1:
                names[".".join(strings[-2:])] = None
            elif isinstance(argument, str):
                strings.append(argument)
    except (ValueError, LookupError):
        pass  # not a pickle, or one that ends early: what was seen until here counts
    return list(names)


def _published_globals() -> list[Any]:
    """Return the harmless classes that published trainers pickled beside their weights."""
    import _codecs
    import argparse
    import collections

    import numpy as np
    from numpy._core import multiarray

    return [
        argparse.Namespace,
        collections.Counter,
        collections.defaultdict,
        _codecs.encode,
        np.dtype,
        type(np.dtype(np.float64)),
        type(np.dtype(np.float32)),
        type(np.dtype(np.int64)),
        (multiarray.scalar, "numpy.core.multiarray.scalar"),
        (multiarray.scalar, "numpy._core.multiarray.scalar"),
    ]
