"""If only one test file is run, this is the one: it needs the wheel and pytest, no model and no runtime.

On a board without pytest: ``python test_minimal.py``.
"""

from __future__ import annotations

import math

import numpy as np

import edgedet
from edgedet import ops

F = np.float32


def test_import() -> None:
    assert edgedet.__version__.count(".") >= 2
    assert callable(edgedet.load)


def test_decode_boxes() -> None:
    anchors = np.array([[0.5, 0.5, 0.25, 0.5], [0.5, 0.5, 0.25, 0.5]], F)
    deltas = np.array([[0, 0, 0, 0], [2, -2, 5 * math.log(2), 0]], F)  # exp(5·ln 2·0.2) = 2
    boxes = ops.decode_boxes(deltas, anchors)
    np.testing.assert_allclose(boxes, [[0.25, 0.375, 0.75, 0.625], [0.15, 0.3, 0.65, 0.8]], atol=1e-6)


def test_nms() -> None:
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 9], [20, 20, 30, 30], [0, 0, 10, 10]], F)
    scores = np.array([0.5, 0.9, 0.4, np.nan], F)
    assert ops.nms(boxes, scores, 0.5).tolist() == [1, 2]
    assert ops.nms(boxes, scores, 0.9).tolist() == [1, 0, 2]  # 0.9 is not above 0.9
    assert ops.nms(boxes, scores, 0.5, class_ids=np.array([0, 1, 0, 0], np.int32)).tolist() == [1, 0, 2]
    assert ops.nms(boxes, scores, 0.5, max_detections=1).tolist() == [1]


def test_detect() -> None:
    anchors = np.array([[0.25, 0.25, 0.5, 0.5], [0.25, 0.25, 0.5, 0.5], [0.75, 0.5, 0.5, 1]], F)
    logits = np.array([[9, 1, -9], [9, 2, -9], [9, -9, 0]], F)
    boxes, scores, class_ids = ops.detect(
        np.zeros((3, 4), F), logits, anchors, image_wh=(200, 100), score_threshold=0.1, iou_threshold=0.6
    )
    np.testing.assert_allclose(boxes, [[0, 0, 100, 50], [0, 50, 200, 100]])
    np.testing.assert_allclose(scores, [1 / (1 + math.exp(-2)), 0.5], rtol=1e-6)
    assert class_ids.tolist() == [0, 1]


def test_spp_pool() -> None:
    features = np.arange(9, dtype=F).reshape(1, 3, 3)
    regions = np.array([[0, 0, 3, 3], [1, 1, 2, 2]], np.int32)
    assert ops.spp_pool(features, regions, (2, 1)).tolist() == [[4, 5, 7, 8, 8], [4, 4, 4, 4, 4]]


def test_project_regions() -> None:
    boxes = np.array([[0, 0, 224, 224], [50, 50, 51, 51]], F)
    regions = ops.project_regions(boxes, stride=16, offset=11, feature_wh=(13, 13))
    assert regions.tolist() == [[0, 0, 13, 13], [2, 2, 3, 3]]


def test_normalize() -> None:
    image = np.array([[[1, 2, 3], [4, 5, 6]]], np.uint8)
    tensor = ops.normalize(image, (1, 1, 1), (2, 2, 2), swap_rb=True)
    assert tensor.tolist() == [[[1, 2.5]], [[0.5, 2]], [[0, 1.5]]]
    assert ops.normalize(image, (0, 0, 0), (1, 1, 1), layout="hwc").tolist() == image.tolist()


def test_resize() -> None:
    image = np.array([[[0, 0, 0], [100, 40, 20]]], np.uint8)
    assert ops.resize(image, (1, 1)).tolist() == [[[50, 20, 10]]]
    tensor = ops.resize_normalize(image, (1, 1), (0, 0, 0), (2, 2, 2), canvas_wh=(2, 1), border=8)
    assert tensor.tolist() == [[[25, 4]], [[10, 4]], [[5, 4]]]
    grey = np.array([[81, 145], [16, 235], [128, 128]], np.uint8)
    assert ops.resize(grey, (2, 2), color="nv12")[1].tolist() == [[0, 0, 0], [255, 255, 255]]


def test_detections() -> None:
    found = edgedet.Detections(np.array([[1, 2, 5, 6]], F), F([0.5]), np.array([1], np.int32), ("cat", "dog"), (9, 9))
    assert [(d.label, d.score, d.box) for d in found] == [("dog", 0.5, (1, 2, 5, 6))]
    assert found.draw(np.zeros((9, 9, 3), np.uint8)).any()


if __name__ == "__main__":
    for name, test in list(globals().items()):
        if name.startswith("test_"):
            test()
            print("passed", name)
