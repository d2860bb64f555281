from __future__ import annotations

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edgedet import ops

F = np.float32
MEAN, STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
images = hnp.arrays(np.uint8, st.tuples(st.integers(0, 9), st.integers(0, 9), st.just(3)))
layouts = st.sampled_from(["chw", "hwc"])


@given(images, st.booleans(), layouts)
def test_equals_numpy_to_the_bit(image, swap_rb, layout):
    result = ops.normalize(image, MEAN, STD, swap_rb=swap_rb, layout=layout)
    assert result.dtype == F
    assert result.flags.c_contiguous
    np.testing.assert_array_equal(result, reference.normalize(image, MEAN, STD, swap_rb, layout))


def test_all_values_of_all_channels():
    image = np.repeat(np.arange(256, dtype=np.uint8), 3).reshape(16, 16, 3)
    np.testing.assert_array_equal(ops.normalize(image, MEAN, STD), reference.normalize(image, MEAN, STD))


@pytest.mark.parametrize(
    "view",
    [
        lambda a: a[3:17, 5:20],
        lambda a: a[::2, ::3],
        lambda a: a[::-1],
        lambda a: a[:, ::-1],
        lambda a: a[..., ::-1],
        lambda a: a.transpose(1, 0, 2),
        lambda a: np.asfortranarray(a),
        lambda a: np.broadcast_to(a[:1], a.shape),
    ],
)
@pytest.mark.parametrize("layout", ["chw", "hwc"])
def test_any_strides(view, layout):
    image = view(np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8))
    result = ops.normalize(image, MEAN, STD, layout=layout)
    np.testing.assert_array_equal(result, reference.normalize(image, MEAN, STD, layout=layout))


def test_mean_and_std_may_be_arrays():
    image = np.full((2, 2, 3), 7, np.uint8)
    both = ops.normalize(image, np.array(MEAN, F), np.array(STD, F))
    np.testing.assert_array_equal(both, ops.normalize(image, list(MEAN), list(STD)))


@pytest.mark.parametrize(("layout", "shape"), [("chw", (3, 4, 5)), ("hwc", (4, 5, 3))])
def test_out_is_filled_and_returned(layout, shape):
    image = np.random.default_rng(1).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    out = np.full(shape, np.nan, F)
    assert ops.normalize(image, MEAN, STD, layout=layout, out=out) is out
    np.testing.assert_array_equal(out, reference.normalize(image, MEAN, STD, layout=layout))


def read_only(array):
    array.flags.writeable = False
    return array


@pytest.mark.parametrize(
    "out",
    [
        np.empty((4, 5, 3), F),
        np.empty((3, 4, 5), np.float64),
        np.empty((3, 4, 10), F)[..., ::2],
        read_only(np.zeros((3, 4, 5), F)),
        [[0.0]],
    ],
)
def test_refuses_an_out_that_would_not_be_filled(out):
    with pytest.raises(ValueError, match=r"^out: expected \(3, 4, 5\) float32, C-contiguous and writable, got .*; do "):
        ops.normalize(np.zeros((4, 5, 3), np.uint8), MEAN, STD, out=out)


@pytest.mark.parametrize(
    ("name", "value"), [("std", (1, 0, 1)), ("std", (1, 1)), ("mean", (1, np.nan, 1)), ("layout", "nchw")]
)
def test_refuses_numbers(name, value):
    rule = {"mean": MEAN, "std": STD, name: value}
    with pytest.raises(ValueError, match=f"^{name}: expected .*, got .*; do "):
        ops.normalize(np.zeros((4, 5, 3), np.uint8), **rule)
