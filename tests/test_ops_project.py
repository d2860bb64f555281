from __future__ import annotations

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st

from edgedet import ops

F = np.float32
# Quarters are exact in every step, so that the reference's comparisons and the kernel's divisions agree.
quarters = st.integers(-400, 1600).map(lambda n: n / 4)


@given(
    st.lists(st.tuples(quarters, quarters, quarters, quarters), max_size=20),
    st.tuples(st.sampled_from([1, 2, 8, 16]), st.sampled_from([4, 16, 32])),
    st.tuples(st.integers(-8, 20), st.integers(-8, 20)),
    st.tuples(st.integers(1, 20), st.integers(1, 20)),
)
def test_equals_asking_every_cell(boxes, stride, offset, feature_wh):
    boxes = np.array(boxes, F).reshape(-1, 4)
    regions = ops.project_regions(boxes, stride=stride, offset=offset, feature_wh=feature_wh)
    assert regions.dtype == np.int32
    np.testing.assert_array_equal(regions, reference.project_regions(boxes, stride, offset, feature_wh))


@given(st.lists(st.tuples(*[st.floats(-(2.0**99), 2.0**99, width=32)] * 4), min_size=1, max_size=10))
def test_every_region_can_be_pooled(boxes):
    regions = ops.project_regions(np.array(boxes, F), stride=16, offset=11, feature_wh=(13, 9))
    ops.spp_pool(np.zeros((1, 9, 13), F), regions)


def test_the_papers_formula_without_offset():
    """He et al. 2015: left and top floor(x / S) + 1, right and bottom ceil(x / S) − 1, both inclusive."""
    boxes = np.array([[20, 33, 100, 90]], F)
    regions = ops.project_regions(boxes, stride=16, offset=0, feature_wh=(20, 20))
    np.testing.assert_array_equal(regions, [[20 // 16 + 1, 33 // 16 + 1, 7, 6]])


@pytest.mark.parametrize(("size", "offset", "cells"), [(224, 11, 13), (180, 15, 10)])
def test_the_whole_image_is_the_whole_map(size, offset, cells):
    """SPPNet's trunk at its two training sizes."""
    boxes = np.array([[0, 0, size, size]], F)
    regions = ops.project_regions(boxes, stride=16, offset=offset, feature_wh=(cells, cells))
    np.testing.assert_array_equal(regions, [[0, 0, cells, cells]])


def test_a_number_stands_for_a_pair():
    boxes = np.array([[3, 50, 90, 170]], F)
    pair = ops.project_regions(boxes, stride=(16, 16), offset=(11, 11), feature_wh=(13, 13))
    np.testing.assert_array_equal(ops.project_regions(boxes, stride=16, offset=11, feature_wh=(13, 13)), pair)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_names_a_box_that_is_not_finite(bad):
    boxes = np.zeros((3, 4), F)
    boxes[2, 3] = bad
    with pytest.raises(ValueError, match=r"^boxes: expected finite corners, got .* in box 2; do "):
        ops.project_regions(boxes, stride=16, offset=0, feature_wh=(5, 5))


@pytest.mark.parametrize(
    ("name", "value"),
    [("stride", 0), ("stride", (16, -1)), ("offset", np.nan), ("feature_wh", (0, 5)), ("feature_wh", (5, 2**31))],
)
def test_refuses_numbers(name, value):
    rule = {"stride": 16, "offset": 0, "feature_wh": (5, 5), name: value}
    with pytest.raises(ValueError, match=f"^{name}: expected .*, got .*; do "):
        ops.project_regions(np.zeros((1, 4), F), **rule)
