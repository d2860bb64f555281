"""The solvers on problems whose answers are known."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgedet import ops
from edgedet.errors import ConversionError
from edgedet_converters import region_svm as solvers


def rows(*values: tuple[float, ...]) -> np.ndarray:
    return np.array(values, np.float32)


def test_the_widest_margin_between_two_points() -> None:
    pytest.importorskip("sklearn")
    # (±10, 0): the plane halfway, margins of ±1.
    weights, bias = solvers.fit_svm(rows((10, 0)), rows((-10, 0)), c=1.0)
    np.testing.assert_allclose(weights, [0.1, 0], atol=1e-3)
    assert bias == pytest.approx(0, abs=1e-2)


def test_a_positive_counts_twice() -> None:
    pytest.importorskip("sklearn")
    rng = np.random.default_rng(0)
    one, other = (rng.normal(shift, 2, (2000, 1)).astype(np.float32) for shift in (1, -1))
    weights, bias = solvers.fit_svm(one, other, c=1.0)
    mistakes = [float(wrong.mean()) for wrong in (one @ weights + bias < 0, other @ weights + bias > 0)]
    # Equal weights would put the plane halfway, with 31 % of both on the wrong side.
    assert mistakes[0] < 0.25 and mistakes[1] > 0.37


def test_platts_sigmoid_is_the_share_of_right_ones() -> None:
    pytest.importorskip("sklearn")
    rng = np.random.default_rng(0)
    margins = rng.normal(0, 2, 20_000)
    targets = rng.random(20_000) < 1 / (1 + np.exp(-(1.7 * margins - 2.5)))
    slope, shift = solvers.fit_sigmoid(margins, targets)
    assert slope == pytest.approx(1.7, rel=0.05) and shift == pytest.approx(-2.5, rel=0.05)


def test_platts_sigmoid_where_there_is_nothing_to_fit() -> None:
    pytest.importorskip("sklearn")
    margins = np.array([-1.0, 1.0])
    assert solvers.fit_sigmoid(margins, np.array([True, True])) == (1.0, 0.0)
    slope, shift = solvers.fit_sigmoid(np.linspace(-1, 1, 40), np.arange(40) < 20)
    assert (slope, shift) == (1.0, 0.0)  # it would turn the order around
    slope, shift = solvers.fit_sigmoid(np.array([-9.0, -8.0, 8.0, 9.0]), np.array([False, False, True, True]))
    assert 0 < slope < 10 and abs(shift) < 10


def test_the_regression_finds_what_is_there() -> None:
    pytest.importorskip("sklearn")
    rng = np.random.default_rng(1)
    features, truth = rng.normal(0, 5, (200, 6)).astype(np.float32), rng.normal(0, 0.02, (4, 6))
    deltas = (features @ truth.T + [0.1, 0.2, 0.3, 0.4]).astype(np.float32)
    weights, bias = solvers.fit_boxes(features, deltas, ridge=5e-6)
    np.testing.assert_allclose(weights, truth, atol=1e-5)
    np.testing.assert_allclose(bias, [0.1, 0.2, 0.3, 0.4], atol=1e-5)
    small, _ = solvers.fit_boxes(features, deltas, ridge=5e3)
    assert np.abs(small).max() < np.abs(weights).max() / 10


sides = st.tuples(st.floats(0, 0.8), st.floats(0, 0.8), st.floats(0.05, 0.2), st.floats(0.05, 0.2))


@given(st.lists(st.tuples(sides, sides), min_size=1, max_size=8))
def test_deltas_are_what_decode_boxes_undoes(pairs: list[tuple[tuple[float, ...], tuple[float, ...]]]) -> None:
    regions, things = (np.array([(x, y, x + w, y + h) for x, y, w, h in column], np.float32) for column in zip(*pairs))
    deltas = solvers.box_deltas(regions, things)
    size = regions[:, 2:] - regions[:, :2]
    anchors = np.concatenate([(regions[:, :2] + size / 2)[:, ::-1], size[:, ::-1]], axis=1)
    decoded = ops.decode_boxes(deltas, np.ascontiguousarray(anchors), variances=(1.0, 1.0))
    np.testing.assert_allclose(decoded, things, atol=1e-5)


def test_without_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(ConversionError, match="expected the package scikit-learn, got none; do pip"):
        solvers.check_installed()
