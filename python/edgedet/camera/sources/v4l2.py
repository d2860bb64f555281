"""``v4l2:///dev/video0`` or ``0``: a camera of this machine."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path
from typing import Optional

import cv2

from edgedet.camera.sources import options as source_options
from edgedet.camera.sources.address import Address, path_of
from edgedet.camera.sources.base import Shot, Source
from edgedet.camera.sources.clock import from_sensor
from edgedet.camera.sources.live import LiveSource
from edgedet.camera.sources.opencv import Capture
from edgedet.camera.sources.options import Options
from edgedet.errors import SourceError

SCHEMES = ("v4l2",)
OPTIONS = source_options.LIVE | {"size", "rate", "codec"}
OPTIONS_AFTER = "?"
_REASONS = {
    errno.ENOENT: "no such device",
    errno.EACCES: "no permission; do sudo usermod -aG video $USER and log in again, or choose another",
    errno.EBUSY: "one that another program uses; end that, or choose another",
}


def open(address: Address, options: Options) -> Source:
    """A source that captures from the device; OpenCV makes BGR of whatever it sends."""
    path = Path(path_of(address))
    if not path.is_absolute():
        raise ValueError(f"{address.name}: expected v4l2:///dev/videoN, got {str(path)!r}; write the device's path")
    return LiveSource(address.name, options, lambda: V4l2Device(path, options, address.name))


def cameras() -> list[str]:
    """The video devices of this machine."""
    return sorted(map(str, Path("/dev").glob("video*")))


def _others() -> str:
    return ", ".join(cameras()) or "none, so connect a camera"


class V4l2Device:
    """An open camera."""

    damaged = 0

    def __init__(self, path: Path, options: Options, name: str) -> None:
        self._name = name
        self._check(path)
        settings: dict[int, float] = {cv2.CAP_PROP_BUFFERSIZE: 1}
        # The pixel format first: what sizes and rates there are depends on it.
        if options.codec is not None:
            settings[cv2.CAP_PROP_FOURCC] = _fourcc(options.codec)
        if options.size_wh is not None:
            settings.update(zip((cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT), options.size_wh))
        if options.rate is not None:
            settings[cv2.CAP_PROP_FPS] = options.rate
        hint = f"a camera, got a device that gives no video; choose another (there is {_others()})"
        self._capture = Capture(str(path), cv2.CAP_V4L2, name, hint, wanted=settings)
        self.size_wh: Optional[tuple[int, int]] = self._capture.size_wh
        self.rate: Optional[float] = self._capture.rate
        self._compare(options)

    def _check(self, path: Path) -> None:
        """OpenCV does not say why it can't open a device; the system does."""
        try:
            os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK))
        except OSError as error:
            reason = _REASONS.get(error.errno or 0, error.strerror or "")
            end = "" if ";" in reason else "; choose another"
            raise SourceError(f"{self._name}: expected a camera, got {reason}{end} (there is {_others()})") from error

    def _compare(self, options: Options) -> None:
        """Drivers take what is nearest to what they were asked for, without a word."""
        codec = _letters(self._capture.get(cv2.CAP_PROP_FOURCC))
        wrong = ""
        if options.size_wh not in (None, self.size_wh):
            wrong = "x".join(map(str, options.size_wh or ())) + ", got " + "x".join(map(str, self.size_wh or ("?",)))
        elif options.codec not in (None, codec):
            wrong = f"{options.codec}, got {codec}"
        if wrong:
            self.close()
            raise SourceError(
                f"{self._name}: expected {wrong}; choose what v4l2-ctl --list-formats-ext shows for this camera"
            )

    def grab(self, timeout_s: float) -> Shot:
        """See `Device.grab`; the timeout is the driver's."""
        image = self._capture.read()
        arrived_s = time.monotonic()
        if image is None:
            raise SourceError(f"{self._name}: expected a frame, got none from the driver; check the camera's cable")
        # The driver's own stamp, of the clock that Python's monotonic is.
        stamp_s = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
        return Shot(image, from_sensor(stamp_s, arrived_s), stamp_s if stamp_s > 0 else None)

    def interrupt(self) -> None:
        """See `Device.interrupt`. The driver can't be."""

    def close(self) -> None:
        """See `Device.close`."""
        self._capture.close()


def _fourcc(codec: str) -> int:
    return int.from_bytes(codec.ljust(4).encode("ascii"), "little")


def _letters(fourcc: float) -> str:
    return int(fourcc).to_bytes(4, "little", signed=int(fourcc) < 0).decode("latin-1").strip()
