"""Spatial pyramid pooling of many regions of one feature map, levels 6, 3, 2 and 1."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from benchmarks import floors
from benchmarks.case import Case, Peer
from benchmarks.peers import graphs, torchvision
from edgedet import ops

LEVELS = (6, 3, 2, 1)
SAME = np.testing.assert_array_equal


def arrays(regions: int, channels: int, height: int, width: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """A feature map, and regions of 3 cells and more along each axis, anywhere on it."""
    rng = np.random.default_rng(seed)
    features = rng.standard_normal((channels, height, width), np.float32)
    sides = np.array([width, height])
    size = rng.integers(3, sides + 1, (regions, 2))
    corner = np.int64(rng.random((regions, 2)) * (sides - size + 1))
    return features, np.concatenate([corner, corner + size], axis=1).astype(np.int32)


def rois(regions: np.ndarray) -> np.ndarray:
    """The same for ONNX's and torchvision's operators: the index of the image first, last cells belong to them."""
    return np.concatenate([np.zeros((len(regions), 1)), regions - [0, 0, 1, 1]], axis=1).astype(np.float32)


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
    large = arrays(few, 256, 43, 57)
    yield _case(f"{few} regions of 256 × 43 × 57", *large, 20.0)
    yield _in_place(f"{few} regions of 256 × 43 × 57, into an array that is there", *large)
    few = 20 if quick else 200
    yield _case(f"{few} regions of 256 × 13 × 13", *arrays(few, 256, 13, 13), None)


def _check(features: np.ndarray, regions: np.ndarray) -> Callable[[np.ndarray], None]:
    """Some of the rows are NumPy's; all of them would take a minute."""
    some = np.random.default_rng(0).permutation(len(regions))[:200]
    expected = pooled(features, regions[some])
    return lambda ours: SAME(ours[some], expected)


def _case(name: str, features: np.ndarray, regions: np.ndarray, bar: float | None) -> Case:
    feed = {"features": features[None], "rois": rois(regions)}
    model = partial(graphs.max_roi_pool, features.shape, LEVELS)
    peers = [
        Peer("ONNX Runtime MaxRoiPool", lambda: graphs.onnxruntime(model(), feed), lambda a, b: SAME(a, *b), bar),
        Peer("torchvision roi_pool", lambda: torchvision.roi_pool(features, feed["rois"], LEVELS), SAME, bar),
    ]
    floor = [floors.write("the result", _shape(features, regions)), floors.read("the map", features)]
    job = partial(ops.spp_pool, features, regions, LEVELS)
    return Case(name, job, _check(features, regions), [*peers, *floor], budget_s=5.0)


def _in_place(name: str, features: np.ndarray, regions: np.ndarray) -> Case:
    out = np.zeros(_shape(features, regions), np.float32)
    against = [floors.rewrite("the result", out), floors.copy("the result", out)]
    job = partial(ops.spp_pool, features, regions, LEVELS, out=out)
    return Case(name, job, _check(features, regions), against)


def _shape(features: np.ndarray, regions: np.ndarray) -> tuple[int, int]:
    return len(regions), len(features) * sum(bins * bins for bins in LEVELS)
