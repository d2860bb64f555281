"""``picamera2:0``: a camera on a Raspberry Pi's ribbon cable, by libcamera."""

from __future__ import annotations

import concurrent.futures
import time
from typing import Any, Optional

import numpy as np

from edgedet.camera.sources import options as source_options
from edgedet.camera.sources.address import Address, path_of
from edgedet.camera.sources.base import Shot, Source
from edgedet.camera.sources.clock import from_sensor
from edgedet.camera.sources.live import LiveSource
from edgedet.camera.sources.options import Options
from edgedet.errors import SourceError, SourceTimeout

SCHEMES = ("picamera2",)
OPTIONS = source_options.LIVE | {"size", "rate"}
OPTIONS_AFTER = "?"


def open(address: Address, options: Options) -> Source:
    """A source that captures from the camera with that number."""
    number = path_of(address).lstrip("/") or "0"
    if not number.isdigit():
        raise ValueError(f"{address.name}: expected picamera2:NUMBER, got {number!r}; write picamera2:0")
    _package()
    return LiveSource(address.name, options, lambda: Picamera2Device(int(number), options, address.name))


def _package() -> Any:
    try:
        import picamera2
    except ImportError as error:
        raise SourceError(
            f"picamera2: expected the package picamera2, got {error}; do sudo apt install python3-picamera2 "
            "and make the environment with --system-site-packages"
        ) from error
    return picamera2


class Picamera2Device:
    """A camera that runs."""

    damaged = 0

    def __init__(self, number: int, options: Options, name: str) -> None:
        self._name = name
        self.size_wh: Optional[tuple[int, int]] = options.size_wh or (1280, 720)
        self.rate: Optional[float] = options.rate
        try:
            self._camera = _package().Picamera2(number)
        except (IndexError, RuntimeError) as error:
            raise SourceError(f"{name}: expected a camera, got {error}; check its cable with rpicam-hello") from error
        try:
            # What libcamera calls RGB888 has blue first in memory.
            main = {"size": self.size_wh, "format": "RGB888"}
            controls = {"FrameRate": options.rate} if options.rate is not None else {}
            self._camera.configure(self._camera.create_video_configuration(main=main, controls=controls))
            self._camera.start()
        except RuntimeError as error:
            self._camera.close()
            raise SourceError(f"{name}: expected a camera that starts, got {error}; choose another size") from error

    def grab(self, timeout_s: float) -> Shot:
        """See `Device.grab`."""
        try:
            request = self._camera.capture_request(wait=False).get_result(timeout=timeout_s)
        except (concurrent.futures.TimeoutError, TimeoutError):
            raise SourceTimeout(
                f"{self._name}: expected a frame within {timeout_s:g} s, got none; check the camera's cable"
            ) from None
        arrived_s = time.monotonic()
        try:
            image = np.asarray(request.make_array("main"), np.uint8)
            stamp = request.get_metadata().get("SensorTimestamp")
        finally:
            request.release()
        source_s = None if stamp is None else stamp / 1e9
        return Shot(image, arrived_s if source_s is None else from_sensor(source_s, arrived_s), source_s)

    def interrupt(self) -> None:
        """See `Device.interrupt`."""

    def close(self) -> None:
        """See `Device.close`."""
        self._camera.close()
