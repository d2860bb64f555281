from __future__ import annotations

import math

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st

from edgedet import ops

F = np.float32


def raw_output(seed, count=300, columns=6, low=-8.0, high=4.0):
    """Random anchors and deltas; logits spread and shuffled, so that no two scores are nearly equal."""
    rng = np.random.default_rng(seed)
    deltas = rng.normal(0, 1, (count, 4)).astype(F)
    anchors = np.concatenate([rng.random((count, 2)), rng.uniform(0.1, 0.4, (count, 2))], axis=1).astype(F)
    # Not evenly, or differences, which are what softmax sees, would be equal again and again.
    spread = low + (high - low) * np.linspace(0, 1, count * columns) ** 1.37
    return deltas, rng.permutation(spread).astype(F).reshape(count, columns), anchors


def check(raw, **rule):
    deltas, logits, anchors = raw
    found = ops.detect(deltas, logits, anchors, **rule)
    boxes = ops.decode_boxes(deltas, anchors)
    wanted = reference.detect(boxes, logits, **rule)
    assert [a.dtype for a in found] == [np.float32, np.float32, np.int32]
    np.testing.assert_array_equal(found[2], wanted[2])
    np.testing.assert_array_equal(found[0], wanted[0])
    np.testing.assert_allclose(found[1], wanted[1], rtol=5e-7)
    return found


COMMON = {"image_wh": (640, 480), "score_threshold": 0.3, "iou_threshold": 0.5}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
@pytest.mark.parametrize("background", [0, 3, 5, None])
@pytest.mark.parametrize("plus_one", [False, True])
def test_equals_the_steps_one_by_one(seed, activation, background, plus_one):
    rule = {"activation": activation, "background": background, "plus_one": plus_one}
    _, scores, class_ids = check(raw_output(seed), **COMMON, **rule)
    assert len(scores) > 20
    assert set(class_ids) == set(range(6 if background is None else 5))


@pytest.mark.parametrize("seed", range(5))
def test_equals_the_published_evaluation(seed):
    """81 columns and the published numbers, against the published loop in its own float32 arithmetic."""
    deltas, logits, anchors = raw_output(seed, count=400, columns=81, low=-12, high=-1)
    h, w = F(427), F(640)
    boxes, scores, class_ids = ops.detect(
        deltas, logits, anchors, image_wh=(w, h), score_threshold=0.1, iou_threshold=0.6, plus_one=True
    )
    activated = reference.sigmoid(logits.astype(np.float64)).astype(F)
    corners = ops.decode_boxes(deltas, anchors)[:, [1, 0, 3, 2]]
    published = reference.published_detect(corners, activated, np.array([h, w]))
    assert len(published) > 500
    for one in range(80):
        theirs = [(box, score) for box, score, class_id, _ in published if class_id == one]
        ours = class_ids == one
        np.testing.assert_array_equal(boxes[ours], np.array([box for box, _ in theirs]).reshape(-1, 4))
        np.testing.assert_allclose(scores[ours], [score for _, score in theirs], rtol=5e-7)


@pytest.mark.parametrize("columns", [1, 2, 3, 7, 8, 9, 33])
@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
def test_any_number_of_columns(columns, activation):
    check(raw_output(columns, columns=columns), **COMMON, activation=activation, background=None)
    check(raw_output(columns, columns=columns), **COMMON, activation=activation, background=columns - 1)


@given(st.integers(0, 2**16), st.integers(0, 6), st.none() | st.integers(0, 12))
def test_caps_per_class_then_overall(seed, per_class, overall):
    rule = {"max_per_class": per_class, "max_detections": overall}
    _, _, class_ids = check(raw_output(seed, count=60), **COMMON, **rule)
    assert len(class_ids) <= (30 if overall is None else overall)
    assert np.bincount(class_ids, minlength=5).max() <= per_class


def test_order_is_score_then_class_then_anchor():
    anchors = np.array([[0.5, x, 0.5, 0.05] for x in (0.9, 0.1, 0.5)], F)
    logits = np.array([[9, 1, 1], [9, 1, 1], [9, 1, 2]], F)
    boxes, scores, class_ids = ops.detect(np.zeros((3, 4), F), logits, anchors, **COMMON)
    np.testing.assert_array_equal(class_ids, [1, 0, 0, 0, 1, 1])
    np.testing.assert_allclose(boxes[:, 0], 640 * (np.array([0.5, 0.9, 0.1, 0.5, 0.9, 0.1]) - 0.025), rtol=1e-5)
    assert (np.diff(scores) <= 0).all()


