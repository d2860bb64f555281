"""Regions of a picture by one pass of the trunk, against one crop at a time: the paper has 24 to 102 times.

He et al. 2015, section 4.3; here at its single scale, shorter side 688, the same network both ways, two threads. The
network has the published size, its weights are drawn at random. In the compressed head fc1 and fc2 are pairs of
matrices of ranks 1024 and 256 (Girshick 2015, section 3.1), cut from random ones: they cost what factors would cost.
Against it stand crops through the same compressed network, and through the published one: the higher ratio to these
owes a part to the compression. Crops all cost the same; of many, 200 from all over the list are run, and their time is
taken as many times.

The regions are selective search's, as the paper's: many fall on the same window of the map, which is then asked once.
Of regions that are drawn at random hardly any do.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

import edgedet
from benchmarks import models
from benchmarks.case import Case, Peer
from benchmarks.peers.crops import Crops
from benchmarks.proposals import FRAME_WH, MOST, frame, proposals
from benchmarks.workloads.spp import pooled
from edgedet.regions import RegionClassifier
from edgedet.spp import probabilities

THREADS, SIDE = 2, 688
RANKS = (1024, 256)
CROPS = 200
# Long enough for several runs of ours; the crops run once or twice.
BUDGET_S = 8.0


def drawn(count: int, seed: int = 2) -> np.ndarray:
    """(R, 4) float32 boxes with sides of 24 pixels to the frame's, all sizes and aspects alike, anywhere."""
    rng = np.random.default_rng(seed)
    side = np.exp(rng.uniform(np.log(24), np.log(min(FRAME_WH)), count))
    aspect = np.exp(rng.uniform(-np.log(3), np.log(3), count) / 2)
    wh = np.minimum(np.stack([side * aspect, side / aspect], axis=1), FRAME_WH)
    corner = rng.random((count, 2)) * (FRAME_WH - wh)
    return np.concatenate([corner, corner + wh], axis=1).astype(np.float32)


def cases(quick: bool) -> Iterator[Case]:
    """Features alone, the whole with the published head, the whole with the compressed one."""
    counts = (8,) if quick else (100, 500, MOST)
    bundle = models.published("sppnet")
    with edgedet.load(bundle, task="regions", threads=THREADS) as model:
        image = frame()
        for count in counts:
            boxes = proposals(count)
            peers = [_peer(model, image, boxes, "one crop at a time, no head", 102.0, features=True)]
            yield _case("pooled features", model, image, boxes, peers, features=True)
        for count in counts:
            boxes = proposals(count)
            peers = [_peer(model, image, boxes, "one crop at a time, published head", 24.0)]
            yield _case("whole, published head", model, image, boxes, peers)
        with edgedet.load(models.compressed(bundle, RANKS), task="regions", threads=THREADS) as small:
            for count in counts:
                boxes = proposals(count)
                peers = [
                    _peer(small, image, boxes, "one crop at a time, compressed head", 64.0),
                    _peer(model, image, boxes, "one crop at a time, published head", 64.0),
                ]
                yield _case("whole, compressed head", small, image, boxes, peers)
            boxes = drawn(counts[-1])
            peers = [_peer(small, image, boxes, "one crop at a time, compressed head", None)]
            yield _case("drawn at random, compressed head", small, image, boxes, peers)


def _case(
    what: str, model: RegionClassifier, image: np.ndarray, boxes: np.ndarray, peers: list[Peer], features: bool = False
) -> Case:
    sampled = np.random.default_rng(0).permutation(len(boxes))[:20]

    def check(ours: np.ndarray) -> None:
        """A sample, its windows and bins looked for one by one."""
        rows = _plain_rows(model, image, boxes[sampled])
        expected = rows if features else probabilities(model.run_head(rows)["logits"])
        np.testing.assert_allclose(ours[sampled], expected, rtol=1e-5, atol=1e-6)

    def job() -> np.ndarray:
        return model.features(image, boxes) if features else model(image, boxes).scores

    return Case(f"{len(boxes)} regions, {what}", job, check, peers, budget_s=BUDGET_S)


def _peer(
    model: RegionClassifier, image: np.ndarray, boxes: np.ndarray, name: str, bar: float | None, features: bool = False
) -> Peer:
    crops = Crops(model, THREADS)
    some = boxes[:: max(1, len(boxes) // CROPS)]

    def check(ours: np.ndarray, theirs: np.ndarray) -> None:
        """A warped crop is another picture than a window of the map; where it is the whole input, it is the same."""
        assert theirs.shape == (len(some), *ours.shape[1:]) and np.isfinite(theirs).all()
        side = model.spec.input.size_wh[1]
        small, whole = cv2.resize(image, model.spec.input.size_wh), np.array([[0, 0, side, side]], np.float32)
        if features:
            np.testing.assert_array_equal(model.features(small, whole, shorter_side=side), crops.features(small, whole))
        else:
            found = model(small, whole, shorter_side=side).scores
            np.testing.assert_array_equal(found, crops.scores(small, whole))

    run = crops.features if features else crops.scores
    return Peer(
        name,
        lambda: lambda: run(image, some),
        check,
        bar if len(boxes) >= MOST else None,
        seconds=lambda wall: wall * len(boxes) / len(some),
    )


def _plain_rows(model: RegionClassifier, image: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """What the paper's appendix says, cell by cell, in NumPy."""
    growth = SIDE / min(FRAME_WH)
    size_wh = tuple(round(side * growth) for side in FRAME_WH)
    resized = cv2.resize(image, size_wh, interpolation=cv2.INTER_LINEAR)[..., ::-1]
    rule, grid = model.spec.input, model.head.grid(size_wh)
    tensor = (resized.astype(np.float32) - np.float32(rule.mean)) / np.float32(rule.std)
    features = model.feature_map(np.ascontiguousarray(tensor.transpose(2, 0, 1)[None]))
    windows = []
    for box in (boxes * np.tile(np.divide(size_wh, FRAME_WH), 2)).tolist():
        spans = []
        for axis in (0, 1):
            centres = grid.offset[axis] + grid.stride[axis] * np.arange(grid.feature_wh[axis])
            inside = np.flatnonzero((box[axis] < centres) & (centres < box[axis + 2]))
            nearest = np.abs(centres - (box[axis] + box[axis + 2]) / 2).argmin()
            spans.append((inside[0], inside[-1] + 1) if len(inside) else (nearest, nearest + 1))
        windows.append([spans[0][0], spans[1][0], spans[0][1], spans[1][1]])
    return pooled(features, np.array(windows))
