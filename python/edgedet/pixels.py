"""The kernels that turn pixels into a network's input; `edgedet.ops` has them among the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from edgedet import _core

Uint8Array = npt.NDArray[np.uint8]
Float32Array = npt.NDArray[np.float32]
Color = Literal["bgr", "rgb", "nv12", "nv21", "i420", "yuyv"]


def normalize(
    image: Uint8Array,
    mean: Sequence[float] | Float32Array,
    std: Sequence[float] | Float32Array,
    *,
    swap_rb: bool = False,
    layout: Literal["chw", "hwc"] = "chw",
    out: Float32Array | None = None,
) -> Float32Array:
    """Turn pixels into a network's input: ``(x − mean) / std``, equal to NumPy's float32 arithmetic.

    Args:
        image: (H, W, 3) uint8; any strides, so that a slice or a flipped view costs no copy.
        mean: 3 numbers, in the order of the result's channels (after the swap).
        std: 3 numbers above 0, in the same order.
        swap_rb: reverse the channels, from BGR to RGB or back.
        layout: ``chw`` for (3, H, W), ``hwc`` for (H, W, 3).
        out: a float32 array of the result's shape, C-contiguous and writable, to fill; it is returned.

    Returns:
        (3, H, W) or (H, W, 3) float32.

    Raises:
        ValueError: a wrong dtype or shape, an unknown layout, or an ``out`` that cannot take the result in place.
    """
    return _core.normalize(image, mean, std, swap_rb=swap_rb, layout=layout, out=out)


def resize(
    image: Uint8Array,
    size_wh: tuple[int, int],
    *,
    color: Color = "bgr",
    swap_rb: bool = False,
    canvas_wh: tuple[int, int] | None = None,
    offset_xy: tuple[int, int] = (0, 0),
    border: int = 114,
    out: Uint8Array | None = None,
) -> Uint8Array:
    """Resize a picture bilinearly, to the bit as ``cv2.resize`` with INTER_LINEAR; cut it or lay a border around it.

    A YUV frame is converted row by row on the way (BT.601, limited range), to the bit as ``cv2.cvtColor`` with
    COLOR_YUV2BGR_NV12 and its like would have done before.

    Args:
        image: (H, W, 3) uint8 of any strides. YUV 4:2:0 (``nv12``, ``nv21``, ``i420``): (H·3/2, W) uint8, luma above
            chroma, H and W even. YUV 4:2:2 (``yuyv``): (H, W, 2) uint8, W even. Sides of 1 to 32766 pixels.
        size_wh: width and height of the whole picture, resized.
        color: how the image is laid out. YUV gives blue first; ``bgr`` and ``rgb`` keep their order.
        swap_rb: reverse the channels.
        canvas_wh: width and height of the result; None: ``size_wh``.
        offset_xy: where on the result the resized picture's top left corner lies; what is outside is cut off, so that
            a negative offset crops.
        border: the value of all channels around the picture.
        out: an array for the result, C-contiguous and writable, to fill; it is returned.

    Returns:
        (H, W, 3) uint8.

    Raises:
        ValueError: a wrong dtype, shape or color, a number outside its range, or an ``out`` that cannot take the
            result in place.
    """
    return _core.resize(
        image,
        size_wh,
        color=color,
        swap_rb=swap_rb,
        canvas_wh=canvas_wh,
        offset_xy=offset_xy,
        border=border,
        out=out,
    )


def resize_normalize(
    image: Uint8Array,
    size_wh: tuple[int, int],
    mean: Sequence[float] | Float32Array,
    std: Sequence[float] | Float32Array,
    *,
    color: Color = "bgr",
    swap_rb: bool = False,
    layout: Literal["chw", "hwc"] = "chw",
    canvas_wh: tuple[int, int] | None = None,
    offset_xy: tuple[int, int] = (0, 0),
    border: int = 114,
    out: Float32Array | None = None,
) -> Float32Array:
    """Turn a picture of any size into a network's input: ``normalize(resize(image, …), …)`` in one pass, the same bits.

    Args:
        image: see ``resize``; YUV frames too.
        size_wh: see ``resize``.
        mean: 3 numbers, in the order of the result's channels (after the swap).
        std: 3 numbers above 0, in the same order.
        color: see ``resize``.
        swap_rb: reverse the channels.
        layout: ``chw`` for (3, H, W), ``hwc`` for (H, W, 3).
        canvas_wh: see ``resize``.
        offset_xy: see ``resize``.
        border: the value around the picture, before it is normalised.
        out: a float32 array of the result's shape, C-contiguous and writable, to fill; it is returned.

    Returns:
        (3, H, W) or (H, W, 3) float32.

    Raises:
        ValueError: a wrong dtype, shape, color or layout, a number outside its range, or an ``out`` that cannot take
            the result in place.
    """
    return _core.resize_normalize(
        image,
        size_wh,
        mean,
        std,
        color=color,
        swap_rb=swap_rb,
        layout=layout,
        canvas_wh=canvas_wh,
        offset_xy=offset_xy,
        border=border,
        out=out,
    )
