"""``rtsp://`` against a real server, which is stopped, killed and started again."""

from __future__ import annotations

import math
import os
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import cv2
import numpy as np
import peers
import pytest

from edgedet.camera.sources import State, open_source
from edgedet.errors import SourceError, SourceTimeout

BITS, MODULUS_MS = 24, 2**24
OLD_OPENCV = not hasattr(cv2, "CAP_PROP_OPEN_TIMEOUT_MSEC")


class Server:
    """The script beside this file as a process."""

    def __init__(self, port=0, *login):
        script = Path(__file__).with_name("rtsp_server.py")
        self.process = subprocess.Popen(
            [peers.rtsp_python(), str(script), str(port), *login], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )

    def wait(self):
        self.port = int(self.process.stdout.readline())
        return self

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture
def servers():
    """Starts servers; ends them all."""
    running = []

    def start(*args):
        running.append(Server(*args))
        return running[-1].wait()

    yield start
    for server in running:
        server.kill()


def made_s(frame):
    """When the server made the frame, by the bars in it."""
    row = frame.bgr()[frame.image.shape[0] // 2, :, 0].reshape(BITS, -1).mean(axis=1) > 128
    made_ms = sum(1 << bit for bit in range(BITS) if row[bit])
    ago_ms = (int(time.monotonic() * 1000) - made_ms) % MODULUS_MS
    return time.monotonic() - ago_ms / 1000


def test_frames_come_fresh_and_know_their_age(servers):
    server = servers()
    with open_source(f"rtsp://127.0.0.1:{server.port}/live") as source:
        frames, late_s = [], []
        source.read(30)
        for frame in source:
            late_s.append(time.monotonic() - made_s(frame))
            frames.append((frame.index, frame.captured_s, frame.source_s, frame.captured_s - made_s(frame)))
            if len(frames) == 40:
                break
        assert source.live and source.state is State.RUNNING and source.size_wh == (384, 96)
    indices, captured_s, source_s, error_s = np.array(frames).T
    assert (np.diff(indices) >= 1).all() and (np.diff(captured_s) > 0).all() and (np.diff(source_s) > 0).all()
    # FFmpeg has a second of old frames to give when it has looked at a stream; none of them comes through.
    if not OLD_OPENCV:  # which knows no time stamps
        assert late_s[0] - np.median(late_s) < 0.6
    assert np.median(np.abs(error_s)) < 0.5


def test_a_killed_server_that_comes_back(servers):
    server = servers()
    with open_source(f"rtsp://127.0.0.1:{server.port}/live", timeout_s=5) as source:
        before = source.read(30)
        server.kill()
        states = set()
        for _ in range(100):  # what had been captured already may still come
            try:
                source.read(0.3)
            except SourceTimeout as error:
                assert f"rtsp://127.0.0.1:{server.port}/live: expected a frame within 0.3 s" in str(error)
                states.add(source.state)
                break
        assert states <= {State.ERROR, State.TIMEOUT} and states
        assert source.problem is not None
        servers(server.port)
        after = source.read(30)
        assert source.state is State.RUNNING and source.problem is None
        assert source.counts.reconnects == 1
        assert after.index > before.index and after.captured_s > before.captured_s


def test_a_server_that_stalls_is_a_timeout_and_opened_again(servers):
    server = servers()
    with open_source(f"rtsp://127.0.0.1:{server.port}/live", timeout_s=1) as source:
        source.read(30)
        os.kill(server.process.pid, signal.SIGSTOP)
        with pytest.raises(SourceTimeout):
            for _ in range(100):
                source.read(0.5)
        assert source.state in (State.TIMEOUT, State.ERROR)
        os.kill(server.process.pid, signal.SIGCONT)
        stopped = time.monotonic()
        frame = source.read(30)
        while frame.captured_s < stopped:
            frame = source.read(30)
        assert source.state is State.RUNNING


def test_close_wakes_a_reader_of_a_stalled_stream(servers):
    server = servers()
    source = open_source(f"rtsp://127.0.0.1:{server.port}/live", timeout_s=3)
    source.read(30)
    os.kill(server.process.pid, signal.SIGSTOP)
    closer = threading.Timer(0.3, source.close)
    closer.start()
    began = time.monotonic()
    try:
        list(source)
    except SourceTimeout:
        pytest.fail("close did not wake the reader")
    assert time.monotonic() - began < 3
    closer.join()


def test_a_password_is_used_and_never_shown(servers, caplog):
    server = servers(0, "admin", "hush")
    address = f"127.0.0.1:{server.port}/live"
    with open_source(f"rtsp://admin:hush@{address}") as source:
        frame = source.read(30)
        assert source.name == frame.source == f"rtsp://***@{address}"
        assert "hush" not in repr(source)
    with open_source(f"rtsp://admin:hushhush@{address}") as source, pytest.raises(SourceError) as caught:
        source.read(30)
    assert "correct the path, the user or the password" in str(caught.value)
    assert "hush" not in str(caught.value) and "hush" not in caplog.text


def test_no_password_reaches_stderr(servers, capfd):
    server = servers(0, "admin", "hush")
    for login, path in (("admin:hushhush", "live"), ("admin:hush", "nothing")):
        with open_source(f"rtsp://{login}@127.0.0.1:{server.port}/{path}") as source, pytest.raises(SourceError):
            source.read(30)
    with pytest.raises(SourceError), open_source("rtsp://admin:hush@127.0.0.1:1/live") as source:
        source.read(30)
    said = capfd.readouterr()
    assert "hush" not in said.out + said.err


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


def test_a_camera_that_is_not_there_is_an_error_at_once():
    with open_source(f"rtsp://127.0.0.1:{free_port()}/live") as source:
        with pytest.raises(SourceError, match="expected a camera, got connection refused; check its address"):
            source.read(30)
        assert source.state is State.ERROR
        with pytest.raises(SourceError, match="connection refused"):
            source.read(30)


def test_a_camera_that_is_not_there_yet_can_be_waited_for(servers):
    port = free_port()
    with open_source(f"rtsp://127.0.0.1:{port}/live#reconnect=inf&timeout=5") as source:
        with pytest.raises(SourceTimeout, match=r"got none \(.*connection refused"):
            source.read(0.3)
        servers(port)
        source.read(30)
        assert source.state is State.RUNNING
        assert source.counts.reconnects == 0


@pytest.mark.skipif(OLD_OPENCV, reason="this OpenCV waits as long as it likes")
def test_a_host_that_does_not_speak_rtsp_is_no_hang():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        uri = f"rtsp://127.0.0.1:{silent.getsockname()[1]}/live"
        with open_source(uri, timeout_s=0.5, reconnect=0) as source, pytest.raises(SourceError, match="got none from"):
            source.read(30)
        with open_source(uri, timeout_s=0.5, reconnect=math.inf) as source, pytest.raises(SourceTimeout):
            source.read(0.2)


@pytest.mark.parametrize("uri", ["rtsp:", "rtsp:///live", "rtsp://:554/", "rtsp://cam:port/"])
def test_no_host(uri):
    with pytest.raises(ValueError, match="got no host"):
        open_source(uri)
