from __future__ import annotations

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edgedet import ops

F = np.float32


def rows_of_4(low, high):
    elements = st.floats(low, high, width=32)
    return st.integers(0, 12).flatmap(lambda n: hnp.arrays(F, (n, 4), elements=elements))


@given(rows_of_4(-8, 8), st.booleans())
def test_matches_the_formula(deltas, clip):
    anchors = np.random.default_rng(len(deltas)).uniform(0.01, 1, deltas.shape).astype(F)
    boxes = ops.decode_boxes(deltas, anchors, clip=clip)
    assert boxes.dtype == F
    np.testing.assert_allclose(boxes, reference.decode_boxes(deltas, anchors, clip=clip), rtol=1e-6, atol=2e-6)


@given(rows_of_4(0.0625, 1))
def test_zero_deltas_give_the_anchors(anchors):
    boxes = ops.decode_boxes(np.zeros_like(anchors), anchors, clip=False)
    cy, cx, h, w = anchors.T
    np.testing.assert_array_equal(boxes, np.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], axis=1))


def test_y_first_ends_here():
    anchors = np.array([[0.5, 0.25, 0.5, 0.125]], F)  # cy cx h w
    np.testing.assert_array_equal(
        ops.decode_boxes(np.zeros((1, 4), F), anchors), np.array([[0.1875, 0.25, 0.3125, 0.75]], F)
    )
    moved_down = ops.decode_boxes(np.array([[1, 0, 0, 0]], F), anchors, variances=(0.25, 1))
    np.testing.assert_array_equal(moved_down, np.array([[0.1875, 0.375, 0.3125, 0.875]], F))


def test_variances_scale_centre_and_size():
    deltas = np.array([[1, -2, 0.5, -0.5]], F)
    anchors = np.array([[0.5, 0.5, 0.25, 0.25]], F)
    np.testing.assert_allclose(
        ops.decode_boxes(deltas, anchors, variances=(0.3, 0.7)),
        reference.decode_boxes(deltas, anchors, variances=(0.3, 0.7)),
        rtol=1e-6,
    )


def test_overflow_clips_and_nan_stays():
    anchors = np.full((3, 4), 0.5, F)
    deltas = np.zeros((3, 4), F)
    deltas[0, 2:] = 1e6
    deltas[1, 0] = np.nan
    deltas[2, 3] = np.nan
    boxes = ops.decode_boxes(deltas, anchors)
    np.testing.assert_array_equal(boxes[0], [0, 0, 1, 1])
    np.testing.assert_array_equal(np.isnan(boxes[1]), [False, True, False, True])
    np.testing.assert_array_equal(np.isnan(boxes[2]), [True, False, True, False])
    assert np.isinf(ops.decode_boxes(deltas, anchors, clip=False)[0]).all()


def test_size_is_within_two_ulp_of_the_true_exponential():
    th = np.linspace(-86, 88, 200_001).astype(F)
    deltas = np.zeros((len(th), 4), F)
    deltas[:, 2] = th
    anchors = np.zeros((len(th), 4), F)
    anchors[:, 2] = 1
    half = ops.decode_boxes(deltas, anchors, variances=(1, 1), clip=False)[:, 3].astype(np.float64)
    truth = np.exp(th.astype(np.float64)) / 2
    assert (np.abs(half - truth) / np.spacing(truth.astype(F))).max() < 2


@pytest.mark.parametrize("variances", [(0, 0.2), (0.1, -1), (0.1, np.inf), (0.1,), (0.1, 0.2, 0.3)])
def test_refuses_variances(variances):
    with pytest.raises(ValueError, match=r"^variances: expected .*, got .*; do "):
        ops.decode_boxes(np.zeros((1, 4), F), np.zeros((1, 4), F), variances=variances)
