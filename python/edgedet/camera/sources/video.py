"""A video file, decoded by the FFmpeg that is in OpenCV."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Optional

import cv2
import numpy as np

from edgedet.camera.sources.base import MAX_PIXELS, Shot
from edgedet.camera.sources.options import Options
from edgedet.errors import EndOfStream, SourceError


class VideoDevice:
    """An open video; begins again at its end if it is to loop."""

    damaged = 0

    def __init__(self, path: Path, options: Options, name: str) -> None:
        self._path = path.resolve()  # absolute: FFmpeg would take what is before a colon for a protocol
        self._options = options
        self._name = name
        self._capture = self._open()
        self._read = 0

    def _open(self) -> cv2.VideoCapture:
        capture = cv2.VideoCapture(str(self._path), cv2.CAP_FFMPEG)
        if not capture.isOpened():
            raise SourceError(f"{self._name}: expected a video, got a file that FFmpeg can't open; convert it to MP4")
        width, height = (int(capture.get(side)) for side in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
        if not 0 < width * height <= MAX_PIXELS:
            capture.release()
            raise SourceError(f"{self._name}: expected up to {MAX_PIXELS} pixels, got {width}x{height}; scale it down")
        self.size_wh: Optional[tuple[int, int]] = (width, height)
        rate = capture.get(cv2.CAP_PROP_FPS)
        self.rate: Optional[float] = self._options.rate or (rate if 0 < rate < 1000 else None)
        self._promised = int(min(max(capture.get(cv2.CAP_PROP_FRAME_COUNT), 0), 2**40))
        return capture

    def grab(self, timeout_s: float) -> Shot:
        """See `Device.grab`. A file is waited for as long as it takes."""
        ok, image = self._capture.read()
        if not ok and self._options.loop and self._read:
            self._capture.release()
            self._capture = self._open()
            self._read = 0
            ok, image = self._capture.read()
        if not ok:
            raise self._end()
        self._read += 1
        return Shot(np.asarray(image, np.uint8), time.monotonic(), self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)

    def _end(self) -> Exception:
        if not self._read:
            return SourceError(f"{self._name}: expected frames, got none that can be decoded; convert it to MP4")
        # The number is an estimate in some containers.
        if self._read < 0.95 * self._promised - 2:
            return EndOfStream(f"{self._name}: expected {self._promised} frames, got {self._read}; copy it again")
        return EndOfStream()

    def interrupt(self) -> None:
        """See `Device.interrupt`."""

    def close(self) -> None:
        """See `Device.close`."""
        self._capture.release()
