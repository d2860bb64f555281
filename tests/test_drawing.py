"""Drawing on pictures of every size, at every place, without touching the picture that was given."""

from __future__ import annotations

from itertools import combinations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgedet.drawing import class_color, draw_detections
from edgedet.results import Detections


def make(boxes: list[list[float]], labels: tuple[str, ...] = ("thing",)) -> Detections:
    count = len(boxes)
    scores = np.linspace(0.9, 0.3, count).astype(np.float32)
    class_ids = (np.arange(count) % len(labels)).astype(np.int32)
    return Detections(np.array(boxes, np.float32).reshape(-1, 4), scores, class_ids, labels, (100, 80))


def test_colours_of_80_classes_are_distinct() -> None:
    colors = [class_color(i) for i in range(80)]
    assert all(0 <= channel <= 255 for color in colors for channel in color)
    closest = min(max(abs(a - b) for a, b in zip(one, other)) for one, other in combinations(colors, 2))
    assert closest >= 5


def test_neighbours_in_number_are_far_apart() -> None:
    for i in range(79):
        assert sum(abs(a - b) for a, b in zip(class_color(i), class_color(i + 1))) > 100


def test_same_class_same_colour() -> None:
    assert class_color(3) == class_color(3)


def test_box_is_drawn_where_it_is() -> None:
    image = np.zeros((200, 300, 3), np.uint8)
    drawn = draw_detections(image, make([[100, 50, 200, 150]]))
    assert drawn[100, 100].any()
    assert drawn[100, 200].any()
    assert drawn[150, 150].any()
    # Inside the box, below the label's height, and far outside, nothing is painted.
    assert not drawn[90:140, 110:190].any()
    assert not drawn[160:, :].any()
    assert not drawn[:, :90].any()


def test_line_has_the_class_colour() -> None:
    drawn = draw_detections(np.zeros((1000, 1000, 3), np.uint8), make([[100, 300, 600, 800]]))
    assert tuple(drawn[700, 100].tolist()) == class_color(0)


def test_copy_is_drawn_on() -> None:
    image = np.full((40, 60, 3), 7, np.uint8)
    image.flags.writeable = False
    drawn = draw_detections(image, make([[5, 5, 30, 30]]))
    assert (image == 7).all()
    assert not np.shares_memory(image, drawn)
    assert drawn.shape == image.shape


def test_nothing_found_gives_an_equal_copy() -> None:
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    drawn = draw_detections(image, make([]))
    np.testing.assert_array_equal(drawn, image)
    assert not np.shares_memory(image, drawn)


@pytest.mark.parametrize("size_wh", [(1, 1), (1, 50), (50, 1), (3, 2), (9000, 2), (2, 9000), (4000, 3000)])
def test_any_size(size_wh: tuple[int, int]) -> None:
    width, height = size_wh
    image = np.zeros((height, width, 3), np.uint8)
    drawn = draw_detections(image, make([[0, 0, width, height], [width / 3, height / 3, width / 2, height / 2]]))
    assert drawn.shape == image.shape
    assert drawn.any()


def test_lines_grow_with_the_picture() -> None:
    small = draw_detections(np.zeros((100, 100, 3), np.uint8), make([[20, 50, 60, 90]]))
    large = draw_detections(np.zeros((2000, 2000, 3), np.uint8), make([[400, 1000, 1200, 1800]]))
    assert large[1400, 380:420].any(axis=1).sum() > 2 * small[70, 15:25].any(axis=1).sum()


CORNERS = st.floats(-1e7, 1e7, width=32) | st.floats(allow_nan=False, allow_infinity=False, width=32)


@given(st.lists(st.lists(CORNERS, min_size=4, max_size=4), max_size=4), st.integers(1, 40), st.integers(1, 40))
def test_never_writes_outside(boxes: list[list[float]], width: int, height: int) -> None:
    guarded = np.full((height + 8, width + 8, 3), 9, np.uint8)
    drawn = draw_detections(guarded[4:-4, 4:-4], make(boxes, ("a", "a very long name that has no room")))
    assert drawn.shape == (height, width, 3)
    assert (guarded == 9).all()


@pytest.mark.parametrize("box", [[-50, -50, -10, -10], [500, 500, 900, 900], [80, 40, 20, 10]])
def test_boxes_that_miss_the_picture_or_are_inverted(box: list[float]) -> None:
    assert draw_detections(np.zeros((50, 90, 3), np.uint8), make([box])).shape == (50, 90, 3)


@pytest.mark.parametrize("label", ["", "größer", "猫", "a\nb", "%s {0}", "x" * 500])
def test_any_label(label: str) -> None:
    assert draw_detections(np.zeros((50, 90, 3), np.uint8), make([[10, 20, 60, 40]], (label,))).any()


def test_strided_pictures() -> None:
    image = np.random.default_rng(1).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    found = make([[5, 20, 30, 35]])
    flipped = draw_detections(image[::-1, ::2], found)
    np.testing.assert_array_equal(flipped, draw_detections(image[::-1, ::2].copy(), found))
    cv2.imencode(".png", flipped)


@pytest.mark.parametrize(
    "image",
    [
        None,
        [[1, 2, 3]],
        np.zeros((5, 5), np.uint8),
        np.zeros((5, 5, 4), np.uint8),
        np.zeros((5, 5, 3), np.float32),
        np.zeros((0, 5, 3), np.uint8),
        np.zeros((5, 0, 3), np.uint8),
    ],
    ids=lambda image: str(getattr(image, "shape", image)),
)
def test_wrong_picture_is_named(image: object) -> None:
    with pytest.raises(ValueError, match=r"^image: expected \(H, W, 3\) uint8, got .*; "):
        draw_detections(image, make([[0, 0, 2, 2]]))  # type: ignore[arg-type]
