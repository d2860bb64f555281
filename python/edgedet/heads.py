"""The heads that ``model.json`` may describe: what turns a network's raw outputs into an answer, as frozen data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, Optional

import numpy as np
import numpy.typing as npt

from edgedet.errors import BundleError
from edgedet.strict import short

# Far above every published model (NAS-FPN has 76 725 anchors) and far below what would exhaust a board.
MAX_ANCHORS = 4_000_000
MAX_SIDE = 16_384
MAX_BINS = 64
# What the kernels count with.
MAX_CAP = 2**31 - 1


def require(ok: bool, key: str, expected: str, got: object) -> None:
    """Raises the `BundleError` of a wrong value in ``model.json`` unless it is ``ok``."""
    if not ok:
        raise BundleError(f"model.json: {key}: expected {expected}, got {short(got)}; convert the checkpoint again")


def measure(value: float) -> bool:
    """Whether a length or a scale is one that float32 arithmetic can carry."""
    return 1e-6 <= value <= 1e6


def fraction(value: float) -> bool:
    """Whether a score or an overlap is possible."""
    return 0.0 <= value <= 1.0


@dataclass(frozen=True)
class HashedFile:
    """A file of the bundle: its path inside the folder (``/`` between parts) and its SHA-256 in hex."""

    file: str
    sha256: str


@dataclass(frozen=True)
class Level:
    """One grid of anchors.

    Attributes:
        grid_wh: columns and rows.
        stride_wh: distance of neighbouring centres in input pixels; the first centre is at half of it.
        cells_wh: width and height of each anchor of a cell, as fractions of the input's size.
    """

    grid_wh: tuple[int, int]
    stride_wh: tuple[float, float]
    cells_wh: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        require(min(self.grid_wh) > 0, "head.levels.grid_wh", "positive numbers", self.grid_wh)
        require(all(map(measure, self.stride_wh)), "head.levels.stride_wh", "1e-6 to 1e6", self.stride_wh)
        fits = bool(self.cells_wh) and all(measure(side) for cell in self.cells_wh for side in cell)
        require(fits, "head.levels.cells_wh", "at least one cell, sides of 1e-6 to 1e6", self.cells_wh)

    @property
    def count(self) -> int:
        """How many anchors the level has."""
        return self.grid_wh[0] * self.grid_wh[1] * len(self.cells_wh)

    def anchors(self, size_wh: tuple[int, int]) -> npt.NDArray[np.float64]:
        """(count, 4) ``cy cx h w``, normalised to an input of ``size_wh`` pixels; row, column, cell."""
        (columns, rows), (width, height) = self.grid_wh, size_wh
        cx = (np.arange(columns) + 0.5) * self.stride_wh[0] / width
        cy = (np.arange(rows) + 0.5) * self.stride_wh[1] / height
        cells = np.asarray(self.cells_wh, np.float64)
        out = np.empty((rows, columns, len(cells), 4))
        out[..., 0] = cy[:, None, None]
        out[..., 1] = cx[None, :, None]
        out[..., 2] = cells[:, 1]
        out[..., 3] = cells[:, 0]
        return out.reshape(-1, 4)


@dataclass(frozen=True)
class AnchorHead:
    """A one-stage detector's head: raw deltas and logits over levels of anchors, and the rule that ends in boxes.

    The fields are those of `edgedet.ops.detect`; ``background`` is the column of the logits that is no class.
    """

    type: str
    levels: tuple[Level, ...]
    variances: tuple[float, float]
    clip: bool
    activation: Literal["sigmoid", "softmax"]
    background: Optional[int]
    score_threshold: float
    iou_threshold: float
    max_per_class: int
    max_detections: Optional[int]
    plus_one: bool

    def __post_init__(self) -> None:
        require(0 < self.count <= MAX_ANCHORS, "head.levels", f"1 to {MAX_ANCHORS} anchors", self.count)
        require(all(map(measure, self.variances)), "head.variances", "numbers of 1e-6 to 1e6", self.variances)
        require(self.background is None or self.background >= 0, "head.background", "a column or null", self.background)
        require(fraction(self.score_threshold), "head.score_threshold", "0 to 1", self.score_threshold)
        require(fraction(self.iou_threshold), "head.iou_threshold", "0 to 1", self.iou_threshold)
        require(0 < self.max_per_class <= MAX_CAP, "head.max_per_class", f"1 to {MAX_CAP}", self.max_per_class)
        cap = self.max_detections
        require(cap is None or 0 < cap <= MAX_CAP, "head.max_detections", f"1 to {MAX_CAP} or null", cap)

    @property
    def files(self) -> tuple[HashedFile, ...]:
        """The files of the bundle that belong to the head: none."""
        return ()

    @property
    def count(self) -> int:
        """How many anchors there are in all levels."""
        return sum(level.count for level in self.levels)

    def anchors(self, size_wh: tuple[int, int]) -> npt.NDArray[np.float32]:
        """(N, 4) float32 ``cy cx h w``, normalised; levels in order. Computed in double, as the published code does."""
        return np.concatenate([level.anchors(size_wh) for level in self.levels]).astype(np.float32)

    def columns(self, classes: int) -> int:
        """How many columns the logits have for so many classes."""
        return classes + (self.background is not None)

    def check_fit(self, size_wh: tuple[int, int], classes: int) -> None:
        """Raises `BundleError` if the head can't belong to an input of ``size_wh`` pixels and so many classes."""
        column = self.background
        require(column is None or column <= classes, "head.background", f"a column of 0 to {classes} or null", column)


