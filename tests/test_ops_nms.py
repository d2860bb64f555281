from __future__ import annotations

import time

import numpy as np
import pytest
import reference
from hypothesis import example, given
from hypothesis import strategies as st

from edgedet import ops

F = np.float32


def random_boxes(rng, count, side=100, most=40):
    corner = rng.uniform(0, side, (count, 2))
    return np.concatenate([corner, corner + rng.uniform(1, most, (count, 2))], axis=1).astype(F)


@st.composite
def crowded(draw):
    """Boxes on a small grid, empty and inverted ones among them, with few different scores: ties everywhere."""
    count = draw(st.integers(0, 40))
    corners = st.lists(st.integers(0, 6), min_size=4 * count, max_size=4 * count)
    few = st.lists(st.integers(-2, 2), min_size=count, max_size=count)
    boxes = np.array(draw(corners), F).reshape(count, 4)
    return boxes, np.array(draw(few), F), np.array(draw(few), np.int32)


thresholds = st.sampled_from([0.0, 0.25, 1 / 3, 0.5, 0.6, 1.0])


@given(crowded(), thresholds, st.booleans(), st.booleans(), st.none() | st.integers(0, 5))
def test_equals_the_reference(data, threshold, plus_one, classes, most):
    boxes, scores, class_ids = data
    kwargs = {"class_ids": class_ids if classes else None, "max_detections": most, "plus_one": plus_one}
    keep = ops.nms(boxes, scores, threshold, **kwargs)
    assert keep.dtype == np.int64
    np.testing.assert_array_equal(keep, reference.nms(boxes, scores, threshold, **kwargs))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("plus_one", [False, True])
def test_equals_the_reference_on_real_numbers(seed, plus_one):
    rng = np.random.default_rng(seed)
    boxes, scores = random_boxes(rng, 300), rng.random(300, F)
    for threshold in (0.2, 0.5, 0.7):
        keep = ops.nms(boxes, scores, threshold, plus_one=plus_one)
        np.testing.assert_array_equal(keep, reference.nms(boxes, scores, threshold, plus_one=plus_one))
        assert 0 < len(keep) < 300


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.6, 0.8])
@pytest.mark.parametrize("plus_one", [False, True])
def test_a_box_barely_over_the_threshold(seed, threshold, plus_one):
    """The second box is the first one, cut by bisection to where one step of its edge crosses the threshold."""
    rng = np.random.default_rng(seed)
    first = random_boxes(rng, 1)[0]
    scores = np.array([2, 1], F)

    def kept(second):
        return len(ops.nms(np.stack([first, second]), scores, threshold, plus_one=plus_one)) == 2

    low, high = first[0], first[2]  # right edges of the second box: IoU 0 (or little) and 1
    while np.nextafter(low, high) < high:
        middle = F((low + high) / 2)
        middle = np.nextafter(low, high) if middle in (low, high) else middle
        cut = first.copy()
        cut[2] = middle
        over = reference.iou(first, cut[None], plus_one)[0] > F(threshold)
        assert kept(cut) == (not over)
        low, high = (low, middle) if over else (middle, high)


def test_equality_is_not_over():
    boxes = np.array([[0, 0, 2, 2], [0, 0, 2, 1]], F)
    assert len(ops.nms(boxes, np.array([2, 1], F), 0.5)) == 2
    assert len(ops.nms(boxes, np.array([2, 1], F), np.nextafter(F(0.5), F(0)))) == 1


def test_ties_go_to_the_lower_index():
    boxes = np.tile(np.array([[0, 0, 4, 4]], F), (5, 1))
    np.testing.assert_array_equal(ops.nms(boxes, np.array([1, 3, 3, 3, 2], F), 0.5), [1])
    np.testing.assert_array_equal(ops.nms(boxes, np.array([0.0, -0.0, 0.0, -0.0, 0.0], F), 1.0), range(5))


def test_what_is_not_finite_never_survives():
    boxes = np.tile(np.array([[0, 0, 4, 4]], F), (6, 1))
    scores = np.arange(6, 0, -1).astype(F)
    boxes[0, 1], boxes[1, 2], scores[2], scores[3] = np.nan, -np.inf, np.nan, np.inf
    np.testing.assert_array_equal(ops.nms(boxes, scores, 0.5), [4])


def test_empty_boxes_neither_suppress_nor_are_suppressed():
    boxes = np.array([[2, 2, 2, 8], [2, 2, 2, 8], [9, 9, 1, 1], [0, 0, 9, 9], [3, 3, 3, 3]], F)
    np.testing.assert_array_equal(ops.nms(boxes, np.array([5, 4, 3, 2, 1], F), 0.0), range(5))


