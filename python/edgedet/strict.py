"""Strict reading of JSON into frozen dataclasses: unknown keys, missing keys and wrong types are errors."""

from __future__ import annotations

import dataclasses
import math
import reprlib
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar, Union

from edgedet.errors import BundleError

T = TypeVar("T")

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 80
_SHORT.maxlevel = 3


# Python 3.10 has a second kind of union: ``int | None``.
_UNIONS = (Union, getattr(types, "UnionType", Union))


def read(cls: type[T], data: Any, where: str, overrides: Mapping[str, type] | None = None) -> T:
    """An instance of the dataclass ``cls`` from parsed JSON.

    Args:
        cls: a dataclass whose fields are numbers, strings, booleans, tuples, dicts of strings, Optional or dataclasses.
        data: what ``json.loads`` gave.
        where: the path so far, for messages.
        overrides: field name -> the type to read it as, for a field whose type depends on the data.

    Raises:
        BundleError: names the key, what was expected and what came.
    """
    if not isinstance(data, dict):
        raise _wrong(where, "an object", data)
    hints = {**typing.get_type_hints(cls), **(overrides or {})}
    fields = {f.name: f for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
    for key in data:
        if key not in fields:
            known = ", ".join(fields)
            raise BundleError(f"{_at(where, key[:80])}: expected one of {known}, got an unknown key; remove it")
    values = {}
    for name, f in fields.items():
        if name in data:
            values[name] = _value(hints[name], data[name], _at(where, name))
        elif f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING:
            raise BundleError(f"{_at(where, name)}: expected a value, got none; add the key")
    return cls(**values)


def short(value: Any) -> str:
    """The value for a message: never long, and safe for one that is nested to the limit of recursion."""
    return _SHORT.repr(value)


def _at(where: str, name: str) -> str:
    return f"{where}.{name}" if ": " in where else f"{where}: {name}"


def _wrong(where: str, expected: str, got: Any) -> BundleError:
    return BundleError(f"{where}: expected {expected}, got {short(got)}; correct it")


def _value(hint: Any, data: Any, where: str) -> Any:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in _UNIONS:
        if data is None:
            return None
        (hint,) = (arg for arg in args if arg is not type(None))
        return _value(hint, data, where)
    if origin is typing.Literal:
        if data not in args:
            raise _wrong(where, " or ".join(args), data)
        return data
    if origin is tuple:
        return _tuple(args, data, where)
    if origin is dict:
        if not isinstance(data, dict):
            raise _wrong(where, "an object", data)
        return {_scalar(str, key, where): _value(args[1], value, _at(where, key[:80])) for key, value in data.items()}
    if dataclasses.is_dataclass(hint):
        return read(typing.cast("type[Any]", hint), data, where)
    return _scalar(hint, data, where)


def _tuple(args: tuple[Any, ...], data: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(data, list):
        raise _wrong(where, "a list", data)
    if args[-1] is Ellipsis:
        args = args[:1] * len(data)
    if len(data) != len(args):
        raise _wrong(where, f"a list of {len(args)}", data)
    return tuple(_value(arg, item, f"{where}[{i}]") for i, (arg, item) in enumerate(zip(args, data)))


def _scalar(hint: type, data: Any, where: str) -> Any:
    # JSON's true is Python's bool, which is an int; a count of True is a mistake, not a one.
    if hint is float and isinstance(data, (int, float)) and not isinstance(data, bool):
        try:
            value = float(data)
        except OverflowError:
            value = math.inf
        if math.isfinite(value):
            return value
        raise _wrong(where, "a finite number", data)
    if isinstance(data, str) and any("\ud800" <= letter <= "\udfff" for letter in data):
        raise _wrong(where, "a string without lone surrogates", data)  # it could be neither printed nor opened
    if isinstance(data, hint) and (hint is bool or not isinstance(data, bool)):
        return data
    words = {bool: "true or false", int: "a whole number", float: "a number", str: "a string"}
    raise _wrong(where, words[hint], data)
