"""Sentences about a rendered clip of the wild world."""

import numpy as np

from deixis.data.records import Expression

from .render import RenderedWild

MOVERS = "everything that moves"


def describe(clip: RenderedWild, rng: np.random.Generator) -> tuple[Expression, ...]:
    """Return the expressions of ``clip``; the first is "everything that moves"."""
    seen = set(np.unique(clip.labels).tolist())
    movers = tuple(item.id for item in clip.scene.objects if item.is_mover and item.id in seen)
    return (Expression("0", MOVERS, movers, ("movers",) if movers else ("movers", "absent")),)
