"""A pyramid of sliding windows: every place at every size, whatever the image shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edgedet.proposals import Boxes

HELP = "windows of all sizes everywhere; the argument is the smallest's side in pixels, and the step (64,0.5)"
_MOST = 1_000_000


@dataclass(frozen=True)
class SlidingPyramid:
    """Windows from the whole image down to a smallest size, in steps that are a part of their sides.

    Attributes:
        smallest: side in pixels of a square of the smallest windows.
        growth: how much larger the square is from size to size.
        aspects: width by height; the area is that of the square.
        step: from window to window, as a part of its side; the last one ends with the image.
    """

    smallest: float = 64.0
    growth: float = 2**0.5
    aspects: tuple[float, ...] = (0.5, 1.0, 2.0)
    step: float = 0.5

    def __post_init__(self) -> None:
        limits = {"smallest": (1, 1e6), "growth": (1.01, 100), "step": (0.01, 1)}
        for name, (least, most) in limits.items():
            value = getattr(self, name)
            if not least <= value <= most:
                raise ValueError(f"{name}: expected {least} to {most:g}, got {value!r}; choose another")
        if not self.aspects or not all(0.01 <= aspect <= 100 for aspect in self.aspects):
            raise ValueError(f"aspects: expected numbers of 0.01 to 100, got {self.aspects}; choose others")

    def __call__(self, image: npt.NDArray[Any]) -> Boxes:
        """(N, 4) float32, the largest first: first the whole of the (H, W, 3) image.

        Raises:
            ValueError: there would be more than a million.
        """
        height, width = image.shape[:2]
        parts = [np.array([[0, 0, width, height]], np.float64)]
        side, count = float(min(width, height)), 1
        while side >= self.smallest:
            for aspect in self.aspects:
                w, h = side * aspect**0.5, side / aspect**0.5
                if w <= width and h <= height:
                    xs, ys = _places(width, w, self.step), _places(height, h, self.step)
                    count += len(xs) * len(ys)
                    if count > _MOST:
                        raise ValueError(f"smallest: expected up to {_MOST} windows, got more; give a larger size")
                    x, y = (axis.ravel() for axis in np.meshgrid(xs, ys))
                    parts.append(np.stack([x, y, x + w, y + h], axis=1))
            side /= self.growth
        return np.concatenate(parts).astype(np.float32)


def _places(length: int, side: float, step: float) -> npt.NDArray[np.float64]:
    """Where windows begin along an axis: evenly, no further apart than the step, the last flush with the end."""
    return np.linspace(0, length - side, 1 + int(np.ceil((length - side) / (side * step) - 1e-9)))


def make(argument: str | None) -> SlidingPyramid:
    """See `edgedet.proposals.make`."""
    try:
        if argument is None:
            return SlidingPyramid()
        smallest, comma, step = argument.partition(",")
        return SlidingPyramid(float(smallest), step=float(step)) if comma else SlidingPyramid(float(smallest))
    except ValueError as error:
        raise ValueError(
            f"sliding: expected a side in pixels, got {argument!r}; do sliding:64 or sliding:64,0.5"
        ) from error
