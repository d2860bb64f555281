"""Selective search's regions of the picture that the benchmark of regions uses, kept in ``data/proposals.npy``.

    python -m benchmarks.proposals

needs opencv-contrib-python, which the benchmark itself then does without.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

import edgedet_converters

KEPT = Path(__file__).with_name("data") / "proposals.npy"
PICTURE = Path(edgedet_converters.__file__).with_name("data") / "golden" / "astronaut.jpg"
FRAME_WH, MOST = (1280, 720), 2000


def frame() -> np.ndarray:
    """The photograph as a frame of a camera, (720, 1280, 3) uint8 BGR."""
    return cv2.resize(cv2.imread(str(PICTURE)), FRAME_WH, interpolation=cv2.INTER_CUBIC)


def proposals(count: int = MOST) -> np.ndarray:
    """(R, 4) float32 ``x1 y1 x2 y2`` in pixels of `frame`: ``count`` of the 2000, evenly from all over the list."""
    boxes = np.load(KEPT, allow_pickle=False).astype(np.float32)
    return boxes[:: len(boxes) // count][:count]


if __name__ == "__main__":
    from edgedet.proposals.selective_search import SelectiveSearch

    np.save(KEPT, SelectiveSearch(max_boxes=MOST)(frame()).astype(np.uint16))
