"""What every runtime is: paths, names and arrays; nothing here has heard of boxes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from edgedet.errors import InferenceError

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class TensorInfo:
    """A tensor at a network's edge.

    Attributes:
        name: what the runtime calls it.
        shape: None is a dimension that may be of any size; an output's is () where it can't be told before the run.
        dtype: of its elements.
        layout: ``nhwc`` where the runtime says that an image's channels come last; None: as the bundle has it, NCHW.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: np.dtype[Any]
    layout: Optional[str] = None


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
class Slot:
    """The sole use of a session, and its runtime's own buffers, until the ``with`` block of `Lender.borrow` ends.

    Attributes:
        inputs: name -> the array to write before `run`.
        run: name -> output; the next run, by whomever, overwrites these arrays: use them up inside the block.
    """

    inputs: Mapping[str, Array]
    run: Callable[[], dict[str, Array]]


@runtime_checkable
class Lender(Protocol):
    """What a `Session` may also be: one whose runtime's buffers can be written and read in place."""

    def borrow(self, shapes: Mapping[str, tuple[int, ...]] | None = None) -> AbstractContextManager[Slot]:
        """Waits until no other thread uses the session.

        Args:
            shapes: the inputs' shapes, where the network's own leave some open or others are wanted.

        Raises:
            ValueError: a name or a shape that is not the network's.
            InferenceError: the runtime failed, the session is closed, or this thread is inside such a block already.
        """
        ...


@dataclass(frozen=True)
class Presence:
    """What there is of a runtime on this machine.

    Attributes:
        version: of its library, where that can be told without loading it.
        path: of its library.
        package: the Python package that it is; importing it (in a process of its own) proves it whole.
        cure: the command that installs it again.
        maker: the package in ``Variant.producer`` that makes its files, and must be no newer than it.
    """

    version: Optional[str] = None
    path: Optional[str] = None
    package: Optional[str] = None
    cure: Optional[str] = None
    maker: Optional[str] = None


def _lacks_nothing(soc: Optional[str]) -> Optional[str]:
    return None


@dataclass(frozen=True)
class Target:
    """A kind of model file that a runtime can run.

    Attributes:
        rank: how good the pair is; lower is better.
        device: what it runs on.
        missing: (the chip that the file is compiled for, or None) -> why this machine can't run it, or None.
    """

    rank: int
    device: str
    missing: Callable[[Optional[str]], Optional[str]] = _lacks_nothing


@dataclass(frozen=True)
class Runtime:
    """A way to run model files; every module of this package holds one as ``RUNTIME``.

    Attributes:
        name: the module's name.
        targets: the variants it runs, by ``Variant.target``.
        missing: why it can't run here and the command that mends it, or None.
        open: (path, device, threads) -> a session. Raises `ModelLoadError`, `RuntimeUnavailable`.
        present: what there is of it; asked only when nothing is missing.
    """

    name: str
    targets: Mapping[str, Target]
    missing: Callable[[], Optional[str]]
    open: Callable[[Path, str, Optional[int]], Session]
    present: Callable[[], Presence] = Presence


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


def whole_shapes(inputs: tuple[TensorInfo, ...], given: Mapping[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """Every input's shape, with no size left open: the given one, else its own."""
    known = {info.name: info.shape for info in inputs}
    if not given.keys() <= known.keys():
        raise ValueError(f"shapes: expected names of {sorted(known)}, got {sorted(given)}; name the network's inputs")
    shapes = {}
    for name, own in known.items():
        shape = given.get(name, own)
        shapes[name] = tuple(d for d in shape if isinstance(d, int) and 0 < d < 1 << 31)
        if not len(shapes[name]) == len(shape) == len(own):
            raise ValueError(f"{name}: expected sizes above 0 for {own}, got {shape}; give its whole shape")
    return shapes


def closed() -> InferenceError:
    """The error of a session that is used after `Session.close`."""
    return InferenceError("session: expected an open one, got a closed one; open the bundle again")
