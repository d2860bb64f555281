"""``gst:PIPELINE``: whatever GStreamer can capture, decode or receive, through PyGObject's appsink."""

from __future__ import annotations

import ctypes
import threading
import time
from contextlib import suppress
from typing import Any, Optional

import numpy as np
import numpy.typing as npt

from edgedet.camera.sources import options as source_options
from edgedet.camera.sources.address import Address, masked
from edgedet.camera.sources.base import Shot, Source
from edgedet.camera.sources.direct import DirectSource
from edgedet.camera.sources.live import LiveSource
from edgedet.camera.sources.options import Options
from edgedet.errors import EndOfStream, SourceError, SourceTimeout

SCHEMES = ("gst",)
OPTIONS = source_options.LIVE | {"live"}
OPTIONS_AFTER = ""  # a pipeline may hold any sign
# GStreamer's names, ours, and what is in memory: bytes per row and rows of each plane, over width and height.
_FORMATS: dict[str, tuple[str, tuple[tuple[float, float], ...]]] = {
    "BGR": ("bgr", ((3, 1),)),
    "RGB": ("rgb", ((3, 1),)),
    "NV12": ("nv12", ((1, 1), (1, 0.5))),
    "I420": ("i420", ((1, 1), (0.5, 0.5), (0.5, 0.5))),
    "YUY2": ("yuyv", ((2, 1),)),
}
# What comes as one of these is taken as it is, the rest converted: odd sizes, and YUV that edgedet.image would misread.
_CAPS = (
    "video/x-raw,format=(string){BGR,RGB}; video/x-raw,format=(string){NV12,I420,YUY2},"
    "colorimetry=(string)bt601,width=(int)[2,32766,2],height=(int)[2,32766,2]"
)
_SECOND = 1_000_000_000
# How long a grab stays in one call, in which nothing can wake it.
_SLICE_S = 0.1


def open(address: Address, options: Options) -> Source:
    """A source that runs the pipeline in its own time, or with ``live=False`` as fast as it is read."""
    gst()
    launch = address.text.partition(":")[2].strip().rstrip("!").strip()
    if not launch:
        raise ValueError("gst: expected a pipeline, got none; write what gst-launch-1.0 takes, without a sink")
    name = "gst:" + masked(launch)
    if options.live is False:
        return DirectSource(name, options, GstDevice(launch, name, live=False))
    return LiveSource(name, options, lambda: GstDevice(launch, name, live=True))


def gst() -> Any:
    """PyGObject's modules Gst and GstVideo.

    Raises:
        SourceError: they are not here.
    """
    # GStreamer brings libunwind, whose names hide those of GCC's unwinder from all libraries that are loaded later: the
    # first C++ exception in one of them (ONNX Runtime refuses a model) would end the process. So GCC's goes first.
    with suppress(OSError):
        ctypes.CDLL("libgcc_s.so.1", mode=ctypes.RTLD_GLOBAL)
    try:
        import gi

        for module in ("Gst", "GstApp", "GstVideo"):
            gi.require_version(module, "1.0")
        from gi.repository import Gst, GstApp, GstVideo  # noqa: F401  GstApp: gives appsink its methods
    except (ImportError, ValueError) as error:
        raise SourceError(
            f"gst: expected PyGObject and GStreamer, got {type(error).__name__}: {error}; "
            "do pip install 'edgedet[gst]' and apt install gir1.2-gst-plugins-base-1.0 gstreamer1.0-plugins-good"
        ) from error
    Gst.init(None)
    return Gst, GstVideo


