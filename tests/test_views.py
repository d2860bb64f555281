"""Scales, sizes and windows of regions, without a network."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgedet.heads import MAX_SIDE
from edgedet.spec import SppHead, TrunkLayer
from edgedet.views import MAX_PIXELS, PAPER_SCALES, View, nearest_scales, resized_wh

# The published trunk's windows.
SPPNET = tuple(
    TrunkLayer(kernel, stride, pad)
    for kernel, stride, pad in [(7, 2, "same"), (3, 2, "valid"), (5, 2, "same"), (3, 2, "valid"), *[(3, 1, "same")] * 3]
)


def head(*layers: TrunkLayer) -> SppHead:
    return SppHead("spp", (6, 3, 2, 1), layers, "softmax", 688)


@pytest.mark.parametrize(
    ("image_wh", "side", "wanted"),
    [
        ((1280, 720), 688, (1223, 688)),
        ((720, 1280), 688, (688, 1223)),
        ((224, 224), 224, (224, 224)),
        ((100, 100), 688, (688, 688)),
        ((3840, 2160), 688, (1223, 688)),
        ((1, 1), 30, (30, 30)),
    ],
)
def test_the_shorter_side_is_what_was_asked_for(image_wh: tuple[int, int], side: int, wanted: tuple[int, int]) -> None:
    assert resized_wh(image_wh, side, 21) == wanted


@pytest.mark.parametrize(
    ("image_wh", "wanted"),
    [
        ((4000, 20), (16_384, 82)),  # the longest side there may be
        ((3000, 200), (7932, 529)),  # the most pixels
        ((32_766, 1), (16_384, 21)),  # stretched to what the trunk needs
    ],
)
def test_a_long_image_is_enlarged_less(image_wh: tuple[int, int], wanted: tuple[int, int]) -> None:
    assert resized_wh(image_wh, 688, 21) == wanted


@given(st.integers(1, 32_766), st.integers(1, 32_766), st.integers(1, MAX_SIDE), st.integers(1, 64))
def test_every_image_gets_a_size_that_can_be_used(width: int, height: int, side: int, least: int) -> None:
    found = resized_wh((width, height), side, least)
    assert least <= min(found) and max(found) <= MAX_SIDE
    # Rounding, or a side that is stretched to the least, adds a row or a few.
    assert found[0] * found[1] <= MAX_PIXELS + MAX_SIDE * max(1, least)
    assert resized_wh((height, width), side, least) == found[::-1]


@given(
    st.lists(
        st.builds(TrunkLayer, st.integers(1, 9), st.integers(1, 4), st.sampled_from(("same", "valid"))),
        min_size=1,
        max_size=5,
    )
)
def test_the_least_side_leaves_a_cell_and_one_less_none(layers: list[TrunkLayer]) -> None:
    trunk = head(*layers)
    least = trunk.least_side
    assert trunk.grid((least, least)).feature_wh == (1, 1)
    with pytest.raises(ValueError, match="^size_wh"):
        trunk.grid((least - 1, least))


def test_the_published_trunk_needs_21_pixels() -> None:
    assert head(*SPPNET).least_side == 21


@pytest.mark.parametrize("size_wh", [(224, 224), (1223, 688), (480, 853), (21, 900), (1201, 1200)])
def test_the_whole_image_is_the_whole_map_of_the_published_trunk(size_wh: tuple[int, int]) -> None:
    """No centre is on an edge, whatever the padding."""
    for cells, stride, offset, side in zip(*(head(*SPPNET).grid(size_wh)[i] for i in (2, 0, 1)), size_wh):
        assert offset > 0 and offset + (cells - 1) * stride < side


def test_the_scale_is_that_of_the_nearest_area() -> None:
    sizes = [resized_wh((1280, 720), side, 21) for side in PAPER_SCALES]
    # As many pixels as 224×224 at each scale in turn; then all of the image, and nothing of it.
    sides = [224 * 720 / side for side in PAPER_SCALES]
    boxes = np.array([*([0, 0, side, side] for side in sides), [0, 0, 1280, 720], [9, 9, 9, 9], [9, 9, 4, 20]])
    assert nearest_scales(boxes, (1280, 720), sizes).tolist() == [0, 1, 2, 3, 4, 0, 0, 0]


@given(st.integers(0, 40), st.integers(0, 2**32 - 1))
def test_distinct_windows(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    windows = rng.integers(0, 3, (count, 4)).astype(np.int32) * 7000
    some, which = View(np.zeros((1, 3, 1, 1), np.float32), np.arange(count), windows).distinct()
    assert len({tuple(row) for row in some.tolist()}) == len(some) == len({tuple(row) for row in windows.tolist()})
    np.testing.assert_array_equal(some[which], windows)
