"""Masks of one frame followed through the others. No language here, and no torch until one is asked for."""

import importlib
from typing import TYPE_CHECKING

from deixis.errors import UnknownNameError

if TYPE_CHECKING:
    from deixis.propagators.base import Propagator

PROPAGATORS: dict[str, str] = {
    "copy": "deixis.propagators.copying:CopyPropagator",
    "translation": "deixis.propagators.translation:TranslationPropagator",
}
"""Name -> module and class. These two need no weights."""


def build(name: str) -> "Propagator":
    """Build the propagator ``name`` with its defaults.

    Raises:
        UnknownNameError: there is no such propagator.
    """
    if name not in PROPAGATORS:
        raise UnknownNameError("propagator", name, PROPAGATORS)
    module, _, attribute = PROPAGATORS[name].partition(":")
    return getattr(importlib.import_module(module), attribute)()