@pytest.mark.parametrize("threshold", [0.05, 0.1, 0.3, 0.5, 0.9, 0.999])
def test_the_threshold_is_strict_to_the_last_bit(threshold):
    exact = math.log(threshold / (1 - threshold))
    near = F(exact)
    ladder = [near]
    for _ in range(3):
        ladder = [np.nextafter(ladder[0], F(-np.inf)), *ladder, np.nextafter(ladder[-1], F(np.inf))]
    logits = np.array(ladder, F)[:, None]
    anchors = np.array([[0.5, (i + 0.5) / 10, 0.5, 0.05] for i in range(7)], F)
    rule = {**COMMON, "score_threshold": threshold, "background": None}
    boxes, _, _ = ops.detect(np.zeros((7, 4), F), logits, anchors, **rule)
    passed = np.zeros(7, bool)
    passed[np.round(boxes[:, 0] / 64 - 0.25).astype(int)] = True
    np.testing.assert_array_equal(passed, logits[:, 0].astype(np.float64) > exact)
    assert 0 < passed.sum() < 7


@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
def test_thresholds_at_and_beyond_the_ends(activation):
    deltas, logits, anchors = raw_output(1, count=20, columns=3, low=-60, high=60)
    rule = {**COMMON, "activation": activation, "background": None, "iou_threshold": 1.0}
    for low in (0, -1):
        scores = ops.detect(deltas, logits, anchors, **{**rule, "score_threshold": low})[1]
        assert len(scores) == 60
    for high in (1, 2):
        boxes, scores, class_ids = ops.detect(deltas, logits, anchors, **{**rule, "score_threshold": high})
        assert (boxes.shape, scores.shape, class_ids.shape) == ((0, 4), (0,), (0,))


def test_sigmoid_drops_what_is_not_finite_entry_by_entry():
    logits = np.array([[0, np.nan, 1], [0, np.inf, 2], [0, -np.inf, 3]], F)
    anchors = np.array([[0.5, x, 0.5, 0.1] for x in (0.2, 0.5, 0.8)], F)
    found = ops.detect(np.zeros((3, 4), F), logits, anchors, **{**COMMON, "score_threshold": 0})
    np.testing.assert_array_equal(found[2], [1, 1, 1])


def test_softmax_drops_rows_that_overflowed():
    logits = np.array([[0, np.nan, 9], [0, np.inf, 9], [0, -np.inf, 9], [-np.inf] * 3], F)
    anchors = np.array([[0.5, x, 0.5, 0.1] for x in (0.2, 0.4, 0.6, 0.8)], F)
    rule = {**COMMON, "score_threshold": 0, "activation": "softmax"}
    boxes, _, class_ids = ops.detect(np.zeros((4, 4), F), logits, anchors, **rule)
    np.testing.assert_array_equal(class_ids, [1])
    np.testing.assert_allclose(boxes[0, 0], 640 * 0.55, rtol=1e-6)


@given(st.floats(-12, 12, width=32), st.floats(-12, 12, width=32), st.floats(0.01, 0.99))
def test_softmax_refuses_no_row_that_passes(background, logit, threshold):
    """Rows are refused early by a bound: for two columns it is the score itself, so that the bound is tight."""
    score = float(reference.softmax(np.array([[background, logit]], np.float64))[0, 1])
    if abs(score - threshold) < 1e-6:
        return
    rule = {**COMMON, "score_threshold": threshold, "activation": "softmax"}
    anchors = np.array([[0.5, 0.5, 0.1, 0.1]], F)
    found = ops.detect(np.zeros((1, 4), F), np.array([[background, logit]], F), anchors, **rule)[1]
    assert len(found) == (score > threshold)


def test_boxes_that_are_not_finite_are_dropped_and_overflowed_sizes_are_clipped():
    deltas = np.zeros((3, 4), F)
    deltas[0, 0], deltas[1, 2] = np.nan, 1e6
    anchors = np.array([[0.5, x, 0.5, 0.1] for x in (0.2, 0.5, 0.8)], F)
    logits = np.array([[3], [2], [1]], F)
    boxes, scores, _ = ops.detect(deltas, logits, anchors, **COMMON, background=None)
    assert len(scores) == 2
    np.testing.assert_allclose(boxes[0], [288, 0, 352, 480], rtol=1e-6)


