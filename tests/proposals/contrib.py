"""What the tests of OpenCV's contrib modules share: a structured forest of one tree, and a picture to find boxes in."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

HAS_CONTRIB = hasattr(getattr(cv2, "ximgproc", None), "segmentation")
WITHOUT = "needs opencv-contrib-python in place of opencv-python"


def forest(path: Path) -> Path:
    """One tree of three nodes: where the gradient in the middle of a patch is large, all of its inside is an edge."""
    numbers = {
        "stride": 2,
        "shrinkNumber": 2,
        "patchSize": 32,
        "patchInnerSize": 16,
        "numberOfGradientOrientations": 4,
        "gradientSmoothingRadius": 0,
        "regFeatureSmoothingRadius": 2,
        "ssFeatureSmoothingRadius": 8,
        "gradientNormalizationRadius": 4,
        "selfsimilarityGridSize": 5,
        "numberOfTrees": 1,
        "numberOfTreesToEvaluate": 1,
    }
    # Feature 3 · 256 + 8 · 16 + 8: the gradient's magnitude, the fourth channel, in the middle of 16×16 cells.
    middle = [(7 + y) * 16 + 7 + x for y in range(3) for x in range(3)] * 6
    tables = {
        "childs": [[2, 0, 0]],
        "featureIds": [[3 * 256 + 8 * 16 + 8, 0, 0]],
        "thresholds": [[0.2, 0.0, 0.0]],
        "edgeBoundaries": [[0, 0, 0, len(middle)]],
        "edgeBins": [middle],
    }
    lines = ["%YAML:1.0", "options:"] + [f"   {name}: {value}" for name, value in numbers.items()]
    for name, rows in tables.items():
        lines += [f"{name}:"] + [f"   - [ {', '.join(map(str, row))} ]" for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def scene() -> tuple[np.ndarray, np.ndarray]:
    """A picture with two filled rectangles, and their boxes."""
    image = np.full((180, 240, 3), 40, np.uint8)
    boxes = np.array([[30, 40, 100, 120], [140, 60, 210, 150]], np.float32)
    for box, color in zip(boxes.astype(int).tolist(), ((40, 200, 240), (220, 80, 40))):
        cv2.rectangle(image, tuple(box[:2]), (box[2] - 1, box[3] - 1), color, cv2.FILLED)
    return image, boxes


def best_overlaps(boxes: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """The IoU of each true box with the best of the others."""
    low, high = np.maximum(boxes[:, None, :2], truth[None, :, :2]), np.minimum(boxes[:, None, 2:], truth[None, :, 2:])
    shared = np.maximum(high - low, 0).prod(axis=2)
    areas = [(b[:, 2:] - b[:, :2]).prod(axis=1) for b in (boxes, truth)]
    return (shared / (areas[0][:, None] + areas[1] - shared)).max(axis=0)
