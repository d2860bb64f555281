"""Inference runtimes, one module each, found by name. See `edgedet.runtime.base`."""

from __future__ import annotations

import importlib
import pkgutil

from edgedet.errors import RuntimeUnavailable
from edgedet.runtime.base import Runtime


def names() -> list[str]:
    """The names of all runtimes that edgedet knows, present on this machine or not."""
    modules = (module.name for module in pkgutil.iter_modules(__path__))
    return sorted(name for name in modules if name != "base" and not name.startswith("_"))


def find(name: str) -> Runtime:
    """The runtime of that name.

    Raises:
        RuntimeUnavailable: edgedet knows none of that name.
    """
    if name not in names():
        raise RuntimeUnavailable(f"runtime: expected one of {', '.join(names())}, got {name!r}; correct the name")
    runtime = importlib.import_module(f"{__name__}.{name}").RUNTIME
    assert isinstance(runtime, Runtime)
    return runtime
