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


def identical(count: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """All the same box."""
    rng = np.random.default_rng(seed)
    return _boxes(rng, np.full((count, 2), 640.0), np.full((count, 2), 32.0))


def crowded(count: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Boxes of 80 to 240 pixels on 600 × 600: each overlaps hundreds, few by more than half."""
    rng = np.random.default_rng(seed)
    return _boxes(rng, rng.uniform(0, 600, (count, 2)), rng.uniform(40, 120, (count, 2)))


def chained(count: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """A row of equal boxes, each overlapping the next one by nine tenths."""
    rng = np.random.default_rng(seed)
    centre = np.stack([np.arange(count) * 10.0, np.full(count, 640.0)], axis=1)
    return _boxes(rng, centre, np.full((count, 2), 50.0))


def _boxes(rng: np.random.Generator, centre: np.ndarray, half: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    boxes = np.concatenate([centre - half, centre + half], axis=1).astype(np.float32)
    return boxes, rng.permutation(np.linspace(0.05, 0.95, len(boxes))).astype(np.float32)


def cases(quick: bool) -> Iterator[Case]:
    """Scattered and piled-up boxes, few and many.

    Compiled plain loops (torchvision's over all boxes, OpenCV's over kept ones) are to be no faster anywhere.
    """
    scale = 20 if quick else 1
    for count, bar in ((10_000 // scale, 10.0), (50_000 // scale, 30.0)):
        yield _case(f"{count} boxes, scattered", *scattered(count), bar)
        yield _case(f"{count} boxes, piled up", *piled(count), 1.0)
    for count in (1_000 // scale, 10_000 // scale):
        for scene in (identical, crowded, chained):
            yield _case(f"{count} boxes, {scene.__name__}", *scene(count), 1.0)


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
