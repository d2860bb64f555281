"""What OpenCV can open: cameras by V4L2, streams and files by its FFmpeg."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Optional

import cv2
import numpy as np
import numpy.typing as npt

from edgedet.camera.sources.base import MAX_PIXELS
from edgedet.errors import SourceError


def limits(timeout_s: float) -> dict[int, float]:
    """Settings of streams: time limits, and one thread; those among them that this OpenCV knows."""
    settings = {
        "CAP_PROP_OPEN_TIMEOUT_MSEC": 1000 * timeout_s,
        "CAP_PROP_READ_TIMEOUT_MSEC": 1000 * timeout_s,
        # With several, FFmpeg holds back as many frames as there are threads but one.
        "CAP_PROP_N_THREADS": 1,
    }
    return {getattr(cv2, name): value for name, value in settings.items() if hasattr(cv2, name)}


class Capture:
    """An open `cv2.VideoCapture`.

    Raises:
        SourceError: it can't be opened, or its pictures are too large.
    """

    def __init__(
        self,
        what: str,
        backend: int,
        name: str,
        hint: str,
        *,
        needed: Optional[Mapping[int, float]] = None,
        wanted: Optional[Mapping[int, float]] = None,
    ) -> None:
        """Opens ``what``; the message if that fails begins with ``name`` and ends with ``hint``: *a …, got …; do …*.

        ``needed`` are settings that it can't be opened without, ``wanted`` those that it may refuse.
        """
        numbers = [int(number) for setting in (needed or {}).items() for number in setting]
        self._capture = cv2.VideoCapture(what, backend, *([numbers] if numbers else []))
        if not self._capture.isOpened():
            raise SourceError(f"{name}: expected {hint}")
        for setting, value in (wanted or {}).items():
            self._capture.set(setting, value)
        width, height = (int(self.get(side)) for side in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
        if width * height > MAX_PIXELS:
            self.close()
            raise SourceError(f"{name}: expected up to {MAX_PIXELS} pixels, got {width}x{height}; scale it down")
        self.size_wh: Optional[tuple[int, int]] = (width, height) if width > 0 and height > 0 else None
        rate = self.get(cv2.CAP_PROP_FPS)
        self.rate: Optional[float] = rate if 0 < rate < 1000 else None

    def get(self, setting: int) -> float:
        """The value of one of OpenCV's ``CAP_PROP_``."""
        return float(self._capture.get(setting))

    def read(self) -> Optional[npt.NDArray[np.uint8]]:
        """The next picture, (H, W, 3) uint8 BGR; None if there is none, whatever the reason."""
        try:
            ok, image = self._capture.read()
        except cv2.error:
            return None
        return np.asarray(image, np.uint8) if ok else None

    def skip(self) -> bool:
        """Takes the next picture without giving it; whether there was one."""
        return bool(self._capture.grab())

    def close(self) -> None:
        """Closes it."""
        self._capture.release()