def test_boxes_may_leave_the_image_when_not_clipped():
    anchors = np.array([[0.5, 0.0, 0.5, 0.5]], F)
    arguments = (np.zeros((1, 4), F), np.ones((1, 1), F), anchors)
    rule = {**COMMON, "background": None}
    np.testing.assert_array_equal(ops.detect(*arguments, **rule)[0], [[0, 120, 160, 360]])
    np.testing.assert_array_equal(ops.detect(*arguments, **rule, clip=False)[0], [[-160, 120, 160, 360]])


def test_images_need_not_be_whole_pixels():
    anchors = np.array([[0.5, 0.5, 1, 1]], F)
    rule = {**COMMON, "image_wh": (12.5, 7.25), "background": None}
    boxes, _, _ = ops.detect(np.zeros((1, 4), F), np.ones((1, 1), F), anchors, **rule)
    np.testing.assert_array_equal(boxes, [[0, 0, 12.5, 7.25]])


def equal(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other))


activations = pytest.mark.parametrize("activation", ["sigmoid", "softmax"])


@activations
@pytest.mark.parametrize("background", [0, 6, None])
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_column_by_column_is_the_same(activation, background, dtype):
    deltas, logits, anchors = raw_output(2, count=2500, columns=7)
    logits, deltas = logits.astype(dtype), deltas.astype(dtype)
    rule = {**COMMON, "activation": activation, "background": background}
    by_row = ops.detect(deltas, logits, anchors, **rule)
    by_column = ops.detect(deltas.T.copy().T, logits.T.copy().T, anchors, **rule)
    assert equal(by_row, by_column)
    assert len(by_row[1]) > 20


@activations
@pytest.mark.parametrize("columns", [1, 5, 81])
def test_float16_is_the_same_as_its_float32(activation, columns):
    deltas, logits, anchors = raw_output(3, columns=columns)
    deltas, logits = deltas.astype(np.float16), logits.astype(np.float16)
    logits.flat[:6] = [np.nan, np.inf, -np.inf, 65504, 6e-8, -0.0][: min(6, logits.size)]
    rule = {**COMMON, "activation": activation, "background": None}
    assert equal(
        ops.detect(deltas, logits, anchors, **rule), ops.detect(deltas.astype(F), logits.astype(F), anchors, **rule)
    )


@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")
def test_every_float16_is_widened_exactly():
    every = np.arange(2**16, dtype=np.uint16).view(np.float16)
    anchors = np.tile(np.array([[0.5, 0.5, 1, 1]], F), (2**16, 1))
    rule = {**COMMON, "score_threshold": 0, "background": None, "iou_threshold": 1.0, "max_per_class": None}
    zeros = np.zeros((2**16, 4), F)
    found = ops.detect(zeros, every[:, None], anchors, **rule)
    assert equal(found, ops.detect(zeros, every[:, None].astype(F), anchors, **rule))
    assert len(found[1]) == np.isfinite(every).sum()


@activations
def test_levels_are_as_if_joined(activation):
    deltas, logits, anchors = raw_output(4)
    cuts = [0, 17, 17, 200, 300]
    parts = [slice(a, b) for a, b in zip(cuts, cuts[1:])]
    rule = {**COMMON, "activation": activation}
    mixed = [logits[part] if i % 2 else logits[part].T.copy().T for i, part in enumerate(parts)]
    assert equal(
        ops.detect([deltas[part] for part in parts], mixed, anchors, **rule),
        ops.detect(deltas, logits, anchors, **rule),
    )


def test_refuses_levels_that_do_not_fit():
    deltas, logits, anchors = raw_output(0)
    for wrong in ([logits], [], [logits[:9], logits[10:]], [logits[:9], logits[9:, :2]]):
        with pytest.raises(ValueError, match=r"^logits(\[1\])?: expected .*, got .*; do give "):
            ops.detect([deltas[:9], deltas[9:]], wrong, anchors, **COMMON)
    with pytest.raises(
        ValueError, match=r"^logits\[0\]: expected \(N, C\) float16 or float32, got \(300, 6\) float64; do "
    ):
        ops.detect([deltas], [logits.astype(np.float64)], anchors, **COMMON)