@given(crowded(), thresholds)
def test_classes_are_as_if_alone(data, threshold):
    boxes, scores, class_ids = data
    together = ops.nms(boxes, scores, threshold, class_ids=class_ids)
    for one in np.unique(class_ids):
        rows = np.flatnonzero(class_ids == one)
        alone = rows[ops.nms(boxes[rows], scores[rows], threshold)]
        np.testing.assert_array_equal([k for k in together if class_ids[k] == one], alone)


@given(crowded(), thresholds, st.integers(0, 10))
def test_a_cap_is_a_prefix(data, threshold, most):
    boxes, scores, class_ids = data
    everything = ops.nms(boxes, scores, threshold, class_ids=class_ids)
    capped = ops.nms(boxes, scores, threshold, class_ids=class_ids, max_detections=most)
    np.testing.assert_array_equal(capped, everything[:most])


@given(crowded(), thresholds)
@example((np.zeros((0, 4), F), np.zeros(0, F), np.zeros(0, np.int32)), 0.5)
def test_a_second_pass_changes_nothing(data, threshold):
    boxes, scores, _ = data
    keep = ops.nms(boxes, scores, threshold)
    np.testing.assert_array_equal(ops.nms(boxes[keep], scores[keep], threshold), range(len(keep)))


@pytest.mark.parametrize("kind", ["scattered", "crowded", "sizes", "sticks", "far", "tiny"])
@pytest.mark.parametrize("threshold", [0.0, 0.05, 0.3, 0.5, 0.7, 1.0])
@pytest.mark.parametrize("plus_one", [False, True])
def test_many_boxes_keep_the_same_list(kind, threshold, plus_one):
    """Thousands, so that only neighbours are asked; against a loop over kept boxes."""
    rng = np.random.default_rng(7)
    count = 1500
    side = {"crowded": 150, "far": 1e7, "tiny": 1e-3}.get(kind, 2000)
    size = rng.uniform(0.01, 0.03, (count, 2)) * side
    if kind == "sizes":
        size = np.exp(rng.uniform(-3, 7, (count, 2)))
    elif kind == "sticks":
        size = np.where(rng.random((count, 2)) < 0.5, 2, 400)
    corner = rng.uniform(-side, side, (count, 2))
    boxes = np.concatenate([corner, corner + size], axis=1).astype(F)
    boxes[::50, 2:] = boxes[::50, :2] - 1  # inverted ones
    scores = rng.random(count, F)
    keep = ops.nms(boxes, scores, threshold, plus_one=plus_one)
    np.testing.assert_array_equal(keep, loop_over_kept(boxes, scores, threshold, plus_one))
    assert len(keep) > 500 or kind != "scattered"


def loop_over_kept(boxes, scores, threshold, plus_one):
    order = np.argsort(-scores, kind="stable")
    kept = np.empty((0, 4), F)
    keep = []
    for i in order:
        if not (reference.iou(boxes[i], kept, plus_one) > F(threshold)).any():
            kept = np.concatenate([kept, boxes[i][None]])
            keep.append(i)
    return keep


@pytest.mark.parametrize("count", [1000, 1024, 3000])
def test_sorting_many_equals_sorting_few(count):
    """From some number on scores are sorted by digits: negative ones, zeros of both signs, ties, all magnitudes."""
    rng = np.random.default_rng(count)
    scores = rng.choice(np.array([-2, -1e-30, -0.0, 0.0, 1e-42, 1, 3e38, -3e38, 1.5, np.nan], F), count)
    scores[: count // 2] = rng.normal(0, 1, count // 2).astype(F)
    boxes = np.zeros((count, 4), F)  # empty: all are kept
    wanted = [i for i in np.argsort(-scores, kind="stable") if np.isfinite(scores[i])]
    np.testing.assert_array_equal(ops.nms(boxes, scores, 0.5), wanted)


def test_a_hundred_thousand_scattered_boxes_do_not_take_seconds():
    rng = np.random.default_rng(0)
    boxes, scores = random_boxes(rng, 100_000, side=10_000), rng.random(100_000, F)
    start = time.perf_counter()
    keep = ops.nms(boxes, scores, 0.5)
    assert time.perf_counter() - start < 2  # asking every kept box takes some ten times as long
    assert len(keep) > 90_000


@pytest.mark.parametrize("threshold", [-0.1, 1.1, np.nan])
def test_refuses_thresholds(threshold):
    with pytest.raises(ValueError, match=r"^iou_threshold: expected "):
        ops.nms(np.zeros((1, 4), F), np.zeros(1, F), threshold)


def test_refuses_a_negative_cap():
    with pytest.raises(ValueError, match=r"^max_detections: expected a whole number from 0 up, got -1; do "):
        ops.nms(np.zeros((1, 4), F), np.zeros(1, F), 0.5, max_detections=-1)
