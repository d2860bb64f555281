"""Images to tensors: equal to OpenCV and NumPy to the last bit, and back again through `Placement`."""

from __future__ import annotations

import dataclasses
from typing import Any

import cv2
import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st

from edgedet.image import COLORS, MAX_SIDE, RESIZE_RULES, Placement, image_wh, to_bgr, to_tensor
from edgedet.spec import Input

MEAN, STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
STRETCH = Input((64, 48), "rgb", MEAN, STD, "stretch")
LETTERBOX = dataclasses.replace(STRETCH, resize="letterbox")
CROP = Input((224, 224), "bgr", MEAN, STD, "stretch", (256, 256))


def picture(width: int = 100, height: int = 70, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(width).integers(0, 256, (height, width, channels), dtype=np.uint8)


def normalized(pixels: np.ndarray) -> np.ndarray:
    """The slow truth: (1, 3, H, W) from pixels in the input's own channel order."""
    return ((pixels.astype(np.float32) - np.float32(MEAN)) / np.float32(STD)).transpose(2, 0, 1)[None]


@pytest.mark.parametrize("size_wh", [(100, 70), (64, 48), (1, 1), (7, 300), (1280, 720), (MAX_SIDE, 1), (1, MAX_SIDE)])
def test_stretch_is_the_reference_to_the_last_bit(size_wh: tuple[int, int]) -> None:
    image = picture(*size_wh)
    tensor, placed = to_tensor(image, STRETCH)
    expected = normalized(reference.resize(image, (64, 48))[:, :, ::-1])
    np.testing.assert_array_equal(tensor, expected)
    assert (tensor.shape, tensor.dtype, tensor.flags.c_contiguous) == ((1, 3, 48, 64), np.float32, True)
    assert placed == Placement(size_wh, (64, 48), size_wh, (0, 0))
    assert placed.is_whole


@pytest.mark.parametrize("wanted", ["rgb", "bgr"])
@pytest.mark.parametrize("given_color", ["rgb", "bgr"])
def test_channel_orders(given_color: str, wanted: str) -> None:
    image = picture(64, 48)
    tensor, _ = to_tensor(image, dataclasses.replace(STRETCH, color=wanted), color=given_color)
    np.testing.assert_array_equal(tensor, normalized(image if given_color == wanted else image[:, :, ::-1]))


@pytest.mark.parametrize("size_wh", [(100, 70), (70, 100), (640, 480), (1, 1), (5000, 3), (3, 5000)])
def test_letterbox_keeps_the_ratio(size_wh: tuple[int, int]) -> None:
    image = np.full((size_wh[1], size_wh[0], 3), 255, np.uint8)
    tensor, placed = to_tensor(image, LETTERBOX)
    inside = tensor[0, 0] > 2  # white; the border is grey
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    content = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
    assert inside.sum() == len(rows) * len(columns)
    assert len(columns) == 64 or len(rows) == 48
    scale = min(64 / size_wh[0], 48 / size_wh[1])
    assert abs(len(columns) - size_wh[0] * scale) <= 1
    assert abs(len(rows) - size_wh[1] * scale) <= 1
    # The border is even, and the whole image is where the Placement says.
    assert abs(content[0] - (64 - content[2])) <= 1
    assert abs(content[1] - (48 - content[3])) <= 1
    np.testing.assert_allclose(placed.to_model(np.array([[0, 0, *size_wh]])), [content], atol=1e-3)
    np.testing.assert_allclose(placed.to_image(np.array([content])), [[0, 0, *size_wh]], atol=1e-2)
    border = normalized(np.full((48, 64, 3), 114, np.uint8))[0]
    np.testing.assert_array_equal(tensor[0][:, ~inside], border[:, ~inside])


def test_letterbox_content_is_opencvs() -> None:
    image = picture(128, 64)
    tensor, _ = to_tensor(image, LETTERBOX)
    inner = reference.resize(image, (64, 32))[:, :, ::-1]
    np.testing.assert_array_equal(tensor[:, :, 8:40], normalized(inner))


def test_centre_crop() -> None:
    image = picture(500, 375)
    tensor, placed = to_tensor(image, CROP)
    np.testing.assert_array_equal(tensor, normalized(reference.resize(image, (256, 256))[16:240, 16:240]))
    assert not placed.is_whole
    corners = placed.to_image(np.array([[0, 0, 224, 224]]))
    np.testing.assert_allclose(corners, [[500 / 16, 375 / 16, 500 - 500 / 16, 375 - 375 / 16]], rtol=1e-6)


@pytest.mark.parametrize("turned", [False, True])
def test_centre_crop_after_letterbox(turned: bool) -> None:
    spec = dataclasses.replace(CROP, resize="letterbox")
    image = picture(512, 256)
    canvas = np.full((256, 256, 3), 114, np.uint8)
    whole, placed_at = np.array([[0, 0, 512, 256]]), np.array([[-16, 48, 240, 176]])
    if turned:
        # Turned before it is resized: where OpenCV halves, on aarch64 it rounds otherwise along an image than across.
        image = image.transpose(1, 0, 2)
        canvas[:, 64:192] = reference.resize(image, (128, 256))
        whole, placed_at = whole[:, [1, 0, 3, 2]], placed_at[:, [1, 0, 3, 2]]
    else:
        canvas[64:192] = reference.resize(image, (256, 128))
    tensor, placed = to_tensor(image, spec)
    np.testing.assert_array_equal(tensor, normalized(canvas[16:240, 16:240]))
    np.testing.assert_allclose(placed.to_model(whole), placed_at, atol=1e-4)
    np.testing.assert_allclose(placed.to_image(placed_at), whole, atol=1e-4)


SIDES = st.integers(1, 300)
INPUTS = st.tuples(st.integers(1, 80), st.integers(1, 80))


@given(st.sampled_from(sorted(RESIZE_RULES)), SIDES, SIDES, INPUTS, st.tuples(st.integers(0, 9), st.integers(0, 9)))
def test_to_image_and_to_model_undo_each_other(
    rule: str, width: int, height: int, size_wh: tuple[int, int], margin: tuple[int, int]
) -> None:
    larger = size_wh[0] + margin[0], size_wh[1] + margin[1]
    spec = Input(size_wh, "bgr", MEAN, STD, rule, larger)
    _, placed = to_tensor(np.zeros((height, width, 3), np.uint8), spec)
    boxes = np.array([[0, 0, width, height], [width * 0.25, height * 0.5, width * 0.75, height]], np.float32)
    largest = max(*placed.frame_wh, *placed.input_wh, *map(abs, placed.origin))
    step = 1e-6 * largest * max(1, placed.frame_wh[0] / size_wh[0], placed.frame_wh[1] / size_wh[1])
    np.testing.assert_allclose(placed.to_image(placed.to_model(boxes)), boxes, atol=step, rtol=1e-5)
    inputs = np.array([[0, 0, *size_wh]], np.float32)
    back = 1e-6 * largest * max(1, size_wh[0] / placed.frame_wh[0], size_wh[1] / placed.frame_wh[1])
    np.testing.assert_allclose(placed.to_model(placed.to_image(inputs)), inputs, atol=back, rtol=1e-5)
    assert placed.to_image(boxes).dtype == placed.to_model(boxes).dtype == np.float32


def test_placement_of_no_boxes() -> None:
    _, placed = to_tensor(picture(), LETTERBOX)
    assert placed.to_image(np.zeros((0, 4), np.float32)).shape == (0, 4)
    assert placed.to_model(np.zeros((0, 4), np.float32)).shape == (0, 4)


BASE = picture()
GREY = BASE[:, :, 0]
BGRA = picture(channels=4)
FROZEN = BASE.copy()
FROZEN.flags.writeable = False
USABLE = {
    "grey": (GREY, np.repeat(GREY[:, :, None], 3, 2)),
    "grey_hw1": (GREY[:, :, None], np.repeat(GREY[:, :, None], 3, 2)),
    "bgra": (BGRA, BGRA[:, :, :3]),
    "every_other": (BASE[::2, ::3], BASE[::2, ::3]),
    "flipped_rows": (BASE[::-1], BASE[::-1]),
    "flipped_columns": (BASE[:, ::-1], BASE[:, ::-1]),
    "flipped_channels": (BASE[:, :, ::-1], BASE[:, :, ::-1]),
    "flipped_grey": (GREY[::-1, ::-1], np.repeat(GREY[::-1, ::-1, None], 3, 2)),
    "flipped_bgra": (BGRA[::-1], BGRA[::-1, :, :3]),
    "transposed": (BASE.transpose(1, 0, 2), BASE.transpose(1, 0, 2)),
    "fortran": (np.asfortranarray(BASE), BASE),
    "chw_view": (np.ascontiguousarray(BASE.transpose(2, 0, 1)).transpose(1, 2, 0), BASE),
    "broadcast": (np.broadcast_to(np.uint8(9), (5, 6, 3)), np.full((5, 6, 3), 9, np.uint8)),
    "readonly": (FROZEN, BASE),
}


@pytest.mark.parametrize("spec", [STRETCH, LETTERBOX, CROP], ids=["stretch", "letterbox", "crop"])
@pytest.mark.parametrize("kind", USABLE)
def test_layouts_that_are_understood(kind: str, spec: Input) -> None:
    image, same = USABLE[kind]
    before = image.copy()
    tensor, placed = to_tensor(image, spec)
    expected, expected_placed = to_tensor(np.ascontiguousarray(same), spec)
    np.testing.assert_array_equal(tensor, expected)
    assert placed == expected_placed
    np.testing.assert_array_equal(image, before)


REFUSED: dict[str, Any] = {
    "none": None,
    "list": BASE.tolist(),
    "bytes": b"jpeg",
    "text": "street.jpg",
    "uint16": BASE.astype(np.uint16),
    "int8": BASE.astype(np.int8),
    "float": BASE / 255,
    "bool": BASE > 9,
    "object": BASE.astype(object),
    "scalar": np.uint8(3),
    "no_axes": np.array(3, np.uint8),
    "row": GREY[0],
    "batch": BASE[None],
    "chw": np.ascontiguousarray(BASE.transpose(2, 0, 1)),
    "two_channels": BASE[:, :, :2],
    "no_channels": BASE[:, :, :0],
    "no_rows": BASE[:0],
    "no_columns": BASE[:, :0],
    "empty_grey": GREY[:0, :0],
    "too_wide": np.zeros((1, MAX_SIDE + 1, 3), np.uint8),
    "too_high": np.zeros((MAX_SIDE + 1, 1), np.uint8),
    # 3 TB if anyone copied it.
    "huge": np.broadcast_to(np.uint8(0), (1_000_000, 1_000_000, 3)),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_picture_is_named(kind: str) -> None:
    with pytest.raises(ValueError, match=r"^image: expected .*, got .*; "):
        to_tensor(REFUSED[kind], STRETCH)


@pytest.mark.parametrize("color", ["BGR", "gray", "", None, 3, ["bgr"]])
@pytest.mark.parametrize("use", [to_bgr, image_wh, lambda image, color: to_tensor(image, STRETCH, color=color)])
def test_unknown_colour_is_named(use: Any, color: Any) -> None:
    with pytest.raises(ValueError, match="^color: expected bgr, rgb, nv12, nv21, i420, yuyv, got .*; say "):
        use(BASE, color)


YUV = sorted(name for name, color in COLORS.items() if color.to_bgr is not None)


def frame(color: str, width: int = 100, height: int = 70) -> np.ndarray:
    shape = (height, width, 2) if color == "yuyv" else (height * 3 // 2, width)
    return np.random.default_rng(width).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize("spec", [STRETCH, LETTERBOX, CROP], ids=["stretch", "letterbox", "crop"])
@pytest.mark.parametrize("color", YUV)
def test_yuv_is_to_the_bit_what_opencv_makes_of_it(color: str, spec: Input) -> None:
    image, code = frame(color), getattr(cv2, f"COLOR_YUV2BGR_{color.upper()}")
    bgr = cv2.cvtColor(image, code)
    tensor, placed = to_tensor(image, spec, color=color)
    expected, expected_placed = to_tensor(bgr, spec)
    np.testing.assert_array_equal(tensor, expected)
    assert placed == expected_placed
    assert placed.image_wh == image_wh(image, color) == (100, 70)
    np.testing.assert_array_equal(to_bgr(image, color), bgr)
    pixels, expected = (np.zeros((1, 3, *spec.size_wh[::-1]), np.uint8) for _ in range(2))
    to_tensor(image, spec, color=color, out=pixels)
    to_tensor(bgr, spec, out=expected)
    np.testing.assert_array_equal(pixels, expected)


@pytest.mark.parametrize("layout", ["chw", "hwc"])
@pytest.mark.parametrize("dtype", [np.float32, np.uint8])
@pytest.mark.parametrize("spec", [STRETCH, LETTERBOX, CROP], ids=["stretch", "letterbox", "crop"])
def test_lent_memory_of_either_layout_is_filled_in_place(spec: Input, dtype: type, layout: str) -> None:
    width, height = spec.size_wh
    shape = (1, 3, height, width) if layout == "chw" else (1, height, width, 3)
    memory = np.full(shape, 77, dtype)
    lent = memory if layout == "chw" else memory.transpose(0, 3, 1, 2)
    tensor, _ = to_tensor(BASE, spec, out=lent)
    assert tensor is lent
    if dtype == np.float32:
        np.testing.assert_array_equal(lent, to_tensor(BASE, spec)[0])
    else:
        plain = dataclasses.replace(spec, mean=(0, 0, 0), std=(1, 1, 1), color="bgr")
        np.testing.assert_array_equal(lent, to_tensor(BASE, plain)[0])


@pytest.mark.parametrize("color", YUV)
def test_other_arrays_are_no_yuv(color: str) -> None:
    good = frame(color)
    for wrong in (
        BASE,
        good[:, :-1],
        good[:0],
        good[None],
        good.astype(float),
        None,
        *([good[:-1]] * (good.ndim == 2)),
    ):
        with pytest.raises(ValueError, match=r"^image: expected .*, got .*; "):
            to_tensor(wrong, STRETCH, color=color)


def test_bgr_for_drawing() -> None:
    assert to_bgr(BASE) is BASE or np.shares_memory(to_bgr(BASE), BASE)
    np.testing.assert_array_equal(to_bgr(BASE, "rgb"), BASE[:, :, ::-1])
    np.testing.assert_array_equal(to_bgr(BGRA), BGRA[:, :, :3])
    grey = to_bgr(GREY)
    np.testing.assert_array_equal(grey, np.repeat(GREY[:, :, None], 3, 2))
    grey[...] = 0  # memory of its own, to draw on
    assert GREY.any()


@given(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 5)), st.sampled_from("?bBhHiIfdFO"))
def test_any_array_is_a_tensor_or_a_value_error(shape: tuple[int, int, int], dtype: str) -> None:
    try:
        tensor, _ = to_tensor(np.zeros(shape, dtype), STRETCH)
    except ValueError as error:
        assert str(error).startswith("image: expected")
    else:
        assert dtype == "B"
        assert tensor.shape == (1, 3, 48, 64)
