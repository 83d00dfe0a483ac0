"""What made a result: model, weights, settings, versions, device. Written beside every output."""

import glob
import hashlib
import importlib.metadata
import json
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deixis.configuration import to_plain
from deixis.version import __version__

if TYPE_CHECKING:
    from torch import nn

    from deixis.models.base import ReferringModel

    from .segmenter import Segmenter

_LIBRARIES = ("torch", "torchvision", "transformers", "tokenizers", "av", "numpy", "pillow")


def describe_run(segmenter: "Segmenter", expressions: Sequence[str]) -> dict[str, Any]:
    """Return a plain record of what ``segmenter`` makes of ``expressions``."""
    return {
        "expressions": list(expressions),
        "model": segmenter.name,
        "weights": segmenter.weights_hash,
        "config": to_plain(segmenter.model.config),
        "windows": to_plain(segmenter.rule),
        "num_candidates": segmenter.num_candidates,
        **_describe_particulars(segmenter, expressions),
        **_describe_propagator(segmenter),
        "device": str(segmenter.engine.device),
        "dtype": str(segmenter.engine.dtype).removeprefix("torch."),
        "versions": versions(),
    }


def _describe_propagator(segmenter: "Segmenter") -> dict[str, Any]:
    """Name the propagator; of one with a network, say how it is set and which weights it has."""
    from torch import nn

    propagator = segmenter.propagator
    found: dict[str, Any] = {"propagator": None if propagator is None else type(propagator).__name__}
    network, config = getattr(propagator, "network", None), getattr(propagator, "config", None)
    if isinstance(network, nn.Module):
        found["propagator_weights"] = weights_hash(network)
        found["propagator_config"] = to_plain(config)
    return found


def _describe_particulars(segmenter: "Segmenter", expressions: Sequence[str]) -> dict[str, Any]:
    """Say how flow is estimated, where the model wants it, and what must be known of its results."""
    from deixis.text.tokenizer import Tokenizer

    found: dict[str, Any] = {}
    if segmenter.engine.flow_estimator is not None:
        found["flow"] = segmenter.engine.flow_estimator.describe()
    if segmenter.model.note:
        found["note"] = segmenter.model.note
    tokenizer, unknown = segmenter.model.tokenizer, []
    # A model may bring a tokenizer of another kind, of which it is not known what it knows.
    if isinstance(tokenizer, Tokenizer):
        unknown = [text for text in expressions if not tokenizer.knows(text)]
    if unknown and not segmenter.model.note:
        found["note"] = f"the model knows no word of {', '.join(map(repr, unknown))}"
    return found


def describe_source(source: Any) -> dict[str, Any]:
    """Return what tells whether ``source`` is still the same: path, sizes and times of its files."""
    path = Path(str(source))
    if path.is_file():
        return {"path": str(path.resolve()), "files": _digest([path])}
    if path.is_dir():
        return {"path": str(path.resolve()), "files": _digest(sorted(path.iterdir()))}
    return {"path": str(source), "files": _digest([Path(match) for match in sorted(glob.glob(str(source)))])}


def versions() -> dict[str, str]:
    """Return the versions of Deixis, Python and the libraries that results depend on."""
    found = {"deixis": __version__, "python": platform.python_version()}
    for library in _LIBRARIES:
        try:
            found[library] = importlib.metadata.version(library)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _digest(paths: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        state = path.stat()
        digest.update(f"{path.name} {state.st_size} {state.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def config_hash(model: "ReferringModel") -> str:
    """Return the first digits of the SHA-256 of a model's configuration, of which thresholds are a part."""
    plain = json.dumps(to_plain(model.config), sort_keys=True)
    return hashlib.sha256(plain.encode()).hexdigest()[:16]


def weights_hash(model: "nn.Module") -> str:
    """Return the SHA-256 of names, shapes and values of all weights: the same on every device."""
    digest = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        array = value.detach().cpu().contiguous()
        digest.update(f"{name} {array.dtype} {tuple(array.shape)}\n".encode())
        digest.update(array.flatten().view(-1).numpy().tobytes())
    return digest.hexdigest()
