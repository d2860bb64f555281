"""OpenCV, and OpenCV with NumPy as tutorials write it."""

from __future__ import annotations

import cv2
import numpy as np

from benchmarks.case import Job


def nms(boxes: np.ndarray, scores: np.ndarray, iou_threshold: float) -> Job:
    """Kept indices of (N, 4) float32 ``x1 y1 x2 y2`` boxes."""
    corner_and_size = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1).astype(np.float64)
    return lambda: np.asarray(cv2.dnn.NMSBoxes(corner_and_size, scores, 0.0, iou_threshold)).reshape(-1)


def tutorial(image: np.ndarray, size_wh: tuple[int, int], mean: np.ndarray, std: np.ndarray) -> Job:
    """(H, W, 3) uint8 BGR to (1, 3, h, w) float32 RGB, normalised: the lines that everybody writes."""

    def run() -> np.ndarray:
        resized = cv2.resize(image, size_wh, interpolation=cv2.INTER_LINEAR)
        pixels = cv2.cvtColor(resized, cv2.COLOR_BGR2RGB).astype(np.float32)
        return np.ascontiguousarray(((pixels - mean) / std).transpose(2, 0, 1)[None])

    return run


def blob(image: np.ndarray, size_wh: tuple[int, int], mean: np.ndarray, std: np.ndarray) -> Job:
    """The same by blobFromImageWithParams."""
    factors = [*(1 / np.float64(std)), 0.0]
    means = [*np.float64(mean), 0.0]
    params = cv2.dnn.Image2BlobParams(factors, size_wh, means, True)
    return lambda: cv2.dnn.blobFromImageWithParams(image, params)
