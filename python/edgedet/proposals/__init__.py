"""Where things may be: callables from an image to boxes, one module each, found by name.

A proposer is any callable that takes an (H, W, 3) uint8 BGR image and gives (N, 4) float32 ``x1 y1 x2 y2`` in its
pixels: a function of one's own is as good as these. A module here has a class that is one, and ``make(argument)``,
which makes it of the text after the colon in ``NAME:ARGUMENT``; ``TAKES_PATH = True`` says that this is a path. Adding
one is adding its file.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from edgedet.strict import short

Boxes = npt.NDArray[np.float32]
Proposer = Callable[[npt.NDArray[np.uint8]], Boxes]


def names() -> list[str]:
    """The names of all proposers."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))


def helps() -> dict[str, str]:
    """Name -> what it proposes, and what its argument is, in a line."""
    return {name: str(_module(name).HELP) for name in names()}


def make(text: str, *, files: bool = True) -> Proposer:
    """The proposer that ``NAME`` or ``NAME:ARGUMENT`` stands for, such as ``sliding`` or ``detector:models/ssd``.

    Args:
        text: the name and the argument.
        files: whether it may be one whose argument is a path; a bundle must not name files outside it.

    Raises:
        ValueError: there is none of that name, or its argument is wrong.
        EdgedetError: what it needs is missing or damaged.
    """
    name, colon, argument = text.partition(":")
    if name not in names():
        raise ValueError(f"proposals: expected one of {', '.join(names())}, got {short(name)}; correct the name")
    module = _module(name)
    if not files and getattr(module, "TAKES_PATH", False):
        raise ValueError(f"proposals: expected one that opens no file, got {short(text)}; give its boxes to each call")
    return cast(Proposer, module.make(argument if colon else None))


def _module(name: str) -> Any:
    return importlib.import_module(f"{__name__}.{name}")
