"""States of propagators on their way to disk and back, so that another process goes on bit for bit.

    torch.save(pack_state(state), path)
    state = unpack_state(torch.load(path, weights_only=True), propagator)

A state is made of tensors, plain values, tuples, dictionaries and data classes of these; a class of another
kind has a method ``pack`` and a static method ``unpack`` of its own. Tensors that are shared stay shared.
"""

from dataclasses import fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Protocol, Union, get_args, get_origin, get_type_hints, runtime_checkable

from torch import Tensor

from deixis.propagators.base import Propagator


@runtime_checkable
class Packable(Protocol):
    """A part of a state that is no data class."""

    def pack(self) -> Tensor:
        """Return all that it holds."""
        ...

    @staticmethod
    def unpack(packed: Tensor) -> "Packable":
        """Return what was packed."""
        ...


def pack_state(state: Any) -> Any:
    """Return ``state`` as tensors, plain values, tuples and dictionaries, which ``torch.save`` takes.

    Raises:
        TypeError: it holds something else.
    """
    return _pack(state, {})


def unpack_state(packed: Any, propagator: Propagator) -> Any:
    """Return the state of ``propagator`` that :func:`pack_state` packed.

    Raises:
        ValueError: it is the state of another propagator.
    """
    kind = type(propagator.start())
    try:
        return _unpack(packed, kind)
    except (KeyError, TypeError) as error:
        raise ValueError(
            f"this is no state of {type(propagator).__name__}; go on with the propagator that it is of"
        ) from error


def _pack(value: Any, packed: dict[int, Tensor]) -> Any:
    if isinstance(value, Tensor):
        if id(value) not in packed:
            # A view would take all that it is a view of along.
            is_view = value.untyped_storage().nbytes() != value.nbytes
            packed[id(value)] = value.clone() if is_view else value
        return packed[id(value)]
    if is_dataclass(value):
        return {item.name: _pack(getattr(value, item.name), packed) for item in fields(value)}
    if isinstance(value, Packable):
        return value.pack()
    if isinstance(value, dict):
        return {key: _pack(part, packed) for key, part in value.items()}
    if isinstance(value, tuple | list):
        return tuple(_pack(part, packed) for part in value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"a state cannot hold a {type(value).__name__}: tensors and plain values alone are saved")


def _unpack(packed: Any, kind: Any) -> Any:
    """Return the value of the annotated ``kind`` that was packed."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return None if packed is None else _unpack(packed, next(a for a in arguments if a is not NoneType))
    if origin is tuple and arguments[-1] is Ellipsis:
        return tuple(_unpack(part, arguments[0]) for part in packed)
    if origin is tuple:
        return tuple(_unpack(part, one) for part, one in zip(packed, arguments, strict=True))
    if origin is dict:
        return {key: _unpack(part, arguments[1]) for key, part in packed.items()}
    if isinstance(kind, type) and is_dataclass(kind):
        hints = get_type_hints(kind)
        if packed.keys() != {item.name for item in fields(kind)}:
            raise KeyError(kind.__name__)
        return kind(**{name: _unpack(part, hints[name]) for name, part in packed.items()})
    return kind.unpack(packed) if hasattr(kind, "unpack") else packed
