"""A camera's frame to the network's input: a border around it, or YUV of which nobody makes a BGR picture first."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from benchmarks import floors
from benchmarks.case import Case, Job, Peer
from benchmarks.peers import opencv
from benchmarks.workloads.preprocess import MEAN, STD, picture
from edgedet.image import to_tensor
from edgedet.spec import Input

SIZE_WH = (640, 640)
GREY = 114


def cases(quick: bool) -> Iterator[Case]:
    """One picture, as BGR and as the two layouts of YUV that cameras give."""
    bgr = picture(320, 180) if quick else picture(1280, 720)
    yield _letterbox(bgr)
    height, width = bgr.shape[:2]
    i420 = cv2.cvtColor(bgr, cv2.COLOR_BGR2YUV_I420)
    chroma = i420[height:].reshape(2, -1)
    nv12 = np.concatenate([i420[:height], chroma.T.reshape(-1, width)])
    u, v = (plane.reshape(height // 2, width // 2).repeat(2, 0) for plane in chroma)
    yuyv = np.dstack([i420[:height], np.dstack([u, v]).reshape(height, width)])
    yield _yuv("NV12", nv12, cv2.COLOR_YUV2BGR_NV12)
    yield _yuv("YUYV", yuyv, cv2.COLOR_YUV2BGR_YUYV)


def _rule(resize: str) -> Input:
    return Input(SIZE_WH, color="rgb", mean=tuple(map(float, MEAN)), std=tuple(map(float, STD)), resize=resize)


def _letterbox(image: np.ndarray) -> Case:
    height, width = image.shape[:2]
    scale = min(SIZE_WH[0] / width, SIZE_WH[1] / height)
    inner = round(width * scale), round(height * scale)
    left, top = (SIZE_WH[0] - inner[0]) // 2, (SIZE_WH[1] - inner[1]) // 2
    rest = SIZE_WH[1] - inner[1] - top, SIZE_WH[0] - inner[0] - left

    def tutorial() -> np.ndarray:
        resized = cv2.resize(image, inner, interpolation=cv2.INTER_LINEAR)
        framed = cv2.copyMakeBorder(resized, top, rest[0], left, rest[1], cv2.BORDER_CONSTANT, value=(GREY,) * 3)
        pixels = cv2.cvtColor(framed, cv2.COLOR_BGR2RGB).astype(np.float32)
        return np.ascontiguousarray(((pixels - MEAN) / STD).transpose(2, 0, 1)[None])

    rule, out = _rule("letterbox"), np.empty((1, 3, *SIZE_WH[::-1]), np.float32)
    return _case(f"{width}×{height} framed in {SIZE_WH[0]}×{SIZE_WH[1]}", image, tutorial, rule, "bgr", out)


def _yuv(name: str, frame: np.ndarray, code: int) -> Case:
    shown = cv2.cvtColor(frame, code)

    def tutorial() -> np.ndarray:
        return opencv.tutorial(cv2.cvtColor(frame, code), SIZE_WH, MEAN, STD)()

    rule, out = _rule("stretch"), np.empty((1, 3, *SIZE_WH[::-1]), np.float32)
    sizes = "{}×{} to {}×{}".format(*shown.shape[1::-1], *SIZE_WH)
    return _case(f"{name}, {sizes}", frame, tutorial, rule, name.lower(), out)


def _case(name: str, image: np.ndarray, tutorial: Job, rule: Input, color: str, out: np.ndarray) -> Case:
    return Case(
        name,
        lambda: to_tensor(image, rule, color=color, out=out)[0],
        # Not a bit of difference, the border and the colours included.
        lambda ours: np.testing.assert_array_equal(ours, tutorial()),
        [
            Peer("OpenCV and NumPy", lambda: tutorial, np.testing.assert_array_equal, 5.0),
            floors.read("the frame", image),
            floors.write("the tensor", out.shape),
        ],
    )
