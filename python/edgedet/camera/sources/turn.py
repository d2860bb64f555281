"""Cameras that hang upside down: the option ``flip``."""

from __future__ import annotations

from typing import Callable, Optional

import cv2
import numpy as np
import numpy.typing as npt

from edgedet.image import to_bgr

Image = npt.NDArray[np.uint8]


def _rotation(code: int) -> Callable[[Image], Image]:
    return lambda image: np.asarray(cv2.rotate(image, code), np.uint8)


def _mirror(code: int) -> Callable[[Image], Image]:
    return lambda image: np.asarray(cv2.flip(image, code), np.uint8)


#: The option's values; the numbers are degrees clockwise.
FLIPS: dict[str, Callable[[Image], Image]] = {
    "horizontal": _mirror(1),
    "vertical": _mirror(0),
    "90": _rotation(cv2.ROTATE_90_CLOCKWISE),
    "180": _rotation(cv2.ROTATE_180),
    "270": _rotation(cv2.ROTATE_90_COUNTERCLOCKWISE),
}


def turned(image: Image, color: str, flip: Optional[str]) -> tuple[Image, str]:
    """The image as ``flip`` says (a name in `FLIPS`; None: as it is), and its colour: BGR if it had to be made so."""
    if flip is None:
        return image, color
    if color in ("bgr", "rgb"):
        return FLIPS[flip](image), color
    return FLIPS[flip](to_bgr(image, color)), "bgr"
