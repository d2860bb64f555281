"""What a bundle can be converted for, one module each, found by name."""

from __future__ import annotations

import importlib
import pkgutil

from edgedet.errors import ConversionError
from edgedet_converters.targets.base import Target


def names() -> list[str]:
    """The names of all targets."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name != "base")


def find(name: str) -> Target:
    """The target of that name.

    Raises:
        ConversionError: there is none.
    """
    if name not in names():
        raise ConversionError(f"target: expected one of {', '.join(names())}, got {name!r}; correct --target")
    target = importlib.import_module(f"{__name__}.{name}").TARGET
    assert isinstance(target, Target)
    return target
