"""Raw network output to boxes: threshold, activation, decoding and suppression per class, for the published sizes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks import floors
from benchmarks.case import Case, Job, Peer
from benchmarks.peers import graphs, published
from edgedet import ops

IMAGE_WH = (1280, 720)
RULE = {"score_threshold": 0.1, "iou_threshold": 0.6, "max_per_class": 100}
LOW_RULE = {**RULE, "score_threshold": 0.001}
MAX_CANDIDATES_PER_CLASS = 1000
Found = tuple[np.ndarray, np.ndarray, np.ndarray]


def raw_output(anchors: int, columns: int, things: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Deltas, logits and anchors of a picture with some things on it, each seen by 12 neighbouring anchors."""
    rng = np.random.default_rng(seed)
    centre = rng.uniform(0.05, 0.95, (anchors, 2))
    centre[:, 0].sort()  # neighbours lie near one another, as in a network's grid
    boxes = np.concatenate([centre, rng.uniform(0.05, 0.2, (anchors, 2))], axis=1).astype(np.float32)
    deltas = rng.normal(0, 0.5, (anchors, 4)).astype(np.float32)
    logits = rng.normal(-7, 0.9, (anchors, columns)).astype(np.float32)
    for first in rng.integers(0, anchors - 12, things):
        seen = slice(first, first + 12)
        boxes[seen] = boxes[first] + rng.normal(0, 0.003, (12, 4)).astype(np.float32)
        logits[seen, rng.integers(1, columns)] = rng.uniform(-2, 4, 12)
    return deltas, logits, boxes


def cases(quick: bool) -> Iterator[Case]:
    """The largest published network, and the smallest."""
    for name, anchors, things, bars in (
        ("NAS-FPN", 76_725, 50, {"read": 1.5, "graph": 10.0, "published": 40.0}),
        ("SSD-MobileNetV2", 2_034, 12, {}),
    ):
        arrays = raw_output(anchors // 20 if quick else anchors, 81, things)
        passing = int((arrays[1][:, 1:] > np.log(0.1 / 0.9)).sum())
        title = f"{name}, {len(arrays[1])} × 81 logits, {passing} pass"
        yield _legacy(title, arrays, bars)
        yield _plain(title, arrays, bars)
    yield _low_threshold(raw_output(1_000 if quick else 76_725, 81, 50))


def _ours(arrays: tuple[np.ndarray, ...], plus_one: bool) -> Job:
    deltas, logits, anchors = arrays
    return lambda: ops.detect(deltas, logits, anchors, image_wh=IMAGE_WH, plus_one=plus_one, **RULE)


def _published(arrays: tuple[np.ndarray, ...]) -> list[Any]:
    deltas, logits, anchors = arrays
    return published.detect(*published.activated(deltas, logits, anchors), IMAGE_WH)


def _legacy(name: str, arrays: tuple[np.ndarray, ...], bars: dict[str, float]) -> Case:
    """The published rule, in which corners belong to the box."""
    logits = arrays[1]
    activated = published.activated(*arrays)
    expected = published.detect(*activated, IMAGE_WH)

    peers = [
        Peer(
            "published NumPy, from raw output",
            lambda: lambda: _published(arrays),
            same_as_published,
            bars.get("published"),
        ),
        Peer(
            "published NumPy, from activated output",
            lambda: lambda: published.detect(*activated, IMAGE_WH),
            same_as_published,
        ),
    ]
    floor = [floors.read("the logits", logits, bars.get("read")), floors.copy("the logits", logits)]
    return Case(
        f"{name}, published rule", _ours(arrays, True), lambda ours: same_as_published(ours, expected), [*peers, *floor]
    )


def _plain(name: str, arrays: tuple[np.ndarray, ...], bars: dict[str, float]) -> Case:
    """The rule that ONNX's operator knows."""
    deltas, logits, anchors = arrays
    feed = {"deltas": deltas, "logits": logits, "anchors": anchors}

    def model() -> bytes:
        return graphs.detect(len(logits), logits.shape[1], IMAGE_WH, RULE)

    def check(ours: Found) -> None:
        reference = published.reference()
        boxes = reference.decode_boxes(deltas, anchors).astype(np.float32)
        _same(ours, reference.detect(boxes, logits, image_wh=IMAGE_WH, **RULE))

    bar = bars.get("graph")
    peers = [
        Peer("ONNX Runtime graph", lambda: graphs.onnxruntime(model(), feed), same_as_graph, bar),
        Peer("OpenVINO graph", lambda: graphs.openvino(model(), feed), same_as_graph),
    ]
    return Case(f"{name}, plain rule", _ours(arrays, False), check, peers)


def _low_threshold(arrays: tuple[np.ndarray, ...]) -> Case:
    """As for mAP: nearly half of all entries pass, and limits keep time and memory bounded.

    ONNX Runtime's graph has no such limit; with boxes as scattered as these, the candidates cut off change nothing.
    """
    deltas, logits, anchors = arrays
    most = min(MAX_CANDIDATES_PER_CLASS, len(logits))
    feed = {"deltas": deltas, "logits": logits, "anchors": anchors}

    def ours() -> Found:
        rule = {"max_candidates_per_class": most, "max_candidates": 80 * most, **LOW_RULE}
        return ops.detect(deltas, logits, anchors, image_wh=IMAGE_WH, **rule)

    def model() -> bytes:
        return graphs.detect(len(logits), logits.shape[1], IMAGE_WH, LOW_RULE)

    def check(found: Found) -> None:
        reference = published.reference()
        least = np.partition(logits, len(logits) - most, axis=0)[len(logits) - most]
        cut = np.where(logits >= least, logits, np.float32(-np.inf))
        boxes = reference.decode_boxes(deltas, anchors).astype(np.float32)
        _same(found, reference.detect(boxes, cut, image_wh=IMAGE_WH, **LOW_RULE))

    passing = int((logits[:, 1:] > np.log(0.001 / 0.999)).sum())
    peers = [Peer("ONNX Runtime graph", lambda: graphs.onnxruntime(model(), feed), same_as_graph)]
    name = f"{len(logits)} × 81 logits, threshold 0.001, {passing} pass, {most} of a class compete"
    return Case(name, ours, check, peers, budget_s=2.0)


def same_as_published(ours: Found, theirs: list[Any]) -> None:
    """The same as the published code's list."""
    _same(ours, _ordered(*(np.array([row[i] for row in theirs]) for i in range(3))))


def same_as_graph(ours: Found, theirs: list[np.ndarray]) -> None:
    """The same as the graph's boxes, scores and class ids."""
    boxes, scores, class_ids = theirs
    _same(ours, _ordered(boxes[:, [1, 0, 3, 2]], scores, class_ids))


def _ordered(boxes: np.ndarray, scores: np.ndarray, class_ids: np.ndarray) -> Found:
    order = np.lexsort((class_ids, -scores))
    return boxes[order], scores[order], class_ids[order]


def _same(ours: Found, theirs: Found) -> None:
    """The same detections; of scores that differ in the last bit only, the order may be another."""
    assert len(ours[1]) == len(theirs[1]), f"{len(ours[1])} detections and {len(theirs[1])}"
    mine, other = (np.lexsort((found[0][:, 1], found[0][:, 0].round(2), found[2])) for found in (ours, theirs))
    np.testing.assert_array_equal(ours[2][mine], theirs[2][other])
    np.testing.assert_allclose(ours[0][mine], theirs[0][other], atol=2e-3)
    np.testing.assert_allclose(ours[1][mine], theirs[1][other], atol=1e-6)
