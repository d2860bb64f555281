from __future__ import annotations

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st

from edgedet import ops

F = np.float32
I32 = np.int32


@st.composite
def maps_and_regions(draw):
    channels, height, width = (draw(st.integers(1, most)) for most in (5, 14, 14))
    features = np.random.default_rng(draw(st.integers(0, 99))).normal(0, 1, (channels, height, width)).astype(F)
    regions = []
    for _ in range(draw(st.integers(0, 4))):
        x0, y0 = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
        regions.append([x0, y0, draw(st.integers(x0 + 1, width)), draw(st.integers(y0 + 1, height))])
    return features, np.array(regions, I32).reshape(-1, 4)


levels = st.sampled_from([(6, 3, 2, 1), (1, 2, 3, 6), (4, 3, 2, 1), (1,), (5,), (4, 4, 2), (7, 3)])


@given(maps_and_regions(), levels)
def test_equals_the_reference(data, some_levels):
    features, regions = data
    pooled = ops.spp_pool(features, regions, some_levels)
    assert pooled.dtype == F
    np.testing.assert_array_equal(pooled, reference.spp_pool(features, regions, some_levels))


def test_order_is_level_channel_row_column():
    features = np.arange(8, dtype=F).reshape(2, 2, 2)
    pooled = ops.spp_pool(features, np.array([[0, 0, 2, 2]], I32), (2, 1))
    np.testing.assert_array_equal(pooled, [[0, 1, 2, 3, 4, 5, 6, 7, 3, 7]])


def test_the_published_windows_at_13_by_13():
    """At 13 cells the published pooling layers are: window 3 stride 2, 5 and 4, 7 and 6, 13 and 13."""
    features = np.random.default_rng(0).normal(0, 1, (4, 13, 13)).astype(F)
    published = []
    for window, stride in ((3, 2), (5, 4), (7, 6), (13, 13)):
        starts = range(0, 13 - window + 1, stride)
        for channel in features:
            published += [channel[y : y + window, x : x + window].max() for y in starts for x in starts]
    pooled = ops.spp_pool(features, np.array([[0, 0, 13, 13]], I32))
    np.testing.assert_array_equal(pooled[0], published)


def test_many_channels():
    rng = np.random.default_rng(3)
    features = rng.normal(0, 1, (67, 9, 11)).astype(F)
    regions = np.array([[0, 0, 11, 9], [2, 3, 10, 5], [10, 8, 11, 9]], I32)
    np.testing.assert_array_equal(ops.spp_pool(features, regions), reference.spp_pool(features, regions))


@pytest.mark.parametrize("some_levels", [(6, 3, 2, 1), (1, 7, 2, 5), (2, 2)])
def test_large_and_small_regions_of_a_large_map(some_levels):
    rng = np.random.default_rng(11)
    features = rng.normal(0, 1, (35, 33, 70)).astype(F)
    corners = np.sort(rng.integers(0, [[70, 33], [70, 33]], (40, 2, 2)), axis=1)
    regions = np.concatenate([corners[:, 0], corners[:, 1] + 1], axis=1).astype(I32)
    np.testing.assert_array_equal(
        ops.spp_pool(features, regions, some_levels), reference.spp_pool(features, regions, some_levels)
    )


@pytest.mark.parametrize("dtype", [F, np.float16])
def test_fills_the_array_that_is_given(dtype):
    features = np.random.default_rng(2).normal(0, 1, (70, 9, 11)).astype(dtype)
    regions = np.array([[0, 0, 11, 9], [2, 3, 10, 5], [0, 0, 11, 9]], I32)
    expected = ops.spp_pool(features, regions)
    room = np.zeros(5 * expected.shape[1] + 1, dtype)
    for first in (0, 1):  # however it lies in memory
        rows = room[first : first + 5 * expected.shape[1]].reshape(5, -1)
        rows[:] = 7
        assert ops.spp_pool(features, regions, out=rows[1:4]).base is not None
        np.testing.assert_array_equal(rows[1:4], expected)
        assert (rows[[0, 4]] == 7).all()


