"""Boxes and labels on pictures: readable on any background and at any size."""

from __future__ import annotations

import colorsys
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from edgedet.results import Detections

_FONT = cv2.FONT_HERSHEY_SIMPLEX


def class_color(class_id: int) -> tuple[int, int, int]:
    """The BGR colour of a class: neighbours in number are far apart in hue."""
    # Steps of the golden ratio around the hue circle never come back to a hue that is taken.
    hue = (class_id * 0.618033988749895 + 0.07) % 1.0
    r, g, b = colorsys.hsv_to_rgb(hue, 0.75, 0.95)
    return round(b * 255), round(g * 255), round(r * 255)


def _ink(color: tuple[int, int, int]) -> tuple[int, int, int]:
    b, g, r = color
    return (0, 0, 0) if 0.114 * b + 0.587 * g + 0.299 * r > 140 else (255, 255, 255)


def draw_detections(image: npt.NDArray[np.uint8], found: Detections) -> npt.NDArray[np.uint8]:
    """A copy of the (H, W, 3) uint8 BGR image with the detections drawn on it, the best on top."""
    canvas: npt.NDArray[np.uint8] = np.ascontiguousarray(image).copy()
    if canvas.ndim != 3 or canvas.shape[2] != 3 or canvas.dtype != np.uint8 or not canvas.size:
        raise ValueError(
            f"image: expected (H, W, 3) uint8, got {canvas.shape} {canvas.dtype}; give the picture as OpenCV reads it"
        )
    height, width = canvas.shape[:2]
    scale = max(0.35, min(width, height) / 1000)
    line = max(1, round(scale * 3))
    rows = range(len(found) - 1, -1, -1)
    corners = [_corners(found.boxes[i], width, height) for i in rows]
    for i, (x1, y1, x2, y2) in zip(rows, corners):
        cv2.rectangle(canvas, (x1, y1), (x2, y2), (0, 0, 0), line + 2, cv2.LINE_AA)
        cv2.rectangle(canvas, (x1, y1), (x2, y2), class_color(int(found.class_ids[i])), line, cv2.LINE_AA)
    # Labels after all boxes, so that no line runs through a word.
    for i, corner in zip(rows, corners):
        text = f"{found.labels[found.class_ids[i]]} {found.scores[i]:.2f}"
        _label(canvas, text, corner, class_color(int(found.class_ids[i])), scale, line)
    return canvas


def _corners(box: npt.NDArray[np.float32], width: int, height: int) -> tuple[int, int, int, int]:
    limits = np.array([width - 1, height - 1] * 2, np.float32)
    x1, y1, x2, y2 = np.rint(np.clip(box, 0, limits)).astype(int).tolist()
    return x1, y1, x2, y2


def _label(
    canvas: npt.NDArray[np.uint8],
    text: str,
    corner: tuple[int, int, int, int],
    color: tuple[int, int, int],
    scale: float,
    line: int,
) -> None:
    height, width = canvas.shape[:2]
    size, thickness = scale * 0.9, max(1, round(scale * 1.6))
    (text_w, text_h), base = cv2.getTextSize(text, _FONT, size, thickness)
    pad = max(2, line)
    box_h = text_h + base + 2 * pad
    # Above the box where there is room, else inside it; never past the picture's edge.
    top = corner[1] - box_h if corner[1] >= box_h else min(corner[1], max(0, height - box_h))
    left = max(0, min(corner[0], width - text_w - 2 * pad))
    cv2.rectangle(canvas, (left, top), (left + text_w + 2 * pad, top + box_h), color, cv2.FILLED)
    at = (left + pad, top + pad + text_h)
    cv2.putText(canvas, text, at, _FONT, size, _ink(color), thickness, cv2.LINE_AA)
