"""Strict loading: every parameter of the network filled, every entry of the checkpoint accounted for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgedet.errors import CheckpointError
from edgedet_converters.family import Family

_SHOWN = 12


def load(path: Path, family: Family, cell: Any) -> None:
    """Fills the cell's parameters from a MindSpore checkpoint.

    Raises:
        CheckpointError: the file can't be read, or it and the network don't fit one another; lists both sides.
    """
    import mindspore

    weights = match(read(path), {p.name: tuple(p.shape) for p in cell.get_parameters()}, family, path.name)
    for parameter in cell.get_parameters():
        parameter.set_data(mindspore.Tensor(weights[parameter.name]))


def read(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Every entry of a checkpoint file, by name.

    Raises:
        CheckpointError: it is no checkpoint, or a damaged one.
    """
    import mindspore

    try:
        entries = mindspore.load_checkpoint(str(path))
        return {name: entry.asnumpy() for name, entry in entries.items()}
    except Exception as error:  # protobuf's, MindSpore's and Python's own
        raise CheckpointError(
            f"{path.name}: expected a MindSpore checkpoint, got {' '.join(str(error).split())[:300]}; "
            "compare its size and SHA-256 with the original's"
        ) from error


def match(
    entries: Mapping[str, npt.NDArray[Any]], wanted: Mapping[str, tuple[int, ...]], family: Family, file: str
) -> dict[str, npt.NDArray[np.float32]]:
    """The weights of a network among the entries of its checkpoint.

    Args:
        entries: everything that the checkpoint holds; the family's prefix may stand before the names or not.
        wanted: name -> shape of every parameter of the network.
        family: tells the prefix and the known leftovers of training.
        file: the checkpoint's name, for messages.

    Raises:
        CheckpointError: a parameter is missing, is extra, or has the wrong shape or values; lists all of them.
    """
    found, extra, troubles = {}, [], []
    for name, values in entries.items():
        plain = name[len(family.prefix) :] if name.startswith(family.prefix) else name
        if any(fnmatchcase(plain, pattern) for pattern in family.leftovers):
            continue
        if plain not in wanted:
            extra.append(name)
        elif plain in found:
            troubles.append(f"{name}: stands twice, with {family.prefix!r} before it and without")
        else:
            found[plain] = values
            troubles += _troubles(name, values, wanted[plain])
    missing = [family.prefix + name for name in wanted if name not in found]
    if missing or extra or troubles:
        raise CheckpointError(
            f"{file}: expected the {len(wanted)} parameters of {family.name}, got {len(found)} of them"
            f"{_listed('missing', missing)}{_listed('not in the network', extra)}{_listed('wrong', troubles)}; "
            "give the checkpoint's own family and, if it was fine-tuned, its --config"
        )
    return {name: np.ascontiguousarray(values, np.float32) for name, values in found.items()}


def _troubles(name: str, values: npt.NDArray[Any], shape: tuple[int, ...]) -> Iterable[str]:
    if values.shape != shape:
        yield f"{name}: expected shape {shape}, got {values.shape}"
    elif values.dtype not in (np.float32, np.float16):
        yield f"{name}: expected float32, got {values.dtype}"
    elif not np.isfinite(values).all():
        yield f"{name}: expected finite values, got NaN or infinity (the training diverged)"


def _listed(title: str, names: list[str]) -> str:
    if not names:
        return ""
    more = f", … and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"; {title} ({len(names)}): {', '.join(names[:_SHOWN])}{more}"