class FeatureGrid(NamedTuple):
    """The cells of a trunk's feature map; the names are those of `edgedet.ops.project_regions`.

    Attributes:
        stride: pixels between neighbouring cells, x and y.
        offset: where the receptive field of cell 0 has its centre, x and y; a pixel's centre is its index.
        feature_wh: columns and rows.
    """

    stride: tuple[float, float]
    offset: tuple[float, float]
    feature_wh: tuple[int, int]


@dataclass(frozen=True)
class TrunkLayer:
    """A layer with a window: its side, its step, and the padding, ``same`` (TensorFlow's) or ``valid`` (none)."""

    kernel: int
    stride: int
    pad: str

    def __post_init__(self) -> None:
        for key, value in (("kernel", self.kernel), ("stride", self.stride)):
            require(0 < value <= MAX_SIDE, f"head.trunk.{key}", f"1 to {MAX_SIDE}", value)
        require(self.pad in ("same", "valid"), "head.trunk.pad", "same or valid", self.pad)

    def cells(self, size: int) -> tuple[int, int]:
        """How many windows fit ``size`` cells (less than one: none), and the padding before the first."""
        if self.pad == "valid":
            return (size - self.kernel) // self.stride + 1, 0
        count = -(-size // self.stride)
        return count, max((count - 1) * self.stride + self.kernel - size, 0) // 2


@dataclass(frozen=True)
class SppHead:
    """A trunk of any input size, spatial pyramid pooling, and a head that takes its rows (He et al. 2015).

    Attributes:
        type: ``spp``.
        levels: bins along an axis, for each level; see `edgedet.ops.spp_pool`.
        trunk: the trunk's layers that have a window, first to last.
        activation: what makes probabilities of the head's logits: ``softmax``.
        shorter_side: for regions, an image is resized until its shorter side has so many pixels.
    """

    type: str
    levels: tuple[int, ...]
    trunk: tuple[TrunkLayer, ...]
    activation: Literal["softmax"]
    shorter_side: int

    def __post_init__(self) -> None:
        fits = bool(self.levels) and all(0 < bins <= MAX_BINS for bins in self.levels)
        require(fits, "head.levels", f"at least one number of 1 to {MAX_BINS}", self.levels)
        require(bool(self.trunk), "head.trunk", "at least one layer", self.trunk)
        require(0 < self.shorter_side <= MAX_SIDE, "head.shorter_side", f"1 to {MAX_SIDE}", self.shorter_side)

    @property
    def files(self) -> tuple[HashedFile, ...]:
        """The files of the bundle that belong to the head: none."""
        return ()

    def columns(self, classes: int) -> int | None:
        """How many columns the logits have for so many classes; None: that doesn't follow from them."""
        return classes

    @property
    def bins(self) -> int:
        """How many bins all levels have together: the row of a region is so many times the trunk's channels."""
        return sum(bins * bins for bins in self.levels)

    @property
    def least_side(self) -> int:
        """The smallest side of an input, in pixels, that leaves a feature cell."""
        side = 1
        for layer in reversed(self.trunk):
            side = (side - 1) * layer.stride + (layer.kernel if layer.pad == "valid" else 1)
        return side

    def grid(self, size_wh: tuple[int, int]) -> FeatureGrid:
        """The feature map of an input of ``size_wh`` pixels: where SAME pads depends on it.

        Raises:
            ValueError: the input is too small to give a single cell.
        """
        (columns, stride_x, offset_x), (rows, stride_y, offset_y) = (self._axis(size) for size in size_wh)
        if columns < 1 or rows < 1:
            raise ValueError(f"size_wh: expected pixels for one feature cell or more, got {size_wh}; enlarge the image")
        return FeatureGrid((stride_x, stride_y), (offset_x, offset_y), (columns, rows))

    def check_fit(self, size_wh: tuple[int, int], classes: int) -> None:
        """Raises `BundleError` if the head can't belong to an input of ``size_wh`` pixels and so many classes."""
        fits = all(self._axis(size)[0] > 0 for size in size_wh)
        require(fits, "head.trunk", f"layers that leave a cell of the input's {size_wh} pixels", self.trunk)

    def _axis(self, size: int) -> tuple[int, float, float]:
        """Cells, stride and offset along one axis; no cells if the input is too small."""
        stride, offset = 1.0, 0.0
        for layer in self.trunk:
            size, before = layer.cells(size)
            if size < 1:
                return 0, stride, offset
            offset += ((layer.kernel - 1) / 2 - before) * stride
            stride *= layer.stride
        return size, stride, offset
