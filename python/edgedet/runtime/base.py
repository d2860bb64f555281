"""What every runtime is: paths, names and arrays; nothing here has heard of boxes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional, Protocol

import numpy as np
import numpy.typing as npt

from edgedet.errors import InferenceError

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class TensorInfo:
    """A tensor at a network's edge; ``None`` in the shape is a dimension that may be of any size."""

    name: str
    shape: tuple[int | None, ...]
    dtype: np.dtype[Any]


class Session(Protocol):
    """One loaded network."""

    @property
    def inputs(self) -> tuple[TensorInfo, ...]:
        """What `run` must be given."""
        ...

    @property
    def outputs(self) -> tuple[TensorInfo, ...]:
        """What `run` gives."""
        ...

    def run(self, feed: Mapping[str, Array]) -> dict[str, Array]:
        """Runs the network; the arrays that come back belong to the caller.

        May be called from several threads at once.

        Raises:
            ValueError: a name, shape or dtype that is not the network's.
            InferenceError: the runtime failed, or the session is closed.
        """
        ...

    def close(self) -> None:
        """Frees the network; may be called twice."""
        ...


@dataclass(frozen=True)
class Target:
    """A kind of model file that a runtime can run: how good the pair is (lower is better), and on what device."""

    rank: int
    device: str


@dataclass(frozen=True)
class Runtime:
    """A way to run model files; every module of this package holds one as ``RUNTIME``.

    Attributes:
        name: the module's name.
        targets: the variants it runs, by ``Variant.target``.
        missing: why it can't run here and the command that mends it, or None.
        open: (path, device, threads) -> a session. Raises `ModelLoadError`, `RuntimeUnavailable`.
    """

    name: str
    targets: Mapping[str, Target]
    missing: Callable[[], Optional[str]]
    open: Callable[[Path, str, Optional[int]], Session]


def check_feed(inputs: tuple[TensorInfo, ...], feed: Mapping[str, Array]) -> None:
    """Refuses what a runtime might take silently: a wrong name, dtype, shape, or an array that is not contiguous."""
    expected = {info.name: info for info in inputs}
    if feed.keys() != expected.keys():
        raise ValueError(f"feed: expected {sorted(expected)}, got {sorted(feed)}; give every input once")
    for name, array in feed.items():
        info = expected[name]
        if not isinstance(array, np.ndarray) or array.dtype != info.dtype:
            got = getattr(array, "dtype", type(array).__name__)
            raise ValueError(f"{name}: expected {info.dtype}, got {got}; do array.astype(np.{info.dtype})")
        fits = len(array.shape) == len(info.shape) and all(
            want in (None, have) for want, have in zip(info.shape, array.shape)
        )
        if not fits:
            raise ValueError(f"{name}: expected {info.shape}, got {array.shape}; lay the array out as the network's")
        if not array.flags.c_contiguous:
            raise ValueError(f"{name}: expected a C-contiguous array, got strides {array.strides}; copy it")


def closed() -> InferenceError:
    """The error of a session that is used after `Session.close`."""
    return InferenceError("session: expected an open one, got a closed one; open the bundle again")
