"""Where an image's regions are looked at: at which scale, through which windows of the feature map.

He et al. 2015, sections 4.1 and appendix A: the image is resized until its shorter side has a given length, its aspect
kept; of several scales a region takes the one where its number of pixels is nearest to 224×224.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from edgedet import ops
from edgedet.heads import MAX_SIDE, SppHead
from edgedet.image import to_tensor
from edgedet.spec import Input
from edgedet.strict import short

#: The shorter sides of the paper's detector.
PAPER_SCALES = (480, 576, 688, 864, 1200)
#: The pixels of a region that suits the head best: those that it was trained on.
BEST_AREA = 224 * 224
#: Of a resized image. A trunk like the published one takes about 400 bytes for each in ONNX Runtime; the paper's
#: largest scale fits up to an aspect of 2.9.
MAX_PIXELS = 1 << 22
MAX_SCALES = 16
# Pixels; beyond any image, and small enough that it can be scaled.
_FAR = 1e9


@dataclass(frozen=True)
class View:
    """An image at one scale.

    Attributes:
        tensor: (1, 3, H, W) float32, the trunk's input.
        rows: (R,) which of the boxes are looked at here.
        windows: (R, 4) int32, the feature cells of each, half-open ``x0 y0 x1 y1``.
    """

    tensor: npt.NDArray[np.float32]
    rows: npt.NDArray[np.int64]
    windows: npt.NDArray[np.int32]

    def distinct(self) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
        """The windows (U, 4) that differ, and (R,) which of them each row has."""
        if not len(self.windows):
            return self.windows, self.rows
        # One number for each window: NumPy sorts numbers much faster than rows.
        key = self.windows.astype(np.int64) @ (int(self.windows.max()) + 1) ** np.arange(4, dtype=np.int64)
        _, firsts, which = np.unique(key, return_index=True, return_inverse=True)
        return self.windows[firsts], np.asarray(which, np.int64).reshape(-1)


def check_boxes(boxes: Any) -> npt.NDArray[np.float32]:
    """Boxes as (R, 4) float32.

    Raises:
        ValueError: another shape, no real numbers, or a box (named by its index) that is NaN or infinite.
    """
    try:
        given = np.asarray(boxes)
    except ValueError:  # a ragged list
        given = np.asarray(None)
    if given.size == 0 and given.ndim <= 2 and given.shape[-1:] in ((), (0,), (4,)) and given.dtype.kind in "fiu":
        return np.zeros((0, 4), np.float32)
    if given.ndim != 2 or given.shape[1] != 4 or given.dtype.kind not in "fiu":
        got = f"{given.shape} {given.dtype}" if isinstance(boxes, np.ndarray) else short(boxes)
        raise ValueError(f"boxes: expected (R, 4) float32, x1 y1 x2 y2 in pixels, got {got}; give one row for each box")
    with np.errstate(over="ignore"):
        checked = np.array(given, np.float32, order="C")
    finite = np.isfinite(checked).all(axis=1)
    if not finite.all():
        first = int(np.argmin(finite))
        raise ValueError(f"boxes: expected finite corners, got {given[first].tolist()} in box {first}; do drop it")
    return checked


def check_scales(shorter_side: int | None, scales: Sequence[int] | str | None, usual: int) -> tuple[int, ...]:
    """The shorter sides to look at, ascending.

    Raises:
        ValueError: both are given, or one is wrong.
    """
    if scales is None:
        side: int = usual if shorter_side is None else shorter_side
        if not _is_side(side):
            raise ValueError(
                f"shorter_side: expected a whole number of 1 to {MAX_SIDE}, got {short(side)}; give a length in pixels"
            )
        return (int(side),)
    if shorter_side is not None:
        raise ValueError(f"scales: expected none beside shorter_side {short(shorter_side)}, got both; leave one out")
    if isinstance(scales, str) and scales == "paper":
        return PAPER_SCALES
    sides: list[Any] = list(scales) if isinstance(scales, (Sequence, np.ndarray)) else []
    if not 1 <= len(sides) <= MAX_SCALES or not all(map(_is_side, sides)):
        raise ValueError(
            f"scales: expected paper, or 1 to {MAX_SCALES} whole numbers of 1 to {MAX_SIDE}, got {short(scales)}; "
            "give shorter sides in pixels"
        )
    return tuple(sorted({int(side) for side in sides}))


def _is_side(value: Any) -> bool:
    # True is an int.
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and 1 <= int(value) <= MAX_SIDE


def resized_wh(image_wh: tuple[int, int], shorter_side: int, least_side: int) -> tuple[int, int]:
    """The size of an image whose shorter side becomes ``shorter_side``, its aspect kept.

    An image so long that it would get more than `MAX_PIXELS` pixels, or a side of more than `MAX_SIDE`, is enlarged
    only as far as that allows; after that a side is at least ``least_side``, whatever the aspect.
    """
    width, height = image_wh
    limits = (shorter_side / min(image_wh), (MAX_PIXELS / (width * height)) ** 0.5, MAX_SIDE / max(image_wh))
    scale = min(limits)
    return max(least_side, round(width * scale)), max(least_side, round(height * scale))


def nearest_scales(
    boxes: npt.NDArray[np.float64], image_wh: tuple[int, int], sizes_wh: Sequence[tuple[int, int]]
) -> npt.NDArray[np.int64]:
    """(R,) which size of the image shows a box with a number of pixels nearest to `BEST_AREA`; of equals the first."""
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 0)
    growth = np.array([w * h / (image_wh[0] * image_wh[1]) for w, h in sizes_wh])
    return np.asarray(np.abs(sides.prod(axis=1)[:, None] * growth - BEST_AREA).argmin(axis=1), np.int64)


def views(
    image: npt.NDArray[np.uint8],
    boxes: npt.NDArray[np.float32],
    sides: Sequence[int],
    rule: Input,
    head: SppHead,
) -> Iterator[View]:
    """The image at each of the scales that some box needs.

    Args:
        image: (H, W, 3) uint8 BGR.
        boxes: (R, 4) ``x1 y1 x2 y2`` in its pixels, finite. The area of one is that of its part in the image.
        sides: the scales, as lengths of the shorter side.
        rule: how pixels become numbers; its sizes are not used.
        head: the trunk's layers.
    """
    height, width = image.shape[:2]
    image_wh = (width, height)
    inside = np.clip(boxes.astype(np.float64), 0, np.tile(image_wh, 2))
    near = np.clip(boxes, -_FAR, _FAR)
    sizes = list(dict.fromkeys(resized_wh(image_wh, side, head.least_side) for side in sides))
    choice = nearest_scales(inside, image_wh, sizes)
    for index, size_wh in enumerate(sizes):
        rows = np.flatnonzero(choice == index)
        if not len(rows):
            continue
        stretch = replace(rule, size_wh=size_wh, resize="stretch", resize_wh=None)
        tensor, placed = to_tensor(image, stretch)
        grid = head.grid(size_wh)
        yield View(tensor, rows, ops.project_regions(placed.to_model(near[rows]), **grid._asdict()))
