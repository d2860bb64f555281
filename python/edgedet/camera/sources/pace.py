"""Plays a file as a camera would show it."""

from __future__ import annotations

import threading
import time
from typing import Optional

from edgedet.camera.sources.base import Device, Shot

_RATE = 25.0  # of pictures that don't say


class Paced:
    """A device that gives another's pictures at a steady rate."""

    def __init__(self, device: Device, rate: Optional[float]) -> None:
        self.rate: float = rate or device.rate or _RATE
        self._device = device
        self._due_s: Optional[float] = None
        self._interrupted = threading.Event()

    @property
    def size_wh(self) -> Optional[tuple[int, int]]:
        """See `Device.size_wh`."""
        return self._device.size_wh

    @property
    def damaged(self) -> int:
        """See `Device.damaged`."""
        return self._device.damaged

    def grab(self, timeout_s: float) -> Shot:
        """See `Device.grab`; decoding comes before the wait, so that it is no part of the picture's age."""
        shot = self._device.grab(timeout_s)
        now = time.monotonic()
        due_s = now if self._due_s is None or now - self._due_s > 1 / self.rate else self._due_s
        self._interrupted.wait(due_s - now)
        self._due_s = due_s + 1 / self.rate
        return shot._replace(captured_s=time.monotonic())

    def interrupt(self) -> None:
        """See `Device.interrupt`."""
        self._interrupted.set()
        self._device.interrupt()

    def close(self) -> None:
        """See `Device.close`."""
        self._device.close()
