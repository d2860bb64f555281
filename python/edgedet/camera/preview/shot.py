"""One result as the page's clients get it."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edgedet.camera.result import Result
from edgedet.results import Detections


class Shot:
    """A result's picture and words; the picture is encoded when the first client asks for it, and once for all.

    Nobody asks when nobody looks: then a frame costs nothing here.
    """

    def __init__(self, number: int, result: Result, quality: int) -> None:
        """``number`` counts from 1; ``quality`` is JPEG's, 1 to 100."""
        self.number = number
        self.source = result.frame.source
        self._result = result
        self._quality = quality
        self._lock = threading.Lock()
        self._jpeg: bytes | None = None

    def message(self) -> bytes:
        """What the page's ``see`` takes apart: length of the words, words, the picture with nothing drawn on it."""
        with self._lock:
            if self._jpeg is None:
                self._jpeg = self._encode(self._result.picture)
        result = self._result
        head = {
            "number": self.number,
            "source": self.source,
            "size_wh": result.image_wh,
            "captured_s": result.frame.captured_s,
            "found": [entry for entry in result.to_dict()["detections"] if "score" in entry],
            # Waiting for the camera is no work of anybody's.
            "stages": {name: value for name, value in result.times._asdict().items() if name != "capture"},
            "now_s": time.monotonic(),
        }
        words = json.dumps(head, separators=(",", ":")).encode()
        return len(words).to_bytes(4, "big") + words + self._jpeg

    def drawn(self, threshold: float) -> bytes:
        """A JPEG with the things drawn that score more than ``threshold``."""
        picture = self._result.picture
        for output in self._result.outputs.values():
            if isinstance(output, Detections):
                output = output[output.scores > threshold]
            if hasattr(output, "draw"):
                picture = output.draw(picture)
        return self._encode(picture)

    def _encode(self, picture: npt.NDArray[Any]) -> bytes:
        ok, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, self._quality])
        if not ok:
            raise ValueError(f"frame: expected one that JPEG takes, got {picture.shape}; make it smaller")
        return bytes(np.asarray(data).data)
