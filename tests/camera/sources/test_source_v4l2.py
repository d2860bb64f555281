"""``v4l2://``: with a double of OpenCV's capture, and with a real camera where there is one."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgedet.camera.sources import open_source, v4l2
from edgedet.errors import SourceError


class Camera:
    """What OpenCV gives for a camera that can do 640x480 and 1280x720, MJPG or YUYV."""

    opened: list
    stamp_s: float = 0.0
    gives = True

    def __init__(self, what, backend):
        self.what, self.backend = what, backend
        self.order = []
        self.values = {
            cv2.CAP_PROP_FRAME_WIDTH: 640,
            cv2.CAP_PROP_FRAME_HEIGHT: 480,
            cv2.CAP_PROP_FPS: 30,
            cv2.CAP_PROP_FOURCC: cv2.VideoWriter_fourcc(*"YUYV"),
            cv2.CAP_PROP_BUFFERSIZE: 4,
        }
        self.released = False
        Camera.opened.append(self)

    def set(self, key, value):
        """Takes what is nearest, as drivers do."""
        self.order.append(key)
        if key == cv2.CAP_PROP_FRAME_WIDTH:
            self.values[cv2.CAP_PROP_FRAME_HEIGHT] = 720 if value > 640 else 480
            value = 1280 if value > 640 else 640
        known = [cv2.VideoWriter_fourcc(*name) for name in ("YUYV", "MJPG")]
        if key != cv2.CAP_PROP_FRAME_HEIGHT and (key != cv2.CAP_PROP_FOURCC or value in known):
            self.values[key] = value
        return True

    def isOpened(self):  # noqa: N802
        return True

    def get(self, key):
        if key == cv2.CAP_PROP_POS_MSEC:
            return 1000 * self.stamp_s
        return float(self.values.get(key, 0))

    def read(self):
        if not self.gives:
            return False, None
        size = self.values[cv2.CAP_PROP_FRAME_HEIGHT], self.values[cv2.CAP_PROP_FRAME_WIDTH]
        return True, np.zeros((*size, 3), np.uint8)

    def release(self):
        self.released = True


@pytest.fixture
def camera(monkeypatch, tmp_path):
    """A device file, and the double behind it."""
    monkeypatch.setattr(Camera, "opened", [], raising=False)
    monkeypatch.setattr(cv2, "VideoCapture", Camera)
    device = tmp_path / "video0"
    device.touch()
    return device


def test_what_is_asked_for_and_what_comes(camera):
    with open_source(f"v4l2://{camera}?size=1280x720&rate=15&codec=MJPG") as source:
        frame = source.read()
        assert frame.image.shape == (720, 1280, 3) and frame.color == "bgr"
        assert source.size_wh == (1280, 720) and source.rate == 15 and source.live
        assert frame.source == source.name == f"v4l2://{camera}"
    (opened,) = Camera.opened
    assert opened.what == str(camera) and opened.backend == cv2.CAP_V4L2
    assert opened.order.index(cv2.CAP_PROP_FOURCC) < opened.order.index(cv2.CAP_PROP_FRAME_WIDTH)  # sizes depend on it
    assert opened.values[cv2.CAP_PROP_BUFFERSIZE] == 1 and opened.released


def test_the_kernels_stamp_is_the_time_of_capture(camera, monkeypatch):
    monkeypatch.setattr(Camera, "stamp_s", time.monotonic() - 0.25)
    with open_source(f"v4l2://{camera}") as source:
        frame = source.read()
    assert frame.captured_s == pytest.approx(Camera.stamp_s) and frame.source_s == pytest.approx(Camera.stamp_s)


@pytest.mark.parametrize("stamp_s", [0.0, 1.7e9])
def test_a_stamp_of_another_clock_is_not_believed(camera, monkeypatch, stamp_s):
    monkeypatch.setattr(Camera, "stamp_s", stamp_s)
    before = time.monotonic()
    with open_source(f"v4l2://{camera}") as source:
        assert before <= source.read().captured_s <= time.monotonic()


@pytest.mark.parametrize(
    ("options", "words"),
    [("size=800x600", "expected 800x600, got 1280x720; choose"), ("codec=H264", "expected H264, got YUYV; choose")],
)
def test_what_the_camera_can_not_do_is_an_error(camera, options, words):
    with open_source(f"v4l2://{camera}?{options}") as source, pytest.raises(SourceError, match=words):
        source.read()
    assert Camera.opened[0].released


def test_a_camera_without_frames_is_lost(camera, monkeypatch):
    monkeypatch.setattr(Camera, "gives", False)
    with open_source(f"v4l2://{camera}") as source, pytest.raises(SourceError, match="got none from the driver"):
        source.read()


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOENT, "got no such device; choose another"),
        (errno.EACCES, "got no permission; do sudo usermod -aG video"),
        (errno.EBUSY, "got one that another program uses; end that"),
    ],
)
def test_why_a_camera_can_not_be_opened(monkeypatch, number, words):
    def refuse(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(v4l2.os, "open", refuse)
    monkeypatch.setattr(v4l2, "cameras", lambda: ["/dev/video2", "/dev/video4"])
    with open_source(7) as source, pytest.raises(SourceError, match=words) as caught:
        source.read()
    assert str(caught.value).startswith("v4l2:///dev/video7: expected a camera, got ")
    assert "/dev/video2, /dev/video4" in str(caught.value)


def test_a_device_that_is_no_camera(tmp_path, capfd):
    (tmp_path / "video0").touch()
    with open_source(f"v4l2://{tmp_path}/video0") as source, pytest.raises(SourceError, match="gives no video"):
        source.read()


@pytest.mark.parametrize("uri", ["v4l2:video0", "v4l2:", "v4l2://video0"])
def test_a_device_is_a_path(uri):
    with pytest.raises(ValueError, match="expected"):
        open_source(uri)


@pytest.mark.skipif(not Path("/dev/video0").exists(), reason="no camera here")
def test_a_real_camera():
    with open_source(0) as source:
        frames = [source.read() for _ in range(10)]
    assert all(frame.image.ndim == 3 and 0 <= frame.age_s() < 5 for frame in frames)
    assert (np.diff([frame.captured_s for frame in frames]) > 0).all()
