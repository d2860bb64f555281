"""OpenCV's contrib modules, which the package opencv-python leaves out."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edgedet.errors import RuntimeUnavailable
from edgedet.proposals import Boxes


def ximgproc() -> Any:
    """The module ``cv2.ximgproc``.

    Raises:
        RuntimeUnavailable: this OpenCV has none.
    """
    found = getattr(cv2, "ximgproc", None)
    # Some builds have the module, but nothing in it.
    if not hasattr(found, "segmentation") or not hasattr(found, "createEdgeBoxes"):
        # Both packages are called cv2: one beside the other breaks them, so that no extra can ask for it.
        raise RuntimeUnavailable(
            "cv2.ximgproc: expected OpenCV's contrib modules, got a cv2 without; "
            "do pip uninstall -y opencv-python && pip install opencv-contrib-python"
        )
    return found


def corners(rectangles: npt.ArrayLike) -> Boxes:
    """(N, 4) ``x y width height`` -> (N, 4) float32 ``x1 y1 x2 y2``."""
    boxes: Boxes = np.array(rectangles, np.float32).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    return boxes


def check_most(max_boxes: int) -> None:
    """Raises ValueError unless it is a whole number from 1."""
    if isinstance(max_boxes, bool) or not isinstance(max_boxes, int) or max_boxes < 1:
        raise ValueError(f"max_boxes: expected a whole number from 1, got {max_boxes!r}; say how many boxes to give")
