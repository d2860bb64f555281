"""OpenCV, and OpenCV with NumPy as tutorials write it."""

from __future__ import annotations

import cv2
import numpy as np

from benchmarks.case import Job


def nms(boxes: np.ndarray, scores: np.ndarray, iou_threshold: float) -> Job:
    """Kept indices of (N, 4) float32 ``x1 y1 x2 y2`` boxes."""
    corner_and_size = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1).astype(np.float64)
    return lambda: np.asarray(cv2.dnn.NMSBoxes(corner_and_size, scores, 0.0, iou_threshold)).reshape(-1)
