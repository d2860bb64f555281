"""What a live source does with a camera that fails, stalls, hangs or sends nonsense: a double is the camera."""

from __future__ import annotations

import math
import threading
import time

import numpy as np
import pytest

from edgedet.camera.sources import State
from edgedet.camera.sources.backoff import Backoff
from edgedet.camera.sources.base import MAX_PIXELS, Shot
from edgedet.camera.sources.live import MAX_STUCK, LiveSource
from edgedet.camera.sources.options import Options
from edgedet.errors import EndOfStream, SourceError, SourceTimeout

QUICK = Backoff(first_s=0.001, most_s=0.002)
IMAGE = np.zeros((4, 6, 3), np.uint8)


class Camera:
    """Follows a script: ``ok`` a frame, ``hang`` until let go, an exception is raised, ``big`` too large a frame.

    A script for each connection; after the last the camera refuses.
    """

    def __init__(self, *scripts):
        self.scripts = [list(script) for script in scripts]
        self.connections = self.closed = self.hanging = 0
        self.go = threading.Event()
        self.lock = threading.Lock()

    def connect(self):
        with self.lock:
            self.connections += 1
            if not self.scripts:
                raise SourceError("cam: expected a camera, got no answer; plug it in")
            script = self.scripts.pop(0)
        if script[:1] == ["refuse"]:
            raise SourceError("cam: expected a camera, got a refusal; plug it in")
        return Device(self, script)


class Device:
    size_wh, rate, damaged = (6, 4), 25.0, 0

    def __init__(self, camera, script):
        self.camera, self.script = camera, script

    def grab(self, timeout_s):
        step = self.script.pop(0) if self.script else SourceError("cam: expected a frame, got a broken cable; mend it")
        if isinstance(step, Exception):
            raise step
        if step == "hang":
            self.camera.hanging += 1
            assert self.camera.go.wait(60)
        if step == "damaged":
            self.damaged += 1
        if isinstance(step, tuple):
            return Shot(np.broadcast_to(np.uint8(0), step), time.monotonic())
        return Shot(IMAGE, time.monotonic())

    def interrupt(self):
        pass

    def close(self):
        with self.camera.lock:
            self.camera.closed += 1


@pytest.fixture
def opened():
    """Opens live sources on a camera; closes them all and lets what hangs go."""
    running = []

    def start(camera, **options):
        options.setdefault("timeout_s", 5.0)
        running.append((LiveSource("cam", Options(**options), camera.connect, backoff=QUICK), camera))
        return running[-1][0]

    yield start
    for source, camera in running:
        camera.go.set()
        source.close()


def wait_for(condition):
    until = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < until
        threading.Event().wait(0.002)


def test_nothing_happens_before_the_first_read(opened):
    camera = Camera(["ok"])
    opened(camera)
    assert camera.connections == 0


def test_a_lost_camera_comes_back_and_the_count_goes_on(opened):
    camera = Camera(["ok", "ok"], ["refuse"], ["refuse"], ["ok", "hang"])
    source = opened(camera, buffer=10)
    assert [source.read().index for _ in range(3)] == [0, 1, 2]
    assert source.counts.captured == 3 and source.counts.reconnects == 1
    assert source.state is State.RUNNING and source.problem is None
    assert camera.connections == 4 and camera.closed == 1
    assert source.size_wh == (6, 4) and source.rate == 25


def test_by_default_a_camera_that_never_was_there_is_an_error_at_once(opened):
    camera = Camera()
    source = opened(camera)
    for _ in range(2):
        with pytest.raises(SourceError, match="no answer; plug it in") as caught:
            source.read()
        assert not isinstance(caught.value, SourceTimeout)
    assert camera.connections == 1 and source.state is State.ERROR


def test_by_default_a_camera_that_was_there_is_waited_for(opened):
    camera = Camera(["ok"])
    source = opened(camera)
    source.read()
    with pytest.raises(SourceTimeout, match=r"got none \(cam: expected a .*; read again"):
        source.read(0.2)
    assert source.state is State.ERROR and camera.connections > 3
    camera.scripts.append(["ok", "hang"])
    assert source.read().index == 1
    assert source.counts.reconnects == 1


@pytest.mark.parametrize(("attempts", "connections"), [(0, 1), (3, 4)])
def test_attempts_are_counted_in_a_row(opened, attempts, connections):
    camera = Camera(["ok"])
    source = opened(camera, reconnect=attempts)
    source.read()
    with pytest.raises(SourceError, match="plug it in|broken cable"):
        for _ in range(100):
            source.read()
    assert camera.connections == connections
    assert source.state is State.ERROR


def test_reconnect_for_ever_holds_from_the_beginning(opened):
    camera = Camera(["refuse"], ["refuse"], ["ok", "hang"])
    assert opened(camera, reconnect=math.inf).read().index == 0
    assert camera.connections == 3


def test_the_devices_timeout_is_the_sources_state(opened):
    camera = Camera(["ok", SourceTimeout("cam: expected a frame within 1 s, got none; wait")])
    source = opened(camera, reconnect=math.inf)
    source.read()
    wait_for(lambda: source.state is State.TIMEOUT or camera.connections > 3)
    with pytest.raises(SourceTimeout):
        source.read(0.01)


