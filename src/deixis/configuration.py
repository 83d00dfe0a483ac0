"""Frozen data classes to and from plain JSON: model configurations, recipes, records. No torch here."""

import dataclasses
import difflib
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

T = TypeVar("T")


def to_plain(value: Any) -> Any:
    """Turn a data class (nested, with tuples) into what ``json.dump`` takes."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {key: to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    return value


def from_plain(cls: type[T], data: Mapping[str, Any]) -> T:
    """Rebuild the data class ``cls`` from what :func:`to_plain` gave.

    Raises:
        ValueError: a field is unknown (the closest known name is offered), or a value fails the class's own
            checks.
        TypeError: a field without default is missing.
    """
    hints = typing.get_type_hints(cls)
    names = [field.name for field in dataclasses.fields(typing.cast(Any, cls))]
    for key in data:
        if key not in names:
            close = difflib.get_close_matches(key, names, n=1, cutoff=0.0)
            raise ValueError(f"{cls.__name__} has no field {key!r}; the closest is {close[0]!r}")
    return cls(**{key: _revive(hints[key], value) for key, value in data.items()})


def _revive(hint: Any, value: Any) -> Any:
    """Give ``value`` the type that ``hint`` asks for: data classes and tuples, also inside unions."""
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        if value is None:
            return None
        members = [member for member in typing.get_args(hint) if member is not type(None)]
        return _revive(members[0], value) if len(members) == 1 else value
    if dataclasses.is_dataclass(hint) and isinstance(value, Mapping):
        return from_plain(hint, value)
    if typing.get_origin(hint) is tuple and isinstance(value, list | tuple):
        arguments = typing.get_args(hint)
        repeated = len(arguments) == 2 and arguments[1] is Ellipsis
        inner = [arguments[0]] * len(value) if repeated else arguments
        return tuple(_revive(kind, item) for kind, item in zip(inner, value, strict=True))
    return value
