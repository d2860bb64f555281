"""Spatial pyramid pooling of many regions of one feature map, levels 6, 3, 2 and 1."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks import floors
from benchmarks.case import Case, Peer
from benchmarks.peers import graphs, torchvision
from edgedet import ops

LEVELS = (6, 3, 2, 1)


def arrays(regions: int, channels: int, height: int, width: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """A feature map, and regions of 3 cells and more along each axis, anywhere on it."""
    rng = np.random.default_rng(seed)
    features = rng.standard_normal((channels, height, width), np.float32)
    sides = np.array([width, height])
    size = rng.integers(3, sides + 1, (regions, 2))
    corner = np.int64(rng.random((regions, 2)) * (sides - size + 1))
    return features, np.concatenate([corner, corner + size], axis=1).astype(np.int32)


def pooled(features: np.ndarray, regions: np.ndarray) -> np.ndarray:
    """NumPy's answer, of a region at a time."""
    rows = []
    for x0, y0, x1, y1 in regions.tolist():
        region, row = features[:, y0:y1, x0:x1], []
        for bins in LEVELS:
            ys, xs = _bounds(y1 - y0, bins), _bounds(x1 - x0, bins)
            level = [region[:, t:b, x:r].max(axis=(1, 2)) for t, b in ys for x, r in xs]
            row.append(np.stack(level, axis=1).reshape(-1))
        rows.append(np.concatenate(row))
    return np.array(rows)


def _bounds(cells: int, bins: int) -> list[tuple[int, int]]:
    return [(i * cells // bins, -(-((i + 1) * cells) // bins)) for i in range(bins)]


def cases(quick: bool) -> Iterator[Case]:
    """Many proposals on a whole picture's map, and the published 13 × 13."""
    few = 50 if quick else 2_000
    yield _case(f"{few} regions of 256 × 43 × 57", *arrays(few, 256, 43, 57), 20.0)
    few = 20 if quick else 200
    yield _case(f"{few} regions of 256 × 13 × 13", *arrays(few, 256, 13, 13), None)


def _case(name: str, features: np.ndarray, regions: np.ndarray, bar: float | None) -> Case:
    sampled = np.random.default_rng(0).permutation(len(regions))[:200]
    expected = pooled(features, regions[sampled])
    rois = np.concatenate([np.zeros((len(regions), 1)), regions - [0, 0, 1, 1]], axis=1).astype(np.float32)
    feed = {"features": features[None], "rois": rois}

    def same(ours: np.ndarray, theirs: np.ndarray) -> None:
        np.testing.assert_array_equal(ours, theirs)

    def model() -> bytes:
        return graphs.max_roi_pool(features.shape, LEVELS)

    return Case(
        name,
        lambda: ops.spp_pool(features, regions, LEVELS),
        lambda ours: np.testing.assert_array_equal(ours[sampled], expected),
        [
            Peer(
                "ONNX Runtime MaxRoiPool",
                lambda: graphs.onnxruntime(model(), feed),
                lambda ours, theirs: same(ours, *theirs),
                bar,
            ),
            Peer("torchvision roi_pool", lambda: torchvision.roi_pool(features, regions, LEVELS), same, bar),
            floors.write("the result", (len(regions), expected.shape[1])),
            floors.read("the map", features),
        ],
        budget_s=5.0,
    )
