"""Resizing, by itself and with normalisation: to the bit what OpenCV and NumPy give."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import reference
from hypothesis import example, given
from hypothesis import strategies as st

from edgedet import ops

F = np.float32
MEAN, STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
CONVERSIONS = {
    "nv12": cv2.COLOR_YUV2BGR_NV12,
    "nv21": cv2.COLOR_YUV2BGR_NV21,
    "i420": cv2.COLOR_YUV2BGR_I420,
    "yuyv": cv2.COLOR_YUV2BGR_YUYV,
}
SIDES = st.integers(1, 200)


def picture(width, height, color="bgr", seed=0):
    rng = np.random.default_rng([width, height, seed])
    shape = {"bgr": (height, width, 3), "rgb": (height, width, 3), "yuyv": (height, width, 2)}
    return rng.integers(0, 256, shape.get(color, (height * 3 // 2, width)), dtype=np.uint8)


@given(SIDES, SIDES, SIDES, SIDES)
@example(200, 120, 100, 60)
@example(100, 60, 200, 120)
@example(199, 1, 7, 3)
@example(1, 199, 3, 7)
@example(200, 50, 20, 50)
@example(64, 48, 64, 48)
def test_equals_opencv_and_the_reference(width, height, to_width, to_height):
    image, size_wh = picture(width, height), (to_width, to_height)
    result = ops.resize(image, size_wh)
    assert (result.dtype, result.flags.c_contiguous) == (np.uint8, True)
    np.testing.assert_array_equal(result, reference.resize(image, size_wh))
    np.testing.assert_array_equal(result, cv2.resize(image, size_wh, interpolation=cv2.INTER_LINEAR))


@pytest.mark.parametrize("size_wh", [(640, 640), (300, 300), (1920, 1080), (97, 1001)])
@pytest.mark.parametrize("image_wh", [(1280, 720), (1921, 1081), (3840, 60)])
def test_equals_opencv_at_the_sizes_of_cameras(image_wh, size_wh):
    image = picture(*image_wh)
    np.testing.assert_array_equal(ops.resize(image, size_wh), cv2.resize(image, size_wh))


@given(SIDES, SIDES, SIDES, SIDES, st.sampled_from(["chw", "hwc"]), st.booleans())
def test_with_normalisation_it_is_one_after_the_other(width, height, to_width, to_height, layout, swap_rb):
    image, size_wh = picture(width, height), (to_width, to_height)
    result = ops.resize_normalize(image, size_wh, MEAN, STD, layout=layout, swap_rb=swap_rb)
    resized = ops.resize(image, size_wh)
    np.testing.assert_array_equal(result, reference.normalize(resized, MEAN, STD, swap_rb, layout))
    np.testing.assert_array_equal(ops.resize(image, size_wh, swap_rb=swap_rb), resized[..., :: -1 if swap_rb else 1])


@given(st.integers(1, 40), st.integers(1, 40), SIDES, SIDES, st.sampled_from(sorted(CONVERSIONS)))
def test_yuv_is_converted_as_opencv_does(half_width, half_height, to_width, to_height, color):
    image, size_wh = picture(2 * half_width, 2 * half_height, color), (to_width, to_height)
    bgr = cv2.cvtColor(image, CONVERSIONS[color])
    np.testing.assert_array_equal(bgr, reference.to_bgr(image, color))
    np.testing.assert_array_equal(ops.resize(image, size_wh, color=color), cv2.resize(bgr, size_wh))
    np.testing.assert_array_equal(
        ops.resize_normalize(image, size_wh, MEAN, STD, color=color, swap_rb=True),
        ops.resize_normalize(bgr, size_wh, MEAN, STD, swap_rb=True),
    )


@pytest.mark.parametrize("u", range(0, 256, 15))
def test_all_luma_and_v_of_a_u(u):
    """The conversion in whole, of which limits and roundings are: every Y with every V."""
    image = np.empty((512 * 3 // 2, 512), np.uint8)
    image[:512] = np.arange(256, dtype=np.uint8).repeat(2)
    image[512:, ::2], image[512:, 1::2] = u, np.arange(256, dtype=np.uint8)[:, None]
    np.testing.assert_array_equal(ops.resize(image, (512, 512), color="nv12"), reference.to_bgr(image, "nv12"))


CANVASES = [((0, 0), (9, 9)), ((3, 2), (40, 30)), ((-4, -5), (9, 8)), ((5, -3), (12, 40)), ((50, 2), (40, 30))]


@pytest.mark.parametrize(("offset_xy", "canvas_wh"), [*CANVASES, ((-40, 0), (8, 8)), ((0, -99), (1, 1))])
@pytest.mark.parametrize("color", ["bgr", "rgb", *sorted(CONVERSIONS)])
def test_a_canvas_cuts_and_frames(color, offset_xy, canvas_wh):
    image, size_wh = picture(24, 16, color), (33, 21)
    resized = ops.resize(image, size_wh, color=color)
    far = np.full((300, 300, 3), 7, np.uint8)
    far[100 + offset_xy[1] :][:21, 100 + offset_xy[0] :][:, :33] = resized
    expected = far[100:, 100:][: canvas_wh[1], : canvas_wh[0]]
    how = {"color": color, "canvas_wh": canvas_wh, "offset_xy": offset_xy, "border": 7}
    np.testing.assert_array_equal(ops.resize(image, size_wh, **how), expected)
    for layout in ("chw", "hwc"):
        result = ops.resize_normalize(image, size_wh, MEAN, STD, layout=layout, **how)
        np.testing.assert_array_equal(result, reference.normalize(expected, MEAN, STD, layout=layout))


VIEWS = {
    "part": lambda a: a[3:17, 5:20],
    "every_other": lambda a: a[::2, ::3],
    "upside_down": lambda a: a[::-1],
    "mirrored": lambda a: a[:, ::-1],
    "channels_reversed": lambda a: a[..., ::-1],
    "transposed": lambda a: a.transpose(1, 0, 2),
    "planes": lambda a: np.ascontiguousarray(a.transpose(2, 0, 1)).transpose(1, 2, 0),
    "repeated": lambda a: np.broadcast_to(a[:, :, :1], a.shape),
    "of_four": lambda a: np.dstack([a, a])[..., 1:4],
}


@pytest.mark.parametrize("size_wh", [(21, 33), (2, 3), (90, 70)])
@pytest.mark.parametrize("view", VIEWS)
def test_any_strides(view, size_wh):
    image = VIEWS[view](picture(30, 20))
    np.testing.assert_array_equal(ops.resize(image, size_wh), reference.resize(image, size_wh))


@pytest.mark.parametrize("color", ["nv12", "i420", "yuyv"])
def test_strided_yuv(color):
    image = picture(20, 12, color)
    wide = np.zeros((2 * image.shape[0], image.shape[1] + 6, *image.shape[2:]), np.uint8)
    view = wide[::2, 3:-3]
    view[...] = image
    np.testing.assert_array_equal(ops.resize(view, (9, 7), color=color), ops.resize(image, (9, 7), color=color))


def test_out_is_filled_and_returned():
    image, pixels, tensor = picture(30, 20), np.zeros((6, 5, 3), np.uint8), np.full((3, 6, 5), np.nan, F)
    assert ops.resize(image, (5, 6), out=pixels) is pixels
    assert ops.resize_normalize(image, (5, 6), MEAN, STD, out=tensor) is tensor
    np.testing.assert_array_equal(tensor, reference.normalize(reference.resize(image, (5, 6)), MEAN, STD))
    np.testing.assert_array_equal(pixels, reference.resize(image, (5, 6)))


WRONG = {
    "size_wh": [(0, 5), (5, 32767), (5, 1.5), (1, 2, 3)],
    "canvas_wh": [(0, 5), (5, 32767)],
    "offset_xy": [(0.5, 0), (0, 40000), (0,)],
    "border": [-1, 256, 1.5],
    "color": ["BGR", "yuv", ""],
    "out": [np.zeros((3, 6, 5), np.uint8), np.zeros((6, 5, 3)), np.zeros((6, 10, 3), np.uint8)[:, ::2]],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_refuses_arguments(name, value):
    how = {"size_wh": (5, 6), name: value}
    with pytest.raises(ValueError, match=f"^{name}: expected .*, got .*; do "):
        ops.resize(picture(30, 20), **how)


@pytest.mark.parametrize(
    ("color", "shape"),
    [
        ("nv12", (20, 30, 3)),
        ("nv12", (31, 30)),
        ("nv12", (30, 31)),
        ("i420", (27, 31)),
        ("nv21", (0, 30)),
        ("yuyv", (20, 30)),
        ("yuyv", (20, 31, 2)),
        ("yuyv", (20, 0, 2)),
        ("bgr", (0, 30, 3)),
        ("bgr", (30, 20, 2)),
    ],
)
def test_refuses_shapes_that_are_no_such_picture(color, shape):
    with pytest.raises(ValueError, match=r"^image: expected .*, got .*; do "):
        ops.resize(np.zeros(shape, np.uint8), (5, 6), color=color)


def test_refuses_sides_that_opencv_would():
    wide = np.broadcast_to(np.uint8(0), (1, 32_767, 3))
    with pytest.raises(ValueError, match="^image: expected sides of 1 to 32766 pixels, got"):
        ops.resize(wide, (5, 6))
    assert ops.resize(wide[:, 1:], (5, 6)).shape == (6, 5, 3)
