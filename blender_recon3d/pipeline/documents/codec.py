"""Convert dataclasses to JSON values and back, for all documents. Standard library only.

Supported field types: int, float, str, bool, Any, X | None, list[X], tuple[X, ...], tuple[X, Y],
dict[str, X], a StrEnum, or another dataclass.

- A field without a default is required. Values must have the field's type and are not converted, except integers to
  floats. Floats must be finite and integers fit into 64 bits; both must be within the field's limits.
- Unknown keys are ignored, unless the class has a field `key(..., unknown=True)`, which keeps them: for documents that
  are read, modified and written again.
- All fields are written in order, except those with `key(..., omit=True)` that have their default.
"""

from __future__ import annotations

import math
import types
import typing
from dataclasses import MISSING, Field, field, fields, is_dataclass
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar

from ..text import printable

T = TypeVar("T")

LARGEST_WHOLE = 2**63 - 1  # needed for dates in nanoseconds; code that displays numbers has its own limits


class FieldError(ValueError):
    """A value of the wrong type or range, as a clause that names the field: "photos[2].width is ..."."""


def key(
    text: str,
    default: Any = MISSING,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    omit: bool = False,
    unknown: bool = False,
) -> Any:
    """A dataclass field with its documentation and limits. default: a value, or a function that creates one."""
    metadata = {"text": text, "min": minimum, "max": maximum, "omit": omit, "unknown": unknown}
    if callable(default):
        return field(default_factory=default, metadata=metadata)
    return field(default=default, metadata=metadata)


def encode(value: Any) -> Any:
    """A document, or anything in one, as JSON values."""
    if is_dataclass(value) and not isinstance(value, type):
        values: dict[str, Any] = {}
        for item in fields(value):
            content = getattr(value, item.name)
            if item.metadata.get("unknown"):
                values |= content
            elif not (item.metadata.get("omit") and content == _default(item)):
                values[item.name] = encode(content)
        return values
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, dict):
        return {name: encode(content) for name, content in value.items()}
    if isinstance(value, list | tuple):
        return [encode(content) for content in value]
    return value


def decode(kind: type[T], value: Any, where: str = "") -> T:
    """The JSON value as a document of this class. where: its name in a FieldError."""
    if not isinstance(value, dict):
        raise FieldError(f"{where or 'it'} is {_shown(value)}, not an object")
    values: dict[str, Any] = {}
    known = _fields_of(typing.cast(Any, kind))
    for item, hint in known:
        place = f"{where}.{item.name}" if where else item.name
        if item.metadata.get("unknown"):
            names = {other.name for other, _ in known}
            values[item.name] = {name: content for name, content in value.items() if name not in names}
        elif item.name in value:
            values[item.name] = _value(hint, value[item.name], place)
            _check_limits(item, values[item.name], place)
        elif _is_required(item):
            raise FieldError(f"{place} is missing")
    return kind(**values)


def decoded_items(kind: type[T], value: Any) -> dict[str, T]:
    """The entries of a JSON object that are of this class; others are skipped, and anything but an object is empty."""
    items = {}
    for name, content in value.items() if isinstance(value, dict) else ():
        try:
            items[name] = decode(kind, content)
        except FieldError:
            continue
    return items


def _value(hint: Any, value: Any, where: str) -> Any:
    if hint is Any:
        return value
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return None if value is None else _value(_without_none(arguments), value, where)
    if origin is dict:
        _check(isinstance(value, dict), value, where, "an object")
        return {name: _value(arguments[1], content, f'{where}["{name}"]') for name, content in value.items()}
    if origin in (list, tuple):
        return _sequence(origin, arguments, value, where)
    if is_dataclass(hint):
        return decode(typing.cast(type[Any], hint), value, where)
    if issubclass(hint, StrEnum):
        names = ", ".join(f'"{member}"' for member in hint)
        _check(isinstance(value, str) and value in set(hint), value, where, f"one of {names}")
        return hint(value)
    return _plain(hint, value, where)


def _sequence(origin: Any, arguments: tuple[Any, ...], value: Any, where: str) -> Any:
    _check(isinstance(value, list), value, where, "a list")
    if origin is tuple and arguments[-1] is not Ellipsis:
        _check(len(value) == len(arguments), value, where, f"a list of {len(arguments)}")
        hints = arguments
    else:
        hints = (arguments[0],) * len(value)
    return origin(
        _value(hint, item, f"{where}[{n}]") for n, (hint, item) in enumerate(zip(hints, value, strict=True))
    )


def _plain(hint: Any, value: Any, where: str) -> Any:
    if hint is bool or hint is str:
        _check(isinstance(value, hint), value, where, "true or false" if hint is bool else "a text")
        return value
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        fits = number and isinstance(value, int) and abs(value) <= LARGEST_WHOLE
        _check(fits, value, where, "a whole number of a sensible size")
        return value
    assert hint is float, hint
    # An integer beyond the range of floats is refused before it is converted.
    small = number and (isinstance(value, float) or value.bit_length() < 1000)
    _check(small and math.isfinite(value), value, where, "a finite number")
    return float(value)


def _check(fits: bool, value: Any, where: str, wanted: str) -> None:
    if not fits:
        raise FieldError(f"{where} is {_shown(value)}, not {wanted}")


def _check_limits(item: Field[Any], value: Any, where: str) -> None:
    minimum, maximum = item.metadata.get("min"), item.metadata.get("max")
    if value is None:
        return
    if (minimum is not None and value < minimum) or (maximum is not None and value > maximum):
        raise FieldError(
            f"{where} is {value}, not from {minimum} to {'any size' if maximum is None else maximum}"
        )


def _shown(value: Any) -> str:
    """A value for a message, truncated; including long integers, which `repr` refuses."""
    if isinstance(value, int) and value.bit_length() > 64:
        return "an infinite number"
    kinds: dict[type, str] = {dict: "an object", list: "a list"}
    return kinds.get(type(value)) or ("null" if value is None else printable(repr(value)[:60]))


def _default(item: Field[Any]) -> Any:
    return item.default if item.default_factory is MISSING else item.default_factory()


def _is_required(item: Field[Any]) -> bool:
    return item.default is MISSING and item.default_factory is MISSING


def _without_none(arguments: tuple[Any, ...]) -> Any:
    (hint,) = (argument for argument in arguments if argument is not type(None))
    return hint


@cache
def _fields_of(kind: Any) -> tuple[tuple[Field[Any], Any], ...]:
    """The class's fields with their types."""
    hints = typing.get_type_hints(kind)
    return tuple((item, hints[item.name]) for item in fields(kind))