@activations
@pytest.mark.parametrize("limits", [(7, None), (None, 40), (9, 30), (0, None), (None, 0)])
@pytest.mark.parametrize("turned", [False, True])
def test_candidates_are_the_best_of_each_class_and_of_all(activation, limits, turned):
    deltas, logits, anchors = raw_output(6, count=400)
    logits[::3] = logits[0]  # ties
    per_class, overall = limits
    order = logits if activation == "sigmoid" else reference.softmax(logits.astype(np.float64)).astype(F)
    kept = np.zeros(logits.shape, bool)
    ranked = sorted((-order[i, c], c, i) for i in range(len(logits)) for c in range(1, 6))
    for _, c, i in ranked:
        if (per_class is None or kept[:, c].sum() < per_class) and (overall is None or kept.sum() < overall):
            kept[i, c] = True
    rule = {**COMMON, "activation": "sigmoid", "score_threshold": 0.01}
    given = logits if activation == "sigmoid" else np.log(order / (1 - order)).astype(F)
    wanted = ops.detect(deltas, np.where(kept, given, F(-99)), anchors, **rule)
    rule |= {"activation": activation, "max_candidates_per_class": per_class, "max_candidates": overall}
    found = ops.detect(deltas, logits.T.copy().T if turned else logits, anchors, **rule)
    np.testing.assert_array_equal(found[2], wanted[2])
    np.testing.assert_array_equal(found[0], wanted[0])


def test_a_low_threshold_is_bounded_by_the_candidates():
    """A million entries pass: what is kept while scanning is cut down again and again."""
    rng = np.random.default_rng(8)
    logits = rng.permutation(np.linspace(-9, 3, 20_000 * 50)).astype(F).reshape(20_000, 50)
    deltas, anchors = np.zeros((20_000, 4), F), rng.uniform(0.01, 0.9, (20_000, 4)).astype(F)
    rule = {**COMMON, "score_threshold": 0.0, "background": None, "max_per_class": None, "iou_threshold": 1.0}
    found = ops.detect(deltas, logits, anchors, **rule, max_candidates_per_class=100, max_candidates=2000)
    best = np.sort(logits, axis=0)[-100:].ravel()
    np.testing.assert_allclose(found[1], reference.sigmoid(np.sort(best)[::-1][:2000].astype(np.float64)), rtol=5e-7)


@pytest.mark.parametrize("limits", [(100, None), (None, 1500), (100, 1500)])
def test_ties_among_very_many_go_to_the_lower_class_and_anchor(limits):
    """What can't win any more is let go while scanning: what ties with the worst that is kept may still win."""
    rng = np.random.default_rng(9)
    logits = rng.integers(-4, 4, (6_000, 50)).astype(F)
    logits[:1000] -= 3  # the best come late
    deltas, anchors = np.zeros((6_000, 4), F), rng.uniform(0.01, 0.9, (6_000, 4)).astype(F)
    rule = {**COMMON, "score_threshold": 0.0, "background": None, "max_per_class": None, "iou_threshold": 1.0}
    per_class, overall = limits
    rows = np.argsort(-logits, axis=0, kind="stable")[:per_class].T  # (C, n)
    ids = np.broadcast_to(np.arange(50)[:, None], rows.shape)
    order = np.lexsort((rows.ravel(), ids.ravel(), -logits[rows, ids].ravel()))[:overall]
    found = ops.detect(deltas, logits, anchors, **rule, max_candidates_per_class=per_class, max_candidates=overall)
    np.testing.assert_array_equal(found[2], ids.ravel()[order])
    every = ops.detect(deltas, np.ones((6_000, 1), F), anchors, **rule)[0]  # one class, all tied: in order of anchors
    np.testing.assert_array_equal(found[0], every[rows.ravel()[order]])


def test_nothing_in_nothing_out():
    empty = np.zeros((0, 4), F)
    boxes, scores, class_ids = ops.detect(empty, np.zeros((0, 81), F), empty, **COMMON)
    assert (boxes.shape, scores.shape, class_ids.shape) == ((0, 4), (0,), (0,))


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("image_wh", (0, 5), "a number above 0"),
        ("image_wh", (640, np.inf), "a finite number"),
        ("image_wh", (640,), "2 numbers"),
        ("score_threshold", np.nan, "a finite number"),
        ("iou_threshold", 1.5, "a number from 0 to 1"),
        ("activation", "relu", "'sigmoid' or 'softmax'"),
        ("background", 6, "a column of logits, below 6"),
        ("background", -1, "a whole number from 0 up"),
        ("max_per_class", -1, "a whole number from 0 up"),
    ],
)
def test_refuses_numbers(name, value, expected):
    with pytest.raises(ValueError, match=f"^{name}: expected {expected}, got .*; do "):
        ops.detect(*raw_output(0), **{**COMMON, name: value})
