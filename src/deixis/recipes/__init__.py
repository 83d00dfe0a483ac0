"""Trainings as values, by name: ``RECIPES`` holds all of them, ``find_recipe`` gets one. No torch here."""

from deixis.errors import UnknownNameError
from deixis.training.recipe import Recipe

from . import hinet, hinet_tiny, mttr, referformer, refvos, stcn, uniref

__all__ = ["RECIPES", "find_recipe"]

RECIPES: dict[str, Recipe] = {
    **mttr.RECIPES,
    **referformer.RECIPES,
    **refvos.RECIPES,
    **hinet.RECIPES,
    **hinet_tiny.RECIPES,
    **uniref.RECIPES,
    **stcn.RECIPES,
}
"""Name -> recipe. To add some: a file of this folder with ``RECIPES``, and a term here."""


def find_recipe(name: str) -> Recipe:
    """Return the recipe ``name``.

    Raises:
        UnknownNameError: there is none of that name; the closest are offered.
    """
    if name not in RECIPES:
        raise UnknownNameError("recipe", name, RECIPES)
    return RECIPES[name]
