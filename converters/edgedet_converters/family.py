"""What a family is, and how one is found by its name.

A family is one file in ``families/``. It holds a ``FAMILY`` of the type below, and nothing outside
that folder names it: adding a family is adding its file.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Callable

from edgedet.errors import ConversionError

# MindSpore's cells carry no types.
Cell = Any


@dataclass(frozen=True)
class Network:
    """One graph to export, cut where the device half takes over.

    Attributes:
        cell: the MindSpore cell, its parameters shared with the network that was built.
        inputs: role -> shape; ``None`` is a dimension that stays dynamic.
        outputs: the roles of what the cell returns, in order.
        sample: role -> a whole shape, of every input with a dynamic dimension: for exporters that can't leave it open.
    """

    cell: Cell
    inputs: Mapping[str, tuple[int | None, ...]]
    outputs: tuple[str, ...]
    sample: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Family:
    """One published network, in every size that its config allows.

    Attributes:
        name: the file's name.
        config: a frozen dataclass of the options; its defaults are the published model.
        build: config -> the cell with every published parameter, named as published but for ``prefix``.
        networks: (built cell, config) -> the graphs to export, by name (``model``, or ``trunk`` and ``head``).
        describe: config -> the parts of ``model.json`` that follow from it: ``tasks``, ``input``, ``head``.
        labels: names the packaged label file of the published data set.
        outputs: the roles of what the built cell itself returns, in order; ``golden/`` records them.
        prefix: what the published training wrapper puts before every name; optional in a checkpoint.
        low_rank: paths, in the built cell, of the dense layers that ``--svd-rank`` may replace, in the order of its
            ranks; they belong to the network ``head``, whose rows are pooled from that of the network ``trunk``.
        leftovers: patterns (``fnmatch``) of what a training checkpoint also holds and inference does not need.
    """

    name: str
    config: type
    build: Callable[[Any], Cell]
    networks: Callable[[Cell, Any], Mapping[str, Network]]
    describe: Callable[[Any], Mapping[str, Any]]
    labels: str
    outputs: tuple[str, ...] = ("deltas", "logits")
    prefix: str = ""
    low_rank: tuple[str, ...] = ()
    leftovers: tuple[str, ...] = ("moments.*", "momentum", "global_step", "learning_rate", "learning_rate_group_*")


def names() -> list[str]:
    """The names of all families, without importing any of them (MindSpore is slow to import)."""
    from edgedet_converters import families

    return sorted(module.name for module in pkgutil.iter_modules(families.__path__))


def find(name: str) -> Family:
    """The family of that name.

    Raises:
        ConversionError: there is none, or MindSpore is not installed.
    """
    if name not in names():
        raise ConversionError(f"family: expected one of {', '.join(names())}, got {name!r}; see edgedet convert --help")
    family = importlib.import_module(f"edgedet_converters.families.{name}").FAMILY
    assert isinstance(family, Family)
    return family
