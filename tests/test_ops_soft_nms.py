from __future__ import annotations

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from test_ops_nms import crowded, random_boxes, thresholds

from edgedet import ops

F = np.float32
methods = pytest.mark.parametrize("method", ["linear", "gaussian"])


@given(crowded(), thresholds, st.booleans(), st.booleans(), st.none() | st.integers(0, 5))
def test_linear_equals_the_reference(data, threshold, plus_one, classes, most):
    boxes, scores, class_ids = data
    rule = {"iou_threshold": threshold, "plus_one": plus_one, "max_detections": most}
    rule["class_ids"] = class_ids if classes else None
    indices, faded = ops.soft_nms(boxes, scores, **rule)
    wanted, wanted_scores = reference.soft_nms(boxes, scores, **rule)
    assert (indices.dtype, faded.dtype) == (np.int64, np.float32)
    np.testing.assert_array_equal(indices, wanted)
    np.testing.assert_array_equal(faded, wanted_scores)


@methods
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("classes", [False, True])
def test_equals_the_reference_on_real_numbers(method, seed, classes):
    rng = np.random.default_rng(seed)
    boxes, scores = random_boxes(rng, 150), rng.random(150, F)
    rule = {"method": method, "sigma": 0.3, "score_threshold": 0.05}
    rule["class_ids"] = rng.integers(-2, 2, 150).astype(np.int32) if classes else None
    indices, faded = ops.soft_nms(boxes, scores, **rule)
    wanted, wanted_scores = reference.soft_nms(boxes, scores, **rule)
    np.testing.assert_array_equal(indices, wanted)
    np.testing.assert_allclose(faded, wanted_scores, rtol=1e-5)
    assert 20 < len(indices) < 150


@methods
@pytest.mark.parametrize("kind", ["scattered", "piled", "sizes", "outliers", "far"])
@pytest.mark.parametrize("plus_one", [False, True])
def test_many_boxes_fade_the_same(method, kind, plus_one):
    """Thousands, of which only neighbours are asked; factors multiply in the order of choice all the same."""
    rng = np.random.default_rng(3)
    count = 1200
    size = np.exp(rng.uniform(-3, 6, (count, 2))) if kind == "sizes" else rng.uniform(8, 40, (count, 2))
    size[:: 100 if kind == "outliers" else count] = 1e7
    corner = rng.uniform(0, 1000, (count, 2))
    if kind == "piled":
        corner = corner[rng.integers(0, 8, count)] + rng.normal(0, 3, (count, 2)).round()
    corner[::7] += 3e7 if kind == "far" else 0
    boxes = np.concatenate([corner, corner + size], axis=1).astype(F)
    rule = {"method": method, "score_threshold": 0, "plus_one": plus_one}
    scores = rng.random(count, F)
    indices, faded = ops.soft_nms(boxes, scores, **rule)
    wanted, wanted_scores = fade_all(boxes, scores, method, plus_one)
    if method == "linear":
        np.testing.assert_array_equal(indices, wanted)
        np.testing.assert_array_equal(faded, wanted_scores)
    else:  # an exponential that rounds otherwise may change places with a neighbour
        np.testing.assert_allclose(faded, wanted_scores, rtol=1e-4, atol=1e-37)
        assert np.mean(indices == wanted) > 0.95


def fade_all(boxes, scores, method, plus_one):
    """The definition with the defaults' numbers, all boxes at once: each chosen one fades every other."""
    scores = scores.copy()
    waiting = np.ones(len(scores), bool)
    order = []
    while (waiting & (scores > 0)).any():
        best = int(np.argmax(np.where(waiting, scores, F(-1))))
        order.append(best)
        waiting[best] = False
        iou = reference.iou(boxes[best], boxes, plus_one)
        factor = np.where(iou > F(0.3), F(1) - iou, F(1)) if method == "linear" else np.exp(-(iou * iou) / F(0.5))
        scores = np.where(waiting & (iou > 0), scores * factor, scores)
    return order, scores[order]


def test_by_hand():
    boxes = np.array([[0, 0, 4, 4], [0, 0, 4, 2], [9, 9, 12, 12]], F)
    scores = np.array([0.9, 0.8, 0.6], F)
    indices, faded = ops.soft_nms(boxes, scores)
    np.testing.assert_array_equal(indices, [0, 2, 1])
    np.testing.assert_array_equal(faded, np.array([0.9, 0.6, 0.4], F))
    _, faded = ops.soft_nms(boxes, scores, method="gaussian", sigma=0.5)
    np.testing.assert_allclose(faded, [0.9, 0.6, 0.8 * np.exp(-0.5)], rtol=1e-6)


@methods
@given(crowded())
def test_scores_descend_and_stay_above_the_threshold(method, data):
    boxes, scores, class_ids = data
    indices, faded = ops.soft_nms(boxes, scores, method=method, score_threshold=0.25, class_ids=class_ids)
    assert (np.diff(faded) <= 0).all()
    assert (faded > 0.25).all()
    assert (faded <= scores[indices]).all()
    assert len(set(indices.tolist())) == len(indices)


def test_the_threshold_is_strict():
    boxes = np.array([[0, 0, 4, 4], [9, 9, 12, 12]], F)
    assert len(ops.soft_nms(boxes, np.array([0.5, 0.25], F), score_threshold=0.25)[0]) == 1


def test_what_is_not_finite_is_never_chosen():
    boxes = np.array([[0, 0, 4, 4], [np.nan, 0, 4, 4], [0, 0, np.inf, 4], [0, 0, 4, 4]], F)
    indices, _ = ops.soft_nms(boxes, np.array([np.inf, 0.9, 0.8, 0.7], F))
    np.testing.assert_array_equal(indices, [3])
    assert [len(part) for part in ops.soft_nms(np.zeros((0, 4), F), np.zeros(0, F))] == [0, 0]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("method", "cubic", "'linear' or 'gaussian'"),
        ("iou_threshold", 1.1, "a number from 0 to 1"),
        ("sigma", 0, "a number above 0"),
        ("score_threshold", -0.1, "a number from 0 to 1"),
        ("max_detections", -1, "a whole number from 0 up"),
    ],
)
def test_refuses_numbers(name, value, expected):
    with pytest.raises(ValueError, match=f"^{name}: expected {expected}, got .*; do "):
        ops.soft_nms(np.zeros((1, 4), F), np.zeros(1, F), **{name: value})
