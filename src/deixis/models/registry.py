"""The tables of names: model families, and the variants a user may ask for. No torch here.

To add a model: one folder beside this file, one line in ``FAMILIES``; its ``config.py`` lists its
``VARIANTS``.
"""

import importlib
from typing import Any

from deixis.errors import UnknownNameError

FAMILIES: dict[str, str] = {
    "motion": "deixis.models.motion",
    "mttr": "deixis.models.mttr",
    "referformer": "deixis.models.referformer",
    "refvos": "deixis.models.refvos",
    "hinet": "deixis.models.hinet",
    "hinet_tiny": "deixis.models.hinet_tiny",
    "uniref": "deixis.models.uniref",
    "sam3": "deixis.models.sam3",
}
"""Family -> package with ``config.VARIANTS``, ``config.CONFIG``, ``model.MODEL`` and, unless it is free of
weights, ``convert``."""

WEIGHT_FREE: tuple[str, ...] = ("motion",)
"""Families without parameters: their variants are ready as they are."""

PRETRAINED: tuple[str, ...] = ("sam3",)
"""Families whose weights are published as folders of ``transformers``: ``config.HUB_ID`` and
``pretrained.load``."""

EMBEDDED: dict[str, str] = {
    "hinet-tiny": "hinet_tiny",
    "mttr-tiny-synthetic": "mttr",
    "uniref-tiny-synthetic": "uniref",
}
"""Checkpoints that ship inside the package (``assets/NAME``) -> family."""

SHARED: dict[str, str] = {
    "hinet-tiny-fast": "hinet-tiny",
}
"""Variants that run on the weights of an embedded checkpoint, with a configuration of their own."""

DEFAULT = "hinet-tiny"
"""The model of ``deixis segment`` when none is named: embedded, offline."""


def list_models() -> list[str]:
    """Return every name that ``deixis.load`` takes, sorted."""
    names = set(EMBEDDED)
    for family in FAMILIES:
        names.update(family_part(family, "config").VARIANTS)
    return sorted(names)


def is_weight_free(name: str) -> bool:
    """Tell whether ``name`` is a variant that needs no checkpoint."""
    return any(name in family_part(family, "config").VARIANTS for family in WEIGHT_FREE)


def family_part(family: str, part: str) -> Any:
    """Import ``config``, ``model`` or ``convert`` of a model family."""
    return importlib.import_module(f"{FAMILIES[family]}.{part}")


def find_variant(name: str) -> tuple[str, Any]:
    """Return the family and the config of the variant ``name``.

    Raises:
        UnknownNameError: no family has it; the closest names are offered.
    """
    for family in FAMILIES:
        variants = family_part(family, "config").VARIANTS
        if name in variants:
            return family, variants[name]
    raise UnknownNameError("model", name, list_models())
