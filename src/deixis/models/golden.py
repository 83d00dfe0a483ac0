"""A golden run as a model's ``goldens.py`` gets it: parameters and inputs are drawn already."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class GoldenRun:
    """One recorded run of a published architecture, to be repeated by ours.

    Attributes:
        variant: of the published architecture, None where it does not matter.
        kind: "network", "loss", "postprocess", "propagation" or "ops".
        options: switches of the run.
        inputs: of the run; every draw is replaced by its array.
        parameters: published name -> array, empty where the run has no network.
        stored: arrays that are stored as inputs (``in_*``).
        names: the arrays that are compared, in the order of the forward pass.
    """

    variant: str | None
    kind: str
    options: Mapping[str, Any]
    inputs: Mapping[str, Any]
    parameters: Mapping[str, np.ndarray]
    stored: Mapping[str, np.ndarray]
    names: tuple[str, ...]
