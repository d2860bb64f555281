"""A video file, decoded by the FFmpeg that is in OpenCV."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Optional

import cv2

from edgedet.camera.sources.base import Shot
from edgedet.camera.sources.opencv import Capture
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
        # An estimate in some containers, and nonsense in damaged ones.
        self._promised = min(max(self._capture.get(cv2.CAP_PROP_FRAME_COUNT), 0), 2**40)
        self.size_wh: Optional[tuple[int, int]] = self._capture.size_wh
        self.rate: Optional[float] = options.rate or self._capture.rate

    def _open(self) -> Capture:
        hint = "a video, got a file that FFmpeg can't open; convert it to MP4"
        return Capture(str(self._path), cv2.CAP_FFMPEG, self._name, hint)

    def grab(self, timeout_s: float) -> Shot:
        """See `Device.grab`. A file is waited for as long as it takes."""
        image = self._capture.read()
        if image is None and self._options.loop and self._read:
            self._capture.close()
            self._capture = self._open()
            self._read = 0
            image = self._capture.read()
        if image is None:
            raise self._end()
        self._read += 1
        return Shot(image, time.monotonic(), self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)

    def _end(self) -> Exception:
        if not self._read:
            return SourceError(f"{self._name}: expected frames, got none that can be decoded; convert it to MP4")
        if self._read < 0.95 * self._promised - 2:
            return EndOfStream(f"{self._name}: expected {self._promised:.0f} frames, got {self._read}; copy it again")
        return EndOfStream()

    def interrupt(self) -> None:
        """See `Device.interrupt`."""

    def close(self) -> None:
        """See `Device.close`."""
        self._capture.close()
