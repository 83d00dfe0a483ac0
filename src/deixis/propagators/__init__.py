"""Masks of one frame followed through the others. No language here, and no torch until one is asked for."""

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

from deixis.errors import CheckpointError, UnknownNameError
from deixis.models.uniref.config import FOLLOWING
from deixis.propagators.sam2.config import VARIANTS as SAM2

if TYPE_CHECKING:
    import torch

    from deixis.propagators.base import Propagator

PROPAGATORS: dict[str, str] = {
    "copy": "deixis.propagators.copying:CopyPropagator",
    "translation": "deixis.propagators.translation:TranslationPropagator",
    "stcn": "deixis.propagators.stcn.propagator:load",
    "stcn-bounded": "deixis.propagators.stcn.propagator:load",
    "stcn-tiny-synthetic": "deixis.propagators.stcn.propagator:load",
    "stcn-tiny-synthetic-bounded": "deixis.propagators.stcn.propagator:load",
    "cfbi": "deixis.propagators.cfbi.propagator:load",
    "cfbi-mobilenet": "deixis.propagators.cfbi.propagator:load",
    "cfbi-plus": "deixis.propagators.cfbi.propagator:load",
    **dict.fromkeys(FOLLOWING, "deixis.propagators.uniref:load"),
    **dict.fromkeys(SAM2, "deixis.propagators.sam2.weights:load"),
}
"""Name -> module and class, or function of the name, a checkpoint and a device."""

DEFAULT = "stcn-tiny-synthetic-bounded"
"""The propagator of ``deixis segment --masks`` when none is named: of those that ship, the best on real
clips; its memory does not grow with the video."""

WEIGHT_FREE: tuple[str, ...] = ("copy", "translation")
"""Propagators that need no weights."""

EMBEDDED: dict[str, str] = {
    "stcn-tiny-synthetic": "stcn-tiny-synthetic",
    "stcn-tiny-synthetic-bounded": "stcn-tiny-synthetic",
    "uniref-tiny-synthetic": "uniref-tiny-synthetic",
}
"""Propagators whose weights ship inside the package -> folder in ``assets``."""

ASSETS = Path(__file__).parents[1] / "assets"

FAMILIES: dict[str, str] = {"stcn": "deixis.propagators.stcn", "cfbi": "deixis.propagators.cfbi"}
"""Model of a golden -> package with ``goldens``."""


def build(
    name: str, checkpoint: str | Path | None = None, *, device: "str | torch.device" = "cpu"
) -> "Propagator":
    """Build the propagator ``name``.

    Args:
        name: as ``PROPAGATORS`` has it, or a folder of a UniRef of ours.
        checkpoint: weights of one that needs them: its published file, or a file or folder of ours; None
            takes those that ship inside the package. Of the SAM 2 family: a folder, or an id on the Hugging
            Face hub; None takes what was fetched before.
        device: where its network runs.

    Raises:
        UnknownNameError: there is no such propagator.
        CheckpointError: weights that are missing, superfluous, broken, unsafe, or of another network.
    """
    if name not in PROPAGATORS and Path(name).is_dir():
        return importlib.import_module("deixis.propagators.uniref").load(name, checkpoint, device=device)
    if name not in PROPAGATORS:
        raise UnknownNameError("propagator", name, PROPAGATORS)
    module, _, attribute = PROPAGATORS[name].partition(":")
    if name in WEIGHT_FREE:
        if checkpoint is not None:
            raise CheckpointError(f"the propagator {name} has no weights; leave its checkpoint out")
        return getattr(importlib.import_module(module), attribute)()
    if checkpoint is None and name in EMBEDDED:
        checkpoint = ASSETS / EMBEDDED[name]
    if checkpoint is None and name not in SAM2:
        raise CheckpointError(
            f"the propagator {name} comes without weights; give its published file as its checkpoint "
            "(on the command line: --propagator-checkpoint)"
        )
    return getattr(importlib.import_module(module), attribute)(name, checkpoint, device=device)
