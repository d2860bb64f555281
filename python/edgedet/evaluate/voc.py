"""Mean average precision at one IoU, as the Pascal VOC challenge has computed it since 2010.

Source: Everingham et al., *The Pascal Visual Object Classes (VOC) Challenge*, IJCV 2010, section 4.2, with the area
under the whole precision-recall curve (all-points interpolation) that replaced the eleven points in VOC2010.
Detections of a class, over all images, are taken by descending score. Each looks at the truth of its image it overlaps
most: if that IoU reaches the threshold and that truth is still free, the detection is right and takes it; otherwise it
is wrong. Boxes are continuous (a width is ``x2 - x1``); VOC's "difficult" flag does not exist here.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Boxes = npt.NDArray[np.floating]
Scores = npt.NDArray[np.floating]
ClassIds = npt.NDArray[np.integer]
Found = tuple[Boxes, Scores, ClassIds]
Truth = tuple[Boxes, ClassIds]


def mean_average_precision(
    found: Sequence[Found], truth: Sequence[Truth], *, classes: int, iou_threshold: float = 0.5
) -> tuple[float, npt.NDArray[np.float64]]:
    """Mean over the classes of the average precision.

    Args:
        found: per image: boxes (N, 4) ``x1 y1 x2 y2`` in any unit, scores (N,), class ids (N,).
        truth: per image, in the same order and unit: boxes (M, 4), class ids (M,).
        classes: how many classes there are.
        iou_threshold: an IoU of this much or more is a hit.

    Returns:
        The mean over the classes that occur in the truth (NaN when none does), and the average precision of every
        class, (classes,) float64, NaN for a class that does not occur.
    """
    if len(found) != len(truth):
        raise ValueError(f"found: expected one entry for each of the {len(truth)} images, got {len(found)}")
    table = np.full(classes, np.nan)
    for class_id in range(classes):
        boxes = [boxes[class_ids == class_id] for boxes, _, class_ids in found]
        scores = [scores[class_ids == class_id] for _, scores, class_ids in found]
        wanted = [boxes[class_ids == class_id] for boxes, class_ids in truth]
        table[class_id] = average_precision(boxes, scores, wanted, iou_threshold=iou_threshold)
    occurring = table[~np.isnan(table)]
    return float(occurring.mean()) if len(occurring) else float("nan"), table


def average_precision(
    boxes: Sequence[Boxes], scores: Sequence[Scores], truth: Sequence[Boxes], *, iou_threshold: float = 0.5
) -> float:
    """Average precision of one class: the area under the interpolated precision-recall curve.

    Args:
        boxes: per image, (N, 4) ``x1 y1 x2 y2`` in any unit.
        scores: per image, (N,). Equal scores keep the order of the images and of the boxes within one.
        truth: per image, (M, 4), same order and unit.
        iou_threshold: an IoU of this much or more is a hit.

    Returns:
        0 to 1; NaN when there is no truth at all.
    """
    total = sum(len(wanted) for wanted in truth)
    if total == 0:
        return float("nan")
    if not any(len(score) for score in scores):
        return 0.0
    hits = np.concatenate([_hits(*image, iou_threshold) for image in zip(boxes, scores, truth)])
    order = np.argsort(-np.concatenate(list(scores)), kind="stable")
    right = np.cumsum(hits[order])
    precision = right / np.arange(1, len(right) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float((envelope * hits[order]).sum() / total)


def _hits(boxes: Boxes, scores: Scores, truth: Boxes, iou_threshold: float) -> npt.NDArray[np.bool_]:
    """(N,): which detections of one class in one image are right, in the order given."""
    hits = np.zeros(len(boxes), bool)
    if len(boxes) == 0 or len(truth) == 0:
        return hits
    overlap = iou(boxes, truth)
    nearest, best = overlap.argmax(axis=1), overlap.max(axis=1)
    free = np.ones(len(truth), bool)
    for index in np.argsort(-scores, kind="stable"):
        if best[index] >= iou_threshold and free[nearest[index]]:
            hits[index], free[nearest[index]] = True, False
    return hits


def iou(boxes: Boxes, others: Boxes) -> npt.NDArray[np.float64]:
    """Intersection over union of every pair.

    Args:
        boxes: (N, 4) ``x1 y1 x2 y2``.
        others: (M, 4), same unit.

    Returns:
        (N, M) float64; 0 where a box is empty or inverted.
    """
    one, two = boxes.astype(np.float64)[:, None], others.astype(np.float64)[None]
    low, high = np.maximum(one[..., :2], two[..., :2]), np.minimum(one[..., 2:], two[..., 2:])
    shared = np.clip(high - low, 0, None).prod(axis=-1)
    areas = [np.clip(side[..., 2:] - side[..., :2], 0, None).prod(axis=-1) for side in (one, two)]
    union = areas[0] + areas[1] - shared
    table: npt.NDArray[np.float64] = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return table
