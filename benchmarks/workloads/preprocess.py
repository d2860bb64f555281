"""A picture to the network's input: resize, RGB, normalise, planes."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from benchmarks import floors
from benchmarks.case import Case, Peer
from benchmarks.peers import opencv
from edgedet import ops
from edgedet.image import to_tensor
from edgedet.spec import Input

MEAN, STD = np.float32([123.675, 116.28, 103.53]), np.float32([58.395, 57.12, 57.375])
# One step of an 8-bit pixel, in the tensor, and a little for the last bit.
ROUNDING_STEP = 1.001 / float(STD.min())


def picture(width: int, height: int, seed: int = 1) -> np.ndarray:
    """(H, W, 3) uint8: blurred noise, so that there are edges and slopes of all directions."""
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 3), None, 0, 255, cv2.NORM_MINMAX)


def rule(size_wh: tuple[int, int]) -> Input:
    """The published one, as ``model.json`` has it."""
    return Input(size_wh, color="rgb", mean=tuple(map(float, MEAN)), std=tuple(map(float, STD)), resize="stretch")


def same(ours: np.ndarray, theirs: np.ndarray) -> None:
    """Within one rounding step of OpenCV's 8-bit resize."""
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=ROUNDING_STEP)


def cases(quick: bool) -> Iterator[Case]:
    """The published sizes, from a camera's picture."""
    width, height = (320, 180) if quick else (1280, 720)
    for side, bar in ((320, None), (640, 5.0)):
        yield _stretch(picture(width, height), (side, side), bar)
    yield _normalize(picture(640, 640))


def _stretch(image: np.ndarray, size_wh: tuple[int, int], bar: float | None) -> Case:
    how = rule(size_wh)
    out = np.empty((1, 3, size_wh[1], size_wh[0]), np.float32)
    tutorial = opencv.tutorial(image, size_wh, MEAN, STD)

    return Case(
        "{}×{} to {}×{}".format(*image.shape[1::-1], *size_wh),
        lambda: to_tensor(image, how, out=out)[0],
        lambda ours: same(ours, tutorial()),
        [
            Peer("OpenCV and NumPy", lambda: tutorial, same, bar),
            Peer("OpenCV blobFromImageWithParams", lambda: opencv.blob(image, size_wh, MEAN, STD), same),
            floors.read("the picture", image),
            floors.write("the tensor", out.shape),
        ],
    )


def _normalize(image: np.ndarray) -> Case:
    """Without the resize: what equals NumPy to the bit."""

    def numpy() -> np.ndarray:
        return np.ascontiguousarray(((image[:, :, ::-1].astype(np.float32) - MEAN) / STD).transpose(2, 0, 1))

    return Case(
        "{}×{}, no resize".format(*image.shape[1::-1]),
        lambda: ops.normalize(image, MEAN, STD, swap_rb=True),
        lambda ours: np.testing.assert_array_equal(ours, numpy()),
        [
            Peer("NumPy", lambda: numpy, np.testing.assert_array_equal),
            floors.read("the picture", image),
            floors.write("the tensor", (3, *image.shape[:2])),
        ],
    )
