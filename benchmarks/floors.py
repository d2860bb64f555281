"""How fast this machine's memory is, for arrays of the workload's own sizes."""

from __future__ import annotations

import numpy as np

from benchmarks.case import Floor, Job


def read(what: str, array: np.ndarray, bar: float | None = None) -> Floor:
    """Every byte of a contiguous array once; the maximum is the fastest pass that NumPy has."""
    flat = array.reshape(-1)

    def make() -> Job:
        return flat.max

    return Floor(f"reading {what} once", make, bar)


def write(what: str, shape: tuple[int, ...], bar: float | None = None) -> Floor:
    """A new float32 array of that shape, every byte written once."""
    return Floor(f"writing {what} once", lambda: lambda: np.full(shape, np.float32(1)), bar)


def rewrite(what: str, array: np.ndarray, bar: float | None = None) -> Floor:
    """Every byte written once into memory that is there."""
    other = np.zeros_like(array)
    return Floor(f"writing {what} once", lambda: lambda: other.fill(1), bar)


def copy(what: str, array: np.ndarray, bar: float | None = None) -> Floor:
    """A copy of a contiguous array."""
    return Floor(f"copying {what}", lambda: array.copy, bar)
