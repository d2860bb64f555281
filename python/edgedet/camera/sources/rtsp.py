"""``rtsp://host/path`` and ``rtsps://``: a network camera, by the FFmpeg that is in OpenCV."""

from __future__ import annotations

import math
import socket
import time
from typing import Optional
from urllib.parse import urlsplit

import cv2

from edgedet.camera.sources import options as source_options
from edgedet.camera.sources.address import Address
from edgedet.camera.sources.base import Shot, Source
from edgedet.camera.sources.clock import StreamClock
from edgedet.camera.sources.live import LiveSource
from edgedet.camera.sources.opencv import Capture, limits
from edgedet.camera.sources.options import Options
from edgedet.errors import SourceError

SCHEMES = ("rtsp", "rtsps")
OPTIONS = source_options.LIVE
OPTIONS_AFTER = "#"
_PORTS = {"rtsp": 554, "rtsps": 322}


def open(address: Address, options: Options) -> Source:
    """A source that plays the stream, over TCP where the camera can."""
    try:
        parts = urlsplit(address.text)
        host, port = parts.hostname, parts.port or _PORTS[address.scheme]
    except ValueError:
        host, port = None, 0
    if not host:
        raise ValueError(
            f"{address.name}: expected {address.scheme}://HOST[:PORT]/PATH, got no host; "
            "name the camera, and write signs such as / # @ in a password as %2F %23 %40"
        )
    there = host, port
    return LiveSource(address.name, options, lambda: RtspDevice(address, there, options))


class RtspDevice:
    """A stream that is being played."""

    damaged = 0
    # Frames that wait in FFmpeg when it has looked at the stream's beginning, at most; how many in a row must come no
    # faster than the camera takes them, to be sure; by how much they may; and what is no burst in any case.
    _MOST_LATE, _SURE, _JITTER_S, _SLOW_S = 250, 3, 0.005, 0.5

    def __init__(self, address: Address, there: tuple[str, int], options: Options) -> None:
        self._name = address.name
        self._answers(there, options.timeout_s)
        hint = (
            "a video stream, got none from a host that answers; correct the path, the user or the password "
            "(FFmpeg's reason is on stderr)"
        )
        self._capture = Capture(address.text, cv2.CAP_FFMPEG, address.name, hint, needed=limits(options.timeout_s))
        self._clock = StreamClock()
        self._lost_s = options.timeout_s
        self.size_wh: Optional[tuple[int, int]] = self._capture.size_wh
        self.rate: Optional[float] = self._capture.rate
        self._catch_up()

    def _answers(self, there: tuple[str, int], timeout_s: float) -> None:
        """FFmpeg's reasons go to stderr, so what the network has to say is asked for first."""
        try:
            socket.create_connection(there, timeout_s).close()
        except OSError as error:
            reason = error.strerror or f"no answer within {timeout_s:g} s"
            raise SourceError(
                f"{self._name}: expected a camera, got {reason.lower()}; check its address, its power and the network"
            ) from error

    def _catch_up(self) -> None:
        """Throws away what came while FFmpeg looked at the stream: a second of old frames, decoded in a burst."""
        best_s, waited = math.inf, 0
        for _ in range(self._MOST_LATE):
            asked_s = time.monotonic()
            if waited == self._SURE or not self._capture.skip():
                return  # if there is no frame the next grab will say so
            if time.monotonic() - asked_s > self._SLOW_S:
                return  # a camera that takes few pictures
            lead_s = time.monotonic() - self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            # As long as each is less late than all before it, they still come faster than they were taken.
            waited = 0 if lead_s < best_s - self._JITTER_S else waited + 1
            best_s = min(best_s, lead_s)

    def grab(self, timeout_s: float) -> Shot:
        """See `Device.grab`; the timeout is that given to FFmpeg when it was opened."""
        image = self._capture.read()
        arrived_s = time.monotonic()
        if image is None:
            raise SourceError(
                f"{self._name}: expected a frame, got the stream's end or nothing for {self._lost_s:g} s; "
                "check the camera and the network"
            )
        source_s = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
        return Shot(image, self._clock.captured_s(source_s, arrived_s), source_s)

    def interrupt(self) -> None:
        """See `Device.interrupt`. FFmpeg can't be."""

    def close(self) -> None:
        """See `Device.close`."""
        self._capture.close()
