"""A window on a screen that is in memory; skipped without Xvfb."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Iterator

import peers
import pytest

from edgedet.camera.sinks import open_sink
from edgedet.errors import SinkError

PROGRAM = """
import cv2, sys
from edgedet.camera.pipeline import Pipeline
if sys.argv[1] == "close":
    import edgedet.camera.sinks.window as window
    written = window.Window.write
    def write(self, result):
        written(self, result)
        cv2.destroyWindow(self._title)  # as the user does
    window.Window.write = write
frames = {"end": 12, "close": 100000}[sys.argv[1]]
stats = Pipeline(f"test:?live=no&size=64x48&frames={frames}", lambda frame: None, "window:hello").run()
sink, = stats.sinks
print(stats.reason, sink.state, sink.errors, sink.written >= 1)
"""


@pytest.fixture
def display() -> Iterator[dict[str, str]]:
    xvfb = peers.program("Xvfb", "xvfb")
    read, write = os.pipe()
    server = subprocess.Popen(
        [xvfb, "-displayfd", str(write), "-screen", "0", "320x240x24"], pass_fds=[write], stderr=subprocess.DEVNULL
    )
    os.close(write)
    with os.fdopen(read) as pipe:
        ready, _, _ = select.select([pipe], [], [], 60)
        number = pipe.readline().strip() if ready else ""
    if not number:
        server.kill()
        server.wait()
        pytest.fail("Xvfb did not start")
    yield {**os.environ, "DISPLAY": f":{number}"}
    server.kill()  # it may wait for clients for ever
    server.wait()


@pytest.mark.parametrize(("what", "said"), [("end", "end closed 0 True"), ("close", "window:hello closed 0 True")])
def test_a_window_opens_and_closing_it_ends_the_pipeline(what: str, said: str, display: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, what], capture_output=True, text=True, env=display, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == said


def test_without_a_display_it_is_an_error_and_no_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("QT_QPA_PLATFORM", "xcb")
    with pytest.raises(
        SinkError, match="window:edgedet: expected a display and an OpenCV with windows, got .*; set DISPLAY"
    ):
        open_sink("window:").open()