@pytest.mark.parametrize(
    "out",
    [[0.0], np.zeros((2, 6), F), np.zeros((1, 6), np.float16), np.zeros((2, 6), F).T[:1], np.zeros((6, 1), F).T[::-1]],
)
def test_refuses_an_array_that_cannot_take_the_result(out):
    with pytest.raises(ValueError, match=r"^out: expected \(1, 10\) float32, C-contiguous and writable, got .*; do "):
        ops.spp_pool(np.zeros((2, 2, 2), F), np.array([[0, 0, 1, 1]], I32), (2, 1), out=out)


def test_nan_wins_its_bin_and_no_other():
    features = np.random.default_rng(5).normal(0, 1, (3, 6, 6)).astype(F)
    features[1, 2, 3] = np.nan
    regions = np.array([[0, 0, 6, 6], [0, 0, 3, 6]], I32)
    pooled = ops.spp_pool(features, regions)
    np.testing.assert_array_equal(pooled, reference.spp_pool(features, regions))
    assert np.isnan(pooled[0]).sum() == 4
    assert not np.isnan(pooled[1]).any()


@pytest.mark.parametrize("channels", [1, 5, 130])
@pytest.mark.parametrize("some_levels", [(6, 3, 2, 1), (4, 3), (1,)])
def test_float16_is_pooled_as_its_float32(channels, some_levels):
    features = np.random.default_rng(channels).normal(0, 1, (channels, 9, 11)).astype(np.float16)
    features.flat[:5] = [np.inf, -np.inf, 6e-8, -6e-8, -0.0]
    features[0, 4, 4], features[0, 7, 9] = np.nan, -np.nan
    regions = np.array([[0, 0, 11, 9], [2, 3, 10, 5], [0, 0, 1, 1], [4, 4, 5, 5], [7, 6, 11, 9]], I32)
    pooled = ops.spp_pool(features, regions, some_levels)
    assert pooled.dtype == np.float16
    np.testing.assert_array_equal(pooled, ops.spp_pool(features.astype(F), regions, some_levels).astype(np.float16))


@pytest.mark.parametrize("threads", [1, 2, 3, 64])
@pytest.mark.parametrize("dtype", [F, np.float16])
def test_threads_and_regions_that_come_again(threads, dtype):
    rng = np.random.default_rng(1)
    features = rng.normal(0, 1, (70, 9, 11)).astype(dtype)
    kinds = np.array([[0, 0, 11, 9], [2, 3, 10, 5], [10, 8, 11, 9], [0, 0, 11, 8]], I32)
    regions = kinds[rng.integers(0, 4, 31)]
    pooled = ops.spp_pool(features, regions, threads=threads)
    np.testing.assert_array_equal(pooled, np.concatenate([ops.spp_pool(features, one[None]) for one in regions]))
    assert ops.spp_pool(features, regions[:0], threads=threads).shape == (0, 70 * 50)


def test_refuses_threads():
    with pytest.raises(ValueError, match=r"^threads: expected a whole number from 1 up, got 0; do "):
        ops.spp_pool(np.zeros((1, 2, 2), F), np.array([[0, 0, 1, 1]], I32), threads=0)


def test_infinities_are_numbers():
    features = np.full((1, 2, 2), -np.inf, F)
    assert ops.spp_pool(features, np.array([[0, 0, 2, 2]], I32), (1,))[0, 0] == -np.inf


@pytest.mark.parametrize(
    "region", [(-1, 0, 1, 1), (0, -1, 1, 1), (0, 0, 6, 1), (0, 0, 1, 5), (2, 0, 2, 1), (0, 2, 1, 2), (3, 0, 2, 1)]
)
def test_names_a_region_that_is_wrong(region):
    features = np.zeros((2, 4, 5), F)
    regions = np.array([(0, 0, 5, 4), (0, 0, 1, 1), region], I32)
    with pytest.raises(ValueError, match=r"^regions: expected 0 <= x0 < x1 <= 5 and .*, got region 2 = \("):
        ops.spp_pool(features, regions)


@pytest.mark.parametrize("wrong", [(), (0,), (2, -1), (70000,)])
def test_refuses_levels(wrong):
    with pytest.raises(ValueError, match=r"^levels: expected .*, got .*; do "):
        ops.spp_pool(np.zeros((1, 2, 2), F), np.array([[0, 0, 1, 1]], I32), wrong)
