"""Images in, the network's input tensor out, and the Placement that maps boxes back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from edgedet import ops
from edgedet.spec import Input

Image = npt.NDArray[np.uint8]
Size = tuple[int, int]
# OpenCV keeps the coordinates of some of its loops in 16 bits, and the kernels do as it does.
MAX_SIDE = 32_766


class Color(NamedTuple):
    """A way in which the colours of a picture lie in an array.

    Attributes:
        shapes: those of its arrays, in words.
        hw: such a shape -> height and width of the picture; None: no such shape.
        to_bgr: OpenCV's conversion of YUV to BGR, or None.
    """

    shapes: str
    hw: Callable[[tuple[int, ...]], Size | None]
    to_bgr: int | None = None


def _hw_of_pixels(shape: tuple[int, ...]) -> Size | None:
    return shape[:2] if len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 3, 4)) else None


def _hw_of_420(shape: tuple[int, ...]) -> Size | None:
    return (shape[0] // 3 * 2, shape[1]) if len(shape) == 2 and not (shape[0] % 3 or shape[1] % 2) else None


def _hw_of_422(shape: tuple[int, ...]) -> Size | None:
    return shape[:2] if len(shape) == 3 and shape[2] == 2 and not shape[1] % 2 else None


_PIXELS = "(H, W), (H, W, 1), (H, W, 3) or (H, W, 4)"
_420 = "(H*3/2, W) of even H and W, luma above chroma"
#: The values of ``color``. Grey is repeated and alpha is dropped; YUV is of BT.601's limited range.
COLORS = {
    "bgr": Color(_PIXELS, _hw_of_pixels),
    "rgb": Color(_PIXELS, _hw_of_pixels),
    "nv12": Color(_420, _hw_of_420, cv2.COLOR_YUV2BGR_NV12),
    "nv21": Color(_420, _hw_of_420, cv2.COLOR_YUV2BGR_NV21),
    "i420": Color(_420, _hw_of_420, cv2.COLOR_YUV2BGR_I420),
    "yuyv": Color("(H, W, 2) of an even W", _hw_of_422, cv2.COLOR_YUV2BGR_YUYV),
}


@dataclass(frozen=True)
class Placement:
    """Where an image lies in the network's input; the only thing that maps boxes between the two.

    Attributes:
        image_wh: width and height of the image in pixels.
        input_wh: width and height of the network's input in pixels.
        frame_wh: the input's width and height, measured in pixels of the image.
        origin: the input's top left corner x, y, in pixels of the image (negative: there is a border).
    """

    image_wh: tuple[int, int]
    input_wh: tuple[int, int]
    frame_wh: tuple[float, float]
    origin: tuple[float, float]

    @property
    def is_whole(self) -> bool:
        """Whether input and image cover the same frame, so that no box can leave the image."""
        return self.origin == (0.0, 0.0) and self.frame_wh == self.image_wh

    def to_image(self, boxes: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """(N, 4) ``x1 y1 x2 y2`` in pixels of the input -> the same boxes in pixels of the image."""
        scale = np.divide(self.frame_wh, self.input_wh)
        return np.asarray(np.asarray(boxes, np.float64) * np.tile(scale, 2) + np.tile(self.origin, 2), np.float32)

    def to_model(self, boxes: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """(N, 4) ``x1 y1 x2 y2`` in pixels of the image -> the same boxes in pixels of the input."""
        scale = np.divide(self.input_wh, self.frame_wh)
        return np.asarray((np.asarray(boxes, np.float64) - np.tile(self.origin, 2)) * np.tile(scale, 2), np.float32)


def image_wh(image: npt.NDArray[Any], color: str = "bgr") -> Size:
    """Width and height in pixels of what an array shows; of YUV it has another shape than the picture.

    Args:
        image: uint8, of a shape that fits ``color``.
        color: one of `COLORS`.

    Raises:
        ValueError: not an array, not uint8, a shape that does not fit, no pixels or too many; names the argument.
    """
    if not isinstance(image, np.ndarray):
        raise ValueError(
            f"image: expected an array (H, W, 3) uint8, got {type(image).__name__}; "
            "do cv2.imread(path), and check that the file could be read (it gives None if not)"
        )
    known = COLORS.get(color) if isinstance(color, str) else None
    if known is None:
        raise ValueError(f"color: expected {', '.join(COLORS)}, got {color!r}; say how the image's colours lie in it")
    if image.dtype != np.uint8:
        raise ValueError(f"image: expected uint8, got {image.dtype}; scale it to 0..255 and do image.astype(np.uint8)")
    size = known.hw(image.shape)
    if size is None:
        raise ValueError(f"image: expected {known.shapes} for color {color}, got {image.shape}; give one such picture")
    if not all(1 <= side <= MAX_SIDE for side in size):
        raise ValueError(f"image: expected sides of 1 to {MAX_SIDE} pixels, got {image.shape}; crop or resize it")
    return size[1], size[0]


def _three_channels(image: Image) -> Image:
    """Pixels as a view (H, W, 3): grey three times, alpha left out; YUV as it is."""
    if image.ndim == 2 or image.shape[2] == 1:
        return np.broadcast_to(image.reshape(*image.shape[:2], 1), (*image.shape[:2], 3))
    return image[:, :, :3]


def to_bgr(image: npt.NDArray[Any], color: str = "bgr") -> Image:
    """Any 8-bit picture as (H, W, 3) uint8 BGR, for drawing and for OpenCV: of one that is BGR already a view.

    Raises:
        ValueError: as of `image_wh`.
    """
    image_wh(image, color)
    conversion = COLORS[color].to_bgr
    if conversion is not None:
        return np.asarray(cv2.cvtColor(np.ascontiguousarray(image), conversion), np.uint8)
    pixels = _three_channels(image)
    return pixels[:, :, ::-1] if color == "rgb" else pixels if pixels.strides[2] else pixels.copy()


def _stretch(image_wh: Size, size_wh: Size) -> tuple[Size, Size]:
    return size_wh, (0, 0)


def _letterbox(image_wh: Size, size_wh: Size) -> tuple[Size, Size]:
    scale = min(size_wh[0] / image_wh[0], size_wh[1] / image_wh[1])
    inner = max(1, round(image_wh[0] * scale)), max(1, round(image_wh[1] * scale))
    return inner, ((size_wh[0] - inner[0]) // 2, (size_wh[1] - inner[1]) // 2)


#: ``model.json``'s rules: sizes of image and target -> the image's size on the target, and where its corner lies there.
RESIZE_RULES: dict[str, Callable[[Size, Size], tuple[Size, Size]]] = {"stretch": _stretch, "letterbox": _letterbox}


def _place(image_wh: Size, spec: Input) -> tuple[Size, Size, Placement]:
    """Size of the resized image, where its corner lies in the input, and what that means for boxes."""
    target = spec.resize_wh or spec.size_wh
    resized, corner = RESIZE_RULES[spec.resize](image_wh, target)
    # The input is the target's centre.
    x, y = (at - (side - size) // 2 for at, side, size in zip(corner, target, spec.size_wh))
    frame = spec.size_wh[0] * image_wh[0] / resized[0], spec.size_wh[1] * image_wh[1] / resized[1]
    origin = -x * image_wh[0] / resized[0], -y * image_wh[1] / resized[1]
    return resized, (x, y), Placement(image_wh, spec.size_wh, frame, origin)


def to_tensor(
    image: npt.NDArray[Any], spec: Input, *, color: str = "bgr", out: npt.NDArray[Any] | None = None
) -> tuple[npt.NDArray[Any], Placement]:
    """One image as the network's input, in one pass.

    The pixels are those of OpenCV's ``resize`` with INTER_LINEAR, to the bit, and around them, by the letterbox rule,
    a border of 114; YUV is converted as by OpenCV's ``cvtColor``, to the bit.

    Args:
        image: (H, W, 3) uint8, also (H, W), (H, W, 1) and (H, W, 4); YUV frames as `COLORS` says.
        spec: ``model.json``'s ``input``.
        color: how the image's colours lie in it, one of `COLORS`.
        out: the array to write, (1, 3, H, W) float32, whose memory is contiguous so or, channels last, as (1, H, W, 3);
            None: a new one. One of uint8 is for a chip that normalises: it gets the pixels, blue first.

    Returns:
        The (1, 3, H, W) tensor, float32 unless ``out`` is not, and where the image lies in it.

    Raises:
        ValueError: the image is none that can be used; the message names what came.
    """
    resized, corner, placed = _place(image_wh(image, color), spec)
    picture = _three_channels(image) if COLORS[color].to_bgr is None else image
    tensor = np.empty((1, 3, spec.size_wh[1], spec.size_wh[0]), np.float32) if out is None else out
    planes, pixels = tensor[0], tensor[0].transpose(1, 2, 0)
    how: dict[str, Any] = {"color": color, "canvas_wh": spec.size_wh, "offset_xy": corner}
    if tensor.dtype == np.uint8:
        # Lent memory has its channels last: that is filled in place.
        swap_rb, target = color == "rgb", pixels if pixels.flags.c_contiguous else None
        found = ops.resize(picture, resized, swap_rb=swap_rb, out=target, **how)
        if target is None:
            pixels[...] = found
        return tensor, placed
    how["swap_rb"] = (color == "rgb") != (spec.color == "rgb")
    if planes.flags.c_contiguous:
        ops.resize_normalize(picture, resized, spec.mean, spec.std, out=planes, **how)
    else:
        ops.resize_normalize(picture, resized, spec.mean, spec.std, layout="hwc", out=pixels, **how)
    return tensor, placed
