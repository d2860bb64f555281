"""``http://`` and ``https://``: a network camera that sends MJPEG, or one JPEG for each request."""

from __future__ import annotations

import threading
import time
from typing import Optional

import numpy as np
import numpy.typing as npt

from edgedet.camera.sources import options as source_options
from edgedet.camera.sources import picture, web
from edgedet.camera.sources.address import Address
from edgedet.camera.sources.base import Device, Shot, Source
from edgedet.camera.sources.clock import StreamClock
from edgedet.camera.sources.live import LiveSource
from edgedet.camera.sources.multipart import MAX_PART, PartReader, boundary_of
from edgedet.camera.sources.options import Options
from edgedet.errors import EndOfStream, SourceError, SourceTimeout

SCHEMES = ("http", "https")
OPTIONS = source_options.LIVE | {"rate"}
OPTIONS_AFTER = "#"
_RATE = 5.0  # requests per second to a camera that sends one picture for each


def open(address: Address, options: Options) -> Source:
    """A source that reads the camera's pictures."""
    web.check(address)
    return LiveSource(address.name, options, lambda: _device(address, options))


def _device(address: Address, options: Options) -> Device:
    """What fits the camera's answer."""
    page = web.Page(address, options.timeout_s)
    boundary = boundary_of(page.content_type)
    if boundary is not None:
        return MjpegDevice(address.name, page, boundary)
    page.close()
    if page.content_type.lower().startswith("image/jpeg"):
        return SnapshotDevice(address, options)
    raise SourceError(
        f"{address.name}: expected multipart/x-mixed-replace or image/jpeg, got {page.content_type[:80]!r}; "
        "give the address of the camera's MJPEG stream, not that of its page"
    )


def _decoded(data: bytes) -> npt.NDArray[np.uint8]:
    if not data.startswith(b"\xff\xd8"):
        raise SourceError("expected a JPEG")
    return picture.decode(data, "a picture")


class MjpegDevice:
    """A connection that picture after picture comes through; those that are damaged are passed over."""

    size_wh: Optional[tuple[int, int]] = None
    rate: Optional[float] = None

    def __init__(self, name: str, page: web.Page, boundary: bytes) -> None:
        self.damaged = 0
        self._name = name
        self._page = page
        self._parts = PartReader(page.read, boundary, name)
        self._clock = StreamClock()

    def grab(self, timeout_s: float) -> Shot:
        """See `Device.grab`."""
        self._page.until(time.monotonic() + timeout_s)
        while True:
            try:
                part = self._parts.next_part()
            except EndOfStream:  # a camera has no last picture
                raise SourceError(
                    f"{self._name}: expected another picture, got the connection's end; check the camera"
                ) from None
            try:
                image = _decoded(part.data)
            except SourceError:
                self.damaged += 1
                continue
            captured_s = part.arrived_s
            if part.stamp_s is not None:
                captured_s = self._clock.captured_s(part.stamp_s, part.arrived_s)
            return Shot(image, captured_s, part.stamp_s)

    def interrupt(self) -> None:
        """See `Device.interrupt`."""
        self._page.interrupt()

    def close(self) -> None:
        """See `Device.close`."""
        self._page.close()


class SnapshotDevice:
    """A camera that is asked for one picture after the other, at the option's rate."""

    size_wh: Optional[tuple[int, int]] = None

    def __init__(self, address: Address, options: Options) -> None:
        self.rate: Optional[float] = options.rate or _RATE
        self.damaged = 0
        self._address = address
        self._period_s = 1 / (options.rate or _RATE)
        self._due_s = time.monotonic()
        self._interrupted = threading.Event()

    def grab(self, timeout_s: float) -> Shot:
        """See `Device.grab`; a damaged picture is an answer like none, to be asked for again."""
        deadline = time.monotonic() + timeout_s
        while True:
            self._interrupted.wait(max(0.0, self._due_s - time.monotonic()))
            self._due_s = max(self._due_s + self._period_s, time.monotonic())
            data, arrived_s = self._asked(deadline)
            try:
                return Shot(_decoded(data), arrived_s)
            except SourceError:
                self.damaged += 1
            if time.monotonic() > deadline or self._interrupted.is_set():
                raise SourceTimeout(
                    f"{self._address.name}: expected a JPEG in time, got nothing but damaged ones; check the camera"
                )

    def _asked(self, deadline: float) -> tuple[bytes, float]:
        page = web.Page(self._address, max(0.1, deadline - time.monotonic()))
        try:
            page.until(deadline)
            arrived_s = time.monotonic()
            data = b""
            while chunk := page.read():
                data += chunk
                if len(data) > MAX_PART:
                    raise SourceError(
                        f"{self._address.name}: expected a JPEG, got more than {MAX_PART} bytes; shrink it"
                    )
            return data, arrived_s
        finally:
            page.close()

    def interrupt(self) -> None:
        """See `Device.interrupt`; a request under way ends with its timeout."""
        self._interrupted.set()

    def close(self) -> None:
        """See `Device.close`."""
