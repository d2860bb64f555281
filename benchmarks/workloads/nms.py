"""Non-maximum suppression of one class, all boxes at once, IoU threshold 0.5."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.case import Case, Peer
from benchmarks.peers import opencv, published, torchvision
from edgedet import ops

IOU = 0.5
SAME = np.testing.assert_array_equal


def scattered(count: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Boxes of 16 to 64 pixels, anywhere on 1280 × 1280."""
    rng = np.random.default_rng(seed)
    centre = rng.uniform(0, 1280, (count, 2))
    half = rng.uniform(8, 32, (count, 2))
    return _boxes(rng, centre, half)


def piled(count: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """As a detector gives them: all boxes lie around 50 things on 1280 × 1280 pixels."""
    rng = np.random.default_rng(seed)
    thing = rng.integers(0, 50, count)
    centre = rng.uniform(100, 1180, (50, 2))[thing] + rng.normal(0, 6, (count, 2))
    half = rng.uniform(20, 90, (50, 2))[thing] * rng.uniform(0.8, 1.25, (count, 2))
    return _boxes(rng, centre, half)


def _boxes(rng: np.random.Generator, centre: np.ndarray, half: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    boxes = np.concatenate([centre - half, centre + half], axis=1).astype(np.float32)
    return boxes, rng.permutation(np.linspace(0.05, 0.95, len(boxes))).astype(np.float32)


def cases(quick: bool) -> Iterator[Case]:
    """Scattered and piled-up boxes, few and many."""
    scale = 20 if quick else 1
    for count, bar in ((10_000 // scale, 10.0), (50_000 // scale, 30.0)):
        yield _case(f"{count} boxes, scattered", *scattered(count), bar)
        yield _case(f"{count} boxes, piled up", *piled(count), None)


def _case(name: str, boxes: np.ndarray, scores: np.ndarray, bar: float | None) -> Case:
    loop = published.greedy_nms(boxes, scores, IOU)
    expected = loop()

    return Case(
        f"{name}, {len(expected)} kept",
        lambda: ops.nms(boxes, scores, IOU),
        lambda ours: SAME(ours, expected),
        [
            Peer("torchvision nms", lambda: torchvision.nms(boxes, scores, IOU), SAME, bar),
            Peer("OpenCV NMSBoxes", lambda: opencv.nms(boxes, scores, IOU), SAME, bar),
            Peer("NumPy loop", lambda: loop, SAME),
        ],
    )
