"""Change fields of a recipe by dotted name, and tell how two recipes differ. No torch here."""

import dataclasses
import typing
from collections.abc import Mapping
from typing import Any

from deixis.configuration import to_plain
from deixis.errors import RecipeError, UnknownNameError

from .recipe import DataSource, Recipe, check, check_choice, recipe_from_plain

RESUMABLE = frozenset(
    {
        "time_limit",
        "num_workers",
        "checkpoint_every",
        "checkpoint_steps",
        "keep_checkpoints",
        "log_every",
        "validate_every",
        "validate_clips",
        "cache",
    }
)
"""Fields that a run may change when it goes on: how long it takes, what it keeps and tells."""


def override(recipe: Recipe, changes: Mapping[str, Any]) -> Recipe:
    """Return ``recipe`` with fields changed by dotted name, as the command line does.

    Args:
        recipe: the recipe to start from.
        changes: ``{"optim.lr": 5e-5, "data.0.root": "/data/a2d", "clip.length": "12"}``; strings are read as
            the type of the field. ``data.root`` without a number is the first source.

    Raises:
        RecipeError: an unknown field (the closest is offered), a value of another type, or an impossible
            value.
    """
    plain = to_plain(recipe)
    for name, value in changes.items():
        _change(plain, name, value)
    # The length of a run is given in steps or in epochs: naming one drops the recipe's other.
    if "steps" in changes and "epochs" not in changes:
        plain["epochs"] = 0
    if "epochs" in changes and "steps" not in changes:
        plain["steps"] = 0
    return recipe_from_plain(plain)


def field_names(cls: Any = Recipe, prefix: str = "") -> dict[str, Any]:
    """Return every dotted field name of a recipe with its type; the fields of a source as ``data.NAME``."""
    names: dict[str, Any] = {}
    hints = typing.get_type_hints(cls)
    for item in dataclasses.fields(cls):
        hint = DataSource if item.name == "data" else hints[item.name]
        if dataclasses.is_dataclass(hint):
            names.update(field_names(typing.cast(type, hint), f"{prefix}{item.name}."))
        else:
            names[prefix + item.name] = hint
    return names


def differences(one: Recipe, other: Recipe) -> list[str]:
    """Return the dotted names of fields that differ, but for those that a resumed run may change."""
    first, second = _flatten(to_plain(one)), _flatten(to_plain(other))
    names = sorted(name for name in first.keys() | second.keys() if first.get(name) != second.get(name))
    # Flow that is kept is rounded: its cache is a setting of the training.
    return [name for name in names if name == "flow.cache" or name.rsplit(".", 1)[-1] not in RESUMABLE]


def _flatten(value: Any, prefix: str = "") -> dict[str, Any]:
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        flat: dict[str, Any] = {}
        for key, item in items:
            flat.update(_flatten(item, f"{prefix}.{key}" if prefix else str(key)))
        return flat
    return {prefix: value}


def _change(plain: dict[str, Any], name: str, value: Any) -> None:
    """Set the dotted ``name`` in the plain form of a recipe."""
    parts = name.replace("-", "_").split(".")
    index = int(parts.pop(1)) if parts[0] == "data" and len(parts) > 2 and parts[1].isdigit() else 0
    if parts[0] == "data" and not index < len(plain["data"]):
        raise RecipeError(f"{name}: the recipe has {len(plain['data'])} data sources, counted from 0")
    known = field_names()
    dotted, table = ".".join(parts), ".".join(parts[:-1])
    if typing.get_origin(known.get(table)) is dict:
        # One entry of a table: optim.groups.backbone
        held = plain
        for part in parts[:-1]:
            held = held[part]
        held[parts[-1]] = _read(name, typing.get_args(known[table])[1], value)
        return
    if dotted not in known:
        raise RecipeError(str(UnknownNameError("recipe field", name, known)))
    target = plain["data"][index] if parts[0] == "data" else plain
    for part in parts[1:-1] if parts[0] == "data" else parts[:-1]:
        target = target[part]
    target[parts[-1]] = _read(name, known[dotted], value)


def _read(name: str, hint: Any, value: Any) -> Any:
    """Read ``value``, a string or ready, as the type ``hint`` of the field ``name``."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        check_choice(name, value, arguments)
        return value
    if origin is tuple:
        items = [item for item in value.split(",") if item] if isinstance(value, str) else list(value)
        return [_read(name, arguments[0], item) for item in items]
    if origin is dict:
        pairs = (
            value.items()
            if isinstance(value, Mapping)
            else (item.partition("=")[::2] for item in value.split(","))
        )
        return {key: _read(f"{name}.{key}", arguments[1], item) for key, item in pairs}
    if hint is bool:
        words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
        check(str(value).lower() in words, f"{name} must be true or false, got {value!r}")
        return words[str(value).lower()]
    if hint is str:
        return str(value)
    try:
        read = float(value)
    except (TypeError, ValueError):
        read = float("nan")
    kind = "a whole number" if hint is int else "a finite number"
    is_good = read - read == 0 and (hint is float or read == int(read))
    check(is_good, f"{name} must be {kind}, got {value!r}")
    return hint(read)