def test_the_end_of_a_stream_is_no_loss(opened):
    source = opened(Camera(["ok", "ok", EndOfStream()]), buffer=5)
    assert len(list(source)) == 2
    assert source.state is State.END and source.problem is None


def test_an_unknown_exception_is_a_lost_camera(opened):
    source = opened(Camera(["ok", ZeroDivisionError("from a driver")], ["ok", "hang"]), buffer=5)
    assert [source.read().index for _ in range(2)] == [0, 1]


def test_a_frame_that_is_too_large_is_refused(opened):
    source = opened(Camera([(MAX_PIXELS // 8192 + 1, 8192, 3)]))
    with pytest.raises(SourceError, match=f"expected frames of 1 to {MAX_PIXELS} pixels, got 8192x8193"):
        source.read()


@pytest.mark.parametrize("shape", [(MAX_PIXELS, 2, 3), (0, 8, 3), (6, 8, 5)])
def test_what_is_no_picture_is_refused(opened, shape):
    with pytest.raises(SourceError, match=r"cam: image: expected "):
        opened(Camera([shape])).read()


def test_damaged_pictures_are_added_up_over_connections(opened):
    source = opened(Camera(["damaged", "damaged"], ["damaged", "ok", "hang"]), buffer=10)
    for _ in range(4):
        source.read()
    assert source.counts.damaged == 3


def test_a_stuck_thread_is_given_up_and_replaced(opened):
    camera = Camera(["ok", "hang"], ["ok", "hang"])
    source = opened(camera, timeout_s=0.05)
    assert source.read(30).index == 0
    with pytest.raises(SourceTimeout):
        source.read(0.01)
    assert source.read(30).index == 1
    assert camera.connections == 2 and source.counts.captured == 2


def test_stuck_threads_do_not_pile_up(opened):
    camera = Camera(["ok", "hang"], *[["hang"]] * 50)
    source = opened(camera, timeout_s=0.03)
    source.read(30)
    for _ in range(40):
        with pytest.raises(SourceTimeout, match="expected a frame"):
            source.read(0.05)
    assert MAX_STUCK <= camera.connections <= MAX_STUCK + 2  # a thread that was merely slow ends itself
    assert sum(thread.name == "capture cam" and thread.is_alive() for thread in threading.enumerate()) == MAX_STUCK
    camera.go.set()  # the driver comes to its senses
    camera.scripts[:] = [["ok", "ok", "ok", "ok"]] * 3
    source.read(30)
    wait_for(lambda: camera.closed >= MAX_STUCK)


def test_a_stuck_thread_counts_as_a_failure(opened):
    camera = Camera(["ok", "hang"], ["ok", "hang"])
    source = opened(camera, timeout_s=0.05, reconnect=0)
    source.read(30)
    with pytest.raises(SourceError, match="expected an answer of the driver, got none"):
        source.read(30)
    assert source.state is State.ERROR and camera.connections == 1
    camera = Camera(["ok", "hang"], ["ok", "hang"])
    source = opened(camera, timeout_s=0.05)
    assert [source.read(30).index for _ in range(2)] == [0, 1]
    assert source.counts.reconnects == 1


def test_what_a_given_up_thread_brings_is_nobodys_frame(opened):
    camera = Camera(["ok", "hang", "ok", "ok"], ["ok", "hang"])
    source = opened(camera, timeout_s=0.05, buffer=20)
    source.read(30)
    assert source.read(30).index == 1
    second = camera.connections
    source.close()
    camera.go.set()
    wait_for(lambda: camera.closed == second)
    assert source.counts.captured == 2


def test_close_wakes_a_reader_and_ends_the_thread(opened):
    camera = Camera(["ok", "hang"])
    source = opened(camera, timeout_s=60)
    source.read()
    wait_for(lambda: camera.hanging == 1)
    closer = threading.Thread(target=source.close)
    closer.start()
    with pytest.raises(EndOfStream):
        source.read()
    camera.go.set()
    closer.join()
    wait_for(lambda: camera.closed == 1)
    assert not any(thread.name == "capture cam" for thread in threading.enumerate())


def test_close_wakes_a_camera_that_is_waited_for(opened):
    camera = Camera(["ok"])
    source = LiveSource("cam", Options(), camera.connect, backoff=Backoff(60, 60))
    source.read()
    wait_for(lambda: source.state is State.ERROR)
    source.close()
    wait_for(lambda: not any(thread.name == "capture cam" for thread in threading.enumerate()))


def test_waits_grow_are_bounded_and_differ():
    backoff = Backoff(0.5, 30)
    waits = np.array([[backoff.wait_s(failures) for failures in range(1, 2000, 13)] for _ in range(50)])
    assert waits.max() <= 30 and waits[:, 5:].min() >= 15
    assert waits[:, 0].min() >= 0.25 and waits[:, 0].max() <= 0.5
    assert len(np.unique(waits[:, -1])) == 50
