"""``picamera2:`` with a double of the package, which exists on Raspberry Pis only."""

from __future__ import annotations

import sys
import time
import types
from concurrent.futures import Future

import numpy as np
import pytest

from edgedet.camera.sources import State, open_source
from edgedet.errors import SourceError


class Request:
    def __init__(self, camera):
        self.camera = camera

    def make_array(self, name):
        assert name == "main"
        width, height = self.camera.config["main"]["size"]
        return np.full((height, width, 3), [1, 2, 3], np.uint8)

    def get_metadata(self):
        return {"SensorTimestamp": int((time.monotonic() - 0.125) * 1e9), "ExposureTime": 1000}

    def release(self):
        self.camera.released += 1


class Job:
    """As the package's own: a future."""

    def __init__(self, result):
        self.future = Future()
        if result is not None:
            self.future.set_result(result)

    def get_result(self, timeout=None):
        return self.future.result(timeout=timeout)


class Picamera2:
    instances: list

    def __init__(self, number):
        if number > 0:
            raise IndexError("list index out of range")
        self.released, self.closed, self.started = 0, False, False
        self.instances.append(self)

    def create_video_configuration(self, main, controls):
        return {"main": main, "controls": controls}

    def configure(self, config):
        if config["main"]["size"] == (1, 1):
            raise RuntimeError("unsupported size")
        self.config = config

    def start(self):
        self.started = True

    def capture_request(self, wait):
        assert self.started and wait is False
        return Job(Request(self) if self.released < 3 else None)

    def close(self):
        self.closed = True


@pytest.fixture(autouse=True)
def package(monkeypatch):
    monkeypatch.setattr(Picamera2, "instances", [], raising=False)
    module = types.ModuleType("picamera2")
    module.Picamera2 = Picamera2
    monkeypatch.setitem(sys.modules, "picamera2", module)


def test_frames_with_the_sensors_time():
    with open_source("picamera2:0?size=64x48&rate=20", buffer=5, timeout_s=0.3) as source:
        frames = [source.read() for _ in range(3)]
        assert source.live and source.size_wh == (64, 48) and source.rate == 20
    camera = Picamera2.instances[0]
    assert camera.config == {"main": {"size": (64, 48), "format": "RGB888"}, "controls": {"FrameRate": 20}}
    assert camera.released == 3 and camera.closed
    assert frames[0].image[0, 0].tolist() == [1, 2, 3] and frames[0].color == "bgr"  # libcamera's RGB is blue first
    assert all(frame.captured_s == frame.source_s and frame.age_s() >= 0.12 for frame in frames)


def test_a_stall_is_a_timeout_and_the_camera_opened_again():
    with open_source("picamera2:", timeout_s=0.1) as source:
        while len(Picamera2.instances) < 2:
            source.read(20)
        assert source.state in (State.RUNNING, State.TIMEOUT)
    assert Picamera2.instances[0].closed


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("picamera2:3", "expected a camera, got list index"),
        ("picamera2:0?size=1x1", "a camera that starts, got unsupp"),
    ],
)
def test_what_can_not_be_opened(uri, words):
    with open_source(uri) as source, pytest.raises(SourceError, match=words):
        source.read()
    assert all(camera.closed for camera in Picamera2.instances)


def test_without_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "picamera2", None)
    with pytest.raises(SourceError, match="do sudo apt install python3-picamera2"):
        open_source("picamera2:")


def test_a_number_is_wanted():
    with pytest.raises(ValueError, match="expected picamera2:NUMBER, got 'front'"):
        open_source("picamera2:front")
