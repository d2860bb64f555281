"""The published NumPy post-processing, as `tests/reference.py` retells it."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from benchmarks.case import Job


def reference() -> ModuleType:
    """The tests' slow truth."""
    folder = str(Path(__file__).parents[2] / "tests")
    if folder not in sys.path:
        sys.path.append(folder)
    import reference

    return reference


def greedy_nms(boxes: np.ndarray, scores: np.ndarray, iou_threshold: float) -> Job:
    """Kept indices of (N, 4) ``x1 y1 x2 y2`` boxes: the loop over NumPy vectors that everybody writes."""
    threshold = np.float32(iou_threshold)

    def run() -> np.ndarray:
        x1, y1, x2, y2 = boxes.T
        areas = (x2 - x1) * (y2 - y1)
        order = np.argsort(-scores, kind="stable")
        keep = []
        while order.size:
            best, rest = order[0], order[1:]
            keep.append(best)
            width = np.minimum(x2[best], x2[rest]) - np.maximum(x1[best], x1[rest])
            height = np.minimum(y2[best], y2[rest]) - np.maximum(y1[best], y1[rest])
            shared = np.maximum(width, np.float32(0)) * np.maximum(height, np.float32(0))
            order = rest[~(shared / (areas[best] + areas[rest] - shared) > threshold)]
        return np.array(keep, np.int64)

    return run


def activated(deltas: np.ndarray, logits: np.ndarray, anchors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the published graph hands to its post-processing: (N, 4) ``y1 x1 y2 x2`` in 0..1, (N, C) scores."""
    centre = deltas[:, :2] * np.float32(0.1) * anchors[:, 2:] + anchors[:, :2]
    size = np.exp(deltas[:, 2:] * np.float32(0.2)) * anchors[:, 2:]
    boxes = np.clip(np.concatenate([centre - size / 2, centre + size / 2], axis=1), 0, 1)
    return boxes, 1 / (1 + np.exp(-logits))


def detect(boxes: np.ndarray, scores: np.ndarray, image_wh: tuple[int, int]) -> list[Any]:
    """The published evaluation of activated outputs: (box, score, class, row) class by class."""
    return list(reference().published_detect(boxes, scores, np.float32(image_wh[::-1])))
