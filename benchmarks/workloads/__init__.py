"""The workloads, one file each, found by their names.

A workload is a module with a docstring, whose first line says what it measures, and a function
``cases(quick: bool) -> Iterator[Case]``. It makes its arrays from a fixed seed; ``quick`` asks for small ones, on which
only the answers are looked at. What it can't do without and does not find it says by raising `NotHereError`.
"""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType


def names() -> list[str]:
    """All workloads, in order."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def find(name: str) -> ModuleType:
    """The workload of that name."""
    return importlib.import_module(f"{__name__}.{name}")


def title(name: str) -> str:
    """What it measures: its docstring's first line."""
    return (find(name).__doc__ or name).splitlines()[0]
