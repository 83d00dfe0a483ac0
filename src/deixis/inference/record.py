"""What made a result: model, weights, settings, versions, device. Written beside every output."""

import hashlib
import importlib.metadata
import platform
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from torch import nn

from deixis.configuration import to_plain
from deixis.version import __version__

if TYPE_CHECKING:
    from .segmenter import Segmenter

_LIBRARIES = ("torch", "torchvision", "transformers", "tokenizers", "av", "numpy", "pillow")


def describe_run(segmenter: "Segmenter", expressions: Sequence[str]) -> dict[str, Any]:
    """Return a plain record of what ``segmenter`` makes of ``expressions``."""
    return {
        "expressions": list(expressions),
        "model": segmenter.name,
        "weights": weights_hash(segmenter.model),
        "inputs": to_plain(segmenter.engine.inputs),
        "windows": to_plain(segmenter.rule),
        "num_candidates": segmenter.num_candidates,
        "device": str(segmenter.engine.device),
        "dtype": str(segmenter.engine.dtype).removeprefix("torch."),
        "versions": versions(),
    }


def versions() -> dict[str, str]:
    """Return the versions of Deixis, Python and the libraries that results depend on."""
    found = {"deixis": __version__, "python": platform.python_version()}
    for library in _LIBRARIES:
        try:
            found[library] = importlib.metadata.version(library)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def weights_hash(model: nn.Module) -> str:
    """Return the SHA-256 of names, shapes and values of all weights: the same on every device."""
    digest = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        array = value.detach().cpu().contiguous()
        digest.update(f"{name} {array.dtype} {tuple(array.shape)}\n".encode())
        digest.update(array.flatten().view(-1).numpy().tobytes())
    return digest.hexdigest()
