"""Images in, the network's input tensor out, and the Placement that maps boxes back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edgedet import ops
from edgedet.spec import Input

Image = npt.NDArray[np.uint8]
# OpenCV keeps the coordinates of some of its loops in 16 bits.
MAX_SIDE = 32_766


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


def to_bgr(image: npt.NDArray[Any], color: str = "bgr") -> Image:
    """Any 8-bit picture as (H, W, 3) uint8 in the order ``color``: grey is repeated, alpha is dropped.

    Raises:
        ValueError: not an array, not uint8, no pixels, too large, or a number of channels that is no picture's.
    """
    if not isinstance(image, np.ndarray):
        raise ValueError(
            f"image: expected an array (H, W, 3) uint8, got {type(image).__name__}; "
            "do cv2.imread(path), and check that the file could be read (it gives None if not)"
        )
    if color not in ("bgr", "rgb"):
        raise ValueError(f"color: expected bgr or rgb, got {color!r}; name the order of the image's channels")
    if image.dtype != np.uint8:
        raise ValueError(f"image: expected uint8, got {image.dtype}; scale it to 0..255 and do image.astype(np.uint8)")
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] not in (1, 3, 4)):
        raise ValueError(
            f"image: expected (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), got {image.shape}; give one picture, HWC"
        )
    if not all(1 <= side <= MAX_SIDE for side in image.shape[:2]):
        raise ValueError(f"image: expected sides of 1 to {MAX_SIDE} pixels, got {image.shape}; crop or resize it")
    if image.ndim == 2 or image.shape[2] == 1:
        return np.repeat(image.reshape(*image.shape[:2], 1), 3, axis=2)
    return image[:, :, :3]


def _stretch(image: Image, size_wh: tuple[int, int]) -> tuple[Image, Placement]:
    height, width = image.shape[:2]
    resized = cv2.resize(image, size_wh, interpolation=cv2.INTER_LINEAR)
    return np.asarray(resized, np.uint8), Placement((width, height), size_wh, (width, height), (0.0, 0.0))


def _letterbox(image: Image, size_wh: tuple[int, int]) -> tuple[Image, Placement]:
    height, width = image.shape[:2]
    scale = min(size_wh[0] / width, size_wh[1] / height)
    inner = max(1, round(width * scale)), max(1, round(height * scale))
    left, top = (size_wh[0] - inner[0]) // 2, (size_wh[1] - inner[1]) // 2
    canvas = np.full((size_wh[1], size_wh[0], 3), 114, np.uint8)
    canvas[top : top + inner[1], left : left + inner[0]] = cv2.resize(image, inner, interpolation=cv2.INTER_LINEAR)
    per_pixel = width / inner[0], height / inner[1]
    frame = size_wh[0] * per_pixel[0], size_wh[1] * per_pixel[1]
    return canvas, Placement((width, height), size_wh, frame, (-left * per_pixel[0], -top * per_pixel[1]))


RESIZE_RULES: dict[str, Callable[[Image, tuple[int, int]], tuple[Image, Placement]]] = {
    "stretch": _stretch,
    "letterbox": _letterbox,
}


def _center_crop(image: Image, placed: Placement, size_wh: tuple[int, int]) -> tuple[Image, Placement]:
    if placed.input_wh == size_wh:
        return image, placed
    left, top = ((have - want) // 2 for have, want in zip(placed.input_wh, size_wh))
    per_pixel = tuple(frame / side for frame, side in zip(placed.frame_wh, placed.input_wh))
    origin = placed.origin[0] + left * per_pixel[0], placed.origin[1] + top * per_pixel[1]
    frame = size_wh[0] * per_pixel[0], size_wh[1] * per_pixel[1]
    cropped = image[top : top + size_wh[1], left : left + size_wh[0]]
    return cropped, Placement(placed.image_wh, size_wh, frame, origin)


def to_tensor(
    image: npt.NDArray[Any], spec: Input, *, color: str = "bgr", out: npt.NDArray[Any] | None = None
) -> tuple[npt.NDArray[Any], Placement]:
    """One image as the network's input.

    Args:
        image: (H, W, 3) uint8; (H, W), (H, W, 1) and (H, W, 4) are understood too.
        spec: ``model.json``'s ``input``.
        color: the order of the image's channels.
        out: the array to write, (1, 3, H, W) float32, whose memory is contiguous so or, channels last, as (1, H, W, 3);
            None: a new one. One of uint8 is for a chip that normalises: it gets the pixels, blue first.

    Returns:
        The (1, 3, H, W) tensor, float32 unless ``out`` is not, and where the image lies in it.

    Raises:
        ValueError: the image is none that can be used; the message names what came.
    """
    picture = to_bgr(image, color)
    placed_image, placed = RESIZE_RULES[spec.resize](picture, spec.resize_wh or spec.size_wh)
    cropped, placed = _center_crop(placed_image, placed, spec.size_wh)
    tensor = np.empty((1, 3, spec.size_wh[1], spec.size_wh[0]), np.float32) if out is None else out
    planes, swap_rb = tensor[0], color != spec.color
    if tensor.dtype == np.uint8:
        np.copyto(planes.transpose(1, 2, 0), cropped if color == "bgr" else cropped[:, :, ::-1])
        return tensor, placed
    if planes.flags.c_contiguous:
        ops.normalize(cropped, spec.mean, spec.std, swap_rb=swap_rb, out=planes)
    else:
        pixels = planes.transpose(1, 2, 0)
        ops.normalize(cropped, spec.mean, spec.std, swap_rb=swap_rb, layout="hwc", out=pixels)
    return tensor, placed