class GstDevice:
    """A running pipeline."""

    damaged = 0
    size_wh: Optional[tuple[int, int]] = None
    rate: Optional[float] = None

    def __init__(self, launch: str, name: str, *, live: bool) -> None:
        self._gst, self._video = gst()
        self._name = name
        self._live = live
        self._interrupted = threading.Event()
        sink = f'appsink name=edgedet caps="{_CAPS}" max-buffers=2 drop={"true" if live else "false"} sync=false'
        try:
            self._pipeline = self._gst.parse_launch(f"{launch} ! videoconvert ! {sink}")
        except self._error_type() as error:
            raise SourceError(
                f"{name}: expected a pipeline, got {masked(str(error.message))}; try it with gst-launch-1.0"
            ) from None
        self._sink = self._pipeline.get_by_name("edgedet")
        self._start()

    def _error_type(self) -> Any:
        from gi.repository import GLib

        return GLib.Error

    def _start(self) -> None:
        states = self._gst.State
        # A camera has nothing to show before it runs; what is no camera must be made to keep the time.
        result = self._pipeline.set_state(states.PAUSED)
        if result == self._gst.StateChangeReturn.ASYNC:
            result = self._pipeline.get_state(5 * _SECOND)[0]
        if self._live and result != self._gst.StateChangeReturn.NO_PREROLL:
            self._sink.set_property("sync", True)
        if self._pipeline.set_state(states.PLAYING) == self._gst.StateChangeReturn.FAILURE:
            error = self._bus_error() or SourceError(
                f"{self._name}: expected a pipeline that runs, got none; try another"
            )
            self.close()
            raise error

    def grab(self, timeout_s: float) -> Shot:
        """See `Device.grab`."""
        deadline = time.monotonic() + timeout_s
        while True:
            left = deadline - time.monotonic()
            sample = self._sink.try_pull_sample(max(0, min(left, _SLICE_S)) * _SECOND)
            if sample is not None:
                return self._shot(sample, time.monotonic())
            error = self._bus_error()
            if error is not None:
                raise error
            if self._interrupted.is_set() or self._sink.is_eos():
                raise EndOfStream
            if left <= 0:
                raise SourceTimeout(
                    f"{self._name}: expected a frame within {timeout_s:g} s, got none; check the pipeline's beginning"
                )

    def _shot(self, sample: Any, arrived_s: float) -> Shot:
        info = self._video.VideoInfo.new_from_caps(sample.get_caps())
        self.size_wh = info.width, info.height
        if info.fps_n > 0:
            self.rate = info.fps_n / info.fps_d
        buffer = sample.get_buffer()
        source_s, captured_s = None, arrived_s
        if buffer.pts != self._gst.CLOCK_TIME_NONE:
            source_s = buffer.pts / _SECOND
            captured_s = self._captured_s(sample.get_segment(), buffer.pts, arrived_s)
        color, _ = _FORMATS[info.finfo.name]
        return Shot(self._pixels(buffer, info), captured_s, source_s, color)

    def _captured_s(self, segment: Any, pts: int, arrived_s: float) -> float:
        """A live pipeline's time stamps are the time on its clock at which a frame was captured."""
        clock = self._pipeline.get_clock()
        running = segment.to_running_time(self._gst.Format.TIME, pts)
        if not self._live or clock is None or running == self._gst.CLOCK_TIME_NONE:
            return arrived_s
        age_s: float = (clock.get_time() - self._pipeline.get_base_time() - running) / _SECOND
        return arrived_s - max(0.0, age_s)

    def _pixels(self, buffer: Any, info: Any) -> npt.NDArray[np.uint8]:
        """The array that `edgedet.image` knows by that colour: planes one below the other, no bytes between rows."""
        layout = self._video.buffer_get_video_meta(buffer) or info
        data = np.frombuffer(buffer.extract_dup(0, buffer.get_size()), np.uint8)
        planes = [
            np.ndarray((int(info.height * rows), int(info.width * row)), np.uint8, data, offset, (stride, 1)).reshape(
                -1
            )
            for (row, rows), offset, stride in zip(_FORMATS[info.finfo.name][1], layout.offset, layout.stride)
        ]
        pixels = np.concatenate(planes)
        if len(planes) > 1:
            return pixels.reshape(-1, info.width)
        return pixels.reshape(info.height, info.width, -1)

    def _bus_error(self) -> Optional[SourceError]:
        message = self._pipeline.get_bus().pop_filtered(self._gst.MessageType.ERROR)
        if message is None:
            return None
        error, _ = message.parse_error()
        origin = message.src.get_name() if message.src is not None else "the pipeline"
        return SourceError(f"{self._name}: expected frames, got from {origin}: {masked(error.message)}; try another")

    def interrupt(self) -> None:
        """See `Device.interrupt`."""
        self._interrupted.set()

    def close(self) -> None:
        """See `Device.close`."""
        self._pipeline.set_state(self._gst.State.NULL)
