"""Deixis: point at objects in video with words."""

import importlib
from typing import TYPE_CHECKING, Any

from deixis.version import __version__

if TYPE_CHECKING:
    from deixis.inference.call import segment
    from deixis.inference.examples import Finder
    from deixis.inference.following import Follower
    from deixis.inference.prediction import Prediction
    from deixis.inference.segmenter import Segmenter
    from deixis.models.loading import load
    from deixis.models.registry import list_models

__all__ = ["Finder", "Follower", "Prediction", "Segmenter", "__version__", "list_models", "load", "segment"]

_HOMES = {
    "Finder": "deixis.inference.examples",
    "Follower": "deixis.inference.following",
    "Prediction": "deixis.inference.prediction",
    "Segmenter": "deixis.inference.segmenter",
    "list_models": "deixis.models.registry",
    "load": "deixis.models.loading",
    "segment": "deixis.inference.call",
}


def __getattr__(name: str) -> Any:
    # Public names are imported on first use: `import deixis` must not import torch.
    if name not in _HOMES:
        raise AttributeError(f"module 'deixis' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
