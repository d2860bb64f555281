"""The kernels: NumPy in, NumPy out, each in one call of compiled code that releases the GIL.

Rules for all of them:

* Arrays must be ``numpy.ndarray`` of exactly the dtype stated (nothing is converted in silence) and may be
  non-contiguous; a contiguous one is read in place. ``ValueError`` names the argument, what was expected and what came.
* Boxes are ``x1 y1 x2 y2``; the width is ``x2 − x1``. Network output is y first (``ty tx th tw``, ``cy cx h w``): that
  ends here.
* Float32 arithmetic without libm and without fused multiply-add: the same answer on x86-64 and aarch64.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from edgedet import _core
from edgedet.pixels import normalize, resize, resize_normalize

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeVar, Union

    import numpy as np
    import numpy.typing as npt

    Float32Array = npt.NDArray[np.float32]
    Int32Array = npt.NDArray[np.int32]
    Int64Array = npt.NDArray[np.int64]
    Uint8Array = npt.NDArray[np.uint8]
    NetworkArray = Union[npt.NDArray[np.float32], npt.NDArray[np.float16]]
    FloatArray = TypeVar("FloatArray", npt.NDArray[np.float32], npt.NDArray[np.float16])
    NumberOrPair = Union[float, tuple[float, float]]

__all__ = [
    "decode_boxes",
    "detect",
    "nms",
    "normalize",
    "project_regions",
    "resize",
    "resize_normalize",
    "soft_nms",
    "spp_pool",
]


def decode_boxes(
    deltas: Float32Array,
    anchors: Float32Array,
    *,
    variances: tuple[float, float] = (0.1, 0.2),
    clip: bool = True,
) -> Float32Array:
    """Turn a network's box deltas into boxes.

    ``cy = ty·v0·ah + acy``, ``h = exp(th·v1)·ah``, likewise x; corners are centre ∓ size / 2 (SSD: Liu et al. 2016,
    equation 2, solved for the box).

    Args:
        deltas: (N, 4) float32, ``ty tx th tw``, as the network gives them.
        anchors: (N, 4) float32, ``cy cx h w``, normalised to the image (1 is its whole height or width).
        variances: the factors ``v0`` of the centre and ``v1`` of the size; above 0.
        clip: clip corners to [0, 1]. A size that overflows then reaches the border; NaN stays NaN.

    Returns:
        (N, 4) float32, ``x1 y1 x2 y2``, normalised.

    Raises:
        ValueError: a wrong dtype or shape, different numbers of rows, or a variance that is not above 0.
    """
    return _core.decode_boxes(deltas, anchors, variances=variances, clip=clip)


def nms(
    boxes: Float32Array,
    scores: Float32Array,
    iou_threshold: float,
    *,
    class_ids: Int32Array | None = None,
    max_detections: int | None = None,
    plus_one: bool = False,
) -> Int64Array:
    """Choose boxes greedily, best first, dropping those that overlap a chosen one too much.

    A box is dropped when its IoU with a better kept one is strictly greater than ``iou_threshold``. Boxes or scores
    that are NaN or infinite never survive. An empty or inverted box has area 0: it suppresses nothing, and nothing
    suppresses it. The time is nearly linear in N where boxes are scattered, and never much above that of asking each
    kept box where they are piled up.

    Args:
        boxes: (N, 4) float32, ``x1 y1 x2 y2``, in pixels or normalised.
        scores: (N,) float32.
        iou_threshold: 0 to 1.
        class_ids: (N,) int32, any values; boxes of different ids leave each other alone. None: all are one class.
        max_detections: stop at so many; None is no limit.
        plus_one: the legacy rule of the published evaluations, for boxes in pixels: the width is ``x2 − x1 + 1``.

    Returns:
        (K,) int64, the indices kept, by score descending, ties by lower index.

    Raises:
        ValueError: a wrong dtype or shape, different numbers of rows, or a threshold outside [0, 1].
    """
    return _core.nms(
        boxes, scores, iou_threshold, class_ids=class_ids, max_detections=max_detections, plus_one=plus_one
    )


def soft_nms(
    boxes: Float32Array,
    scores: Float32Array,
    *,
    method: Literal["linear", "gaussian"] = "linear",
    iou_threshold: float = 0.3,
    sigma: float = 0.5,
    score_threshold: float = 0.001,
    class_ids: Int32Array | None = None,
    max_detections: int | None = None,
    plus_one: bool = False,
) -> tuple[Int64Array, Float32Array]:
    """Choose boxes best first, fading the scores of those that overlap a chosen one (Bodla et al. 2017, Soft-NMS).

    ``linear`` multiplies a score by ``1 − IoU`` where IoU is strictly greater than ``iou_threshold``; ``gaussian`` by
    ``exp(−IoU² / sigma)`` always. The best of the faded scores is chosen next, until none is above
    ``score_threshold``. What is not finite, and empty boxes, are treated as in ``nms``.

    Args:
        boxes: (N, 4) float32, ``x1 y1 x2 y2``, in pixels or normalised.
        scores: (N,) float32.
        method: how scores fade.
        iou_threshold: 0 to 1; ``gaussian`` does without.
        sigma: above 0; the smaller, the faster scores fade; ``linear`` does without.
        score_threshold: 0 to 1; only a faded score strictly greater is chosen.
        class_ids: (N,) int32, any values; boxes of different ids leave each other alone. None: all are one class.
        max_detections: stop at so many; None is no limit.
        plus_one: the legacy overlap rule, see ``nms``.

    Returns:
        (K,) int64 indices in the order of choice, ties by lower index, and (K,) float32, their faded scores, which
        descend.

    Raises:
        ValueError: a wrong dtype or shape, different numbers of rows, or a number outside its range.
    """
    return _core.soft_nms(
        boxes,
        scores,
        method=method,
        iou_threshold=iou_threshold,
        sigma=sigma,
        score_threshold=score_threshold,
        class_ids=class_ids,
        max_detections=max_detections,
        plus_one=plus_one,
    )


def detect(
    deltas: NetworkArray | Sequence[NetworkArray],
    logits: NetworkArray | Sequence[NetworkArray],
    anchors: Float32Array,
    *,
    image_wh: tuple[float, float],
    score_threshold: float,
    iou_threshold: float,
    variances: tuple[float, float] = (0.1, 0.2),
    activation: Literal["sigmoid", "softmax"] = "sigmoid",
    background: int | None = 0,
    max_per_class: int | None = 100,
    max_detections: int | None = None,
    plus_one: bool = False,
    clip: bool = True,
    max_candidates_per_class: int | None = None,
    max_candidates: int | None = None,
) -> tuple[Float32Array, Float32Array, Int32Array]:
    """Turn a detector's raw output into detections: threshold, activate, decode, suppress, in one pass.

    The same as activating all of ``logits``, ``decode_boxes``, scaling to the image, and ``nms`` class by class; but
    only what passes the threshold is activated and decoded. This is the post-processing of the published MindSpore
    detectors with their numbers: threshold 0.1, IoU 0.6, 100 per class, ``plus_one=True``.

    Args:
        deltas: (N, 4) float32 or float16, ``ty tx th tw``; or a list of such, one for each level of the network.
        logits: (N, C) float32 or float16, before activation, one column for each class and for the background; or a
            list, as of deltas. The transposed view of a (C, N) array is read in place.
        anchors: (N, 4) float32, ``cy cx h w``, normalised; of all levels, one after another.
        image_wh: the image's width and height, to which boxes are scaled; need not be whole.
        score_threshold: keep what scores strictly more. ``sigmoid`` compares before activation, ``logit > log(t / (1 −
            t))``; ``softmax`` compares the float32 score. At 0 or below all finite logits pass; from 1 up, none.
        iou_threshold: 0 to 1, see ``nms``.
        variances: see ``decode_boxes``.
        activation: ``sigmoid`` of each logit, or ``softmax`` over all C columns, the background's included.
        background: the column that is no class, or None. Class ids count the other columns from 0.
        max_per_class: stop at so many in a class; None is no limit.
        max_detections: of those of all classes, the best so many; None is no limit.
        plus_one: the legacy overlap rule, see ``nms``.
        clip: clip boxes to the image, see ``decode_boxes``.
        max_candidates_per_class: before suppression, keep the best so many of a class by logit (``softmax``: by score),
            ties by lower anchor; None is no limit.
        max_candidates: of those, the best so many of all classes. With either limit, time and memory stay bounded at
            thresholds as low as those of mAP evaluation, where millions of entries pass: beside the result there are
            never more than the larger of 65 536 and twice the smaller of ``max_candidates`` and C ·
            ``max_candidates_per_class`` entries of 12 bytes, and a copy while they are cut down. Without a limit it
            is some 50 bytes for every entry that passes.

    Returns:
        (K, 4) float32 boxes ``x1 y1 x2 y2`` in image pixels, (K,) float32 scores and (K,) int32 class ids; by score
        descending, ties by class, then by anchor. Logits that are NaN or infinite and boxes that are not finite never
        survive; under ``softmax`` a row that holds NaN or +inf yields nothing.

    Raises:
        ValueError: a wrong dtype or shape, different numbers of rows, or a number outside its range.
    """
    return _core.detect(
        deltas,
        logits,
        anchors,
        image_wh=image_wh,
        score_threshold=score_threshold,
        iou_threshold=iou_threshold,
        variances=variances,
        activation=activation,
        background=background,
        max_per_class=max_per_class,
        max_detections=max_detections,
        plus_one=plus_one,
        clip=clip,
        max_candidates_per_class=max_candidates_per_class,
        max_candidates=max_candidates,
    )


def spp_pool(
    features: FloatArray,
    regions: Int32Array,
    levels: Sequence[int] = (6, 3, 2, 1),
    *,
    threads: int = 1,
    out: FloatArray | None = None,
) -> FloatArray:
    """Pool regions of one feature map into rows of equal length (spatial pyramid pooling, He et al. 2015, section 2).

    A level of b lays b × b bins over the region; bin i over n cells covers ``[floor(i·n / b), ceil((i + 1)·n / b))``,
    so that bins of a small region overlap and none is empty. Each bin gives its largest value in each channel.

    Args:
        features: (C, H, W) float32 or float16.
        regions: (R, 4) int32, half-open feature cells ``x0 y0 x1 y1``, at least one cell, inside the map.
        levels: bins along an axis, for each level.
        threads: so many share the channels, in chunks of 128 bytes; regions that are equal are pooled once.
        out: an array of the result's shape and dtype, C-contiguous and writable, to fill; it is returned. Where many
            regions are pooled again and again this halves the time: the pages of a new array cost as much as pooling.

    Returns:
        (R, C·Σb²) of the features' dtype; a row's order is level (as given), channel, bin row, bin column. NaN in a
        bin makes it NaN.

    Raises:
        ValueError: a wrong dtype or shape, no levels, a level below 1, a region (named by its index) that is empty or
            leaves the map, or an ``out`` that cannot take the result in place.
    """
    return _core.spp_pool(features, regions, levels, threads=threads, out=out)


def project_regions(
    boxes: Float32Array, *, stride: NumberOrPair, offset: NumberOrPair, feature_wh: tuple[int, int]
) -> Int32Array:
    """Project boxes on a trunk's input to regions of its feature map (He et al. 2015, appendix A, for any padding).

    Cell r of the map has its receptive field's centre at ``stride·r + offset``. A region takes the cells whose centres
    lie strictly inside the box, clamped to the map; along an axis where there is none, the one cell whose centre is
    nearest the box's (of two equally near, the lower).

    Args:
        boxes: (R, 4) float32, ``x1 y1 x2 y2`` in pixels of the trunk's input.
        stride: pixels between neighbouring cells; a number, or a pair (x, y).
        offset: the centre of cell 0 in pixels; a number, or a pair (x, y).
        feature_wh: the map's width and height in cells.

    Returns:
        (R, 4) int32, half-open feature cells ``x0 y0 x1 y1``, as ``spp_pool`` takes them.

    Raises:
        ValueError: a wrong dtype or shape, a stride that is not above 0, or a box (named by its index) that is NaN or
            infinite.
    """
    return _core.project_regions(boxes, stride=stride, offset=offset, feature_wh=feature_wh)
