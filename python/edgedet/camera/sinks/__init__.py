"""Where results go: one file of this folder per kind, found by name.

A module here that has ``SCHEMES`` brings them. It also has ``GRAMMAR`` (lines for people), ``OPTIONS`` (name -> what
makes its value of text) and ``open(scheme, address, options) -> Sink``, for a URI ``SCHEME:ADDRESS?OPTION=VALUE&…``.
Adding a kind is adding its file.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, Protocol, Union, cast
from urllib.parse import parse_qsl

from edgedet.camera.result import Result
from edgedet.camera.sinks.base import Sink
from edgedet.camera.sinks.callback import Callback

__all__ = ["Sink", "as_sink", "grammar", "open_sink", "schemes"]


class Kind(Protocol):
    """What a kind's module holds."""

    SCHEMES: tuple[str, ...]
    GRAMMAR: str
    OPTIONS: Mapping[str, Callable[[str], Any]]

    def open(self, scheme: str, address: str, options: Mapping[str, Any]) -> Sink:
        """Makes the sink."""


@functools.cache
def schemes() -> dict[str, Kind]:
    """All kinds by scheme."""
    found: dict[str, Kind] = {}
    for info in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{info.name}")
        for scheme in getattr(module, "SCHEMES", ()):
            found[scheme] = cast(Kind, module)
    return dict(sorted(found.items()))


def grammar() -> str:
    """What `open_sink` understands, for people."""
    texts = dict.fromkeys(kind.GRAMMAR.strip() for kind in schemes().values())
    return "\n".join(("a sink is one of", *texts))


def open_sink(uri: str) -> Sink:
    """The sink that a URI names: ``jsonl:found.jsonl``, ``video:out.mp4?fps=15``, ``mqtt://broker/topic``.

    Nothing is written or connected before the sink's own `open`, which a `Pipeline` calls.

    Raises:
        ValueError: no such kind of sink, an option that it doesn't have, or a value that can't be.
    """
    scheme, colon, rest = uri.partition(":")
    known = schemes()
    if not colon or scheme not in known:
        near = get_close_matches(scheme, known, 1)
        do = f"write {near[0]}:" if near else "write one of these and a colon before the address"
        raise ValueError(f"sink: expected a kind among {', '.join(known)}, got {scheme!r}; {do}")
    address, _, query = rest.partition("?")
    given = dict(parse_qsl(query, keep_blank_values=True))
    return known[scheme].open(scheme, address, _options(scheme, known[scheme].OPTIONS, given))


def _options(scheme: str, known: Mapping[str, Callable[[str], Any]], given: Mapping[str, str]) -> dict[str, Any]:
    values = {}
    for name, text in given.items():
        if name not in known:
            near = get_close_matches(name, known, 1)
            expected = f"options among {', '.join(sorted(known))}" if known else "no options"
            do = f"write {near[0]}" if near else "leave it out"
            raise ValueError(f"{scheme}: expected {expected}, got {name!r}; {do}")
        try:
            values[name] = known[name](text)
        except ValueError as error:
            raise ValueError(f"{scheme}: {name}: expected {error}, got {text!r}; correct it") from None
    return values


def as_sink(sink: Union[str, Sink, Callable[[Result], Any]]) -> Sink:
    """A sink, whatever was given: itself, its URI, or a callable that takes a `Result`.

    Raises:
        ValueError: it is none of these.
    """
    if isinstance(sink, Sink):
        return sink
    if isinstance(sink, str):
        return open_sink(sink)
    if callable(sink):
        return Callback(sink)
    raise ValueError(f"sink: expected a Sink, a URI or a callable, got {type(sink).__name__}; see open_sink")
