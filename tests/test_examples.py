"""The examples are run as a reader would run them, on generated scenes."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from pathlib import Path

import cv2
import pytest
from broker import Broker, Listener

from edgedet.camera.pipeline import Pipeline

EXAMPLES = Path(__file__).parents[1] / "examples"
SCENE = "test:?live=no&frames=20&seed=3"


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty frames of a scene, as a file."""
    path = tmp_path_factory.mktemp("video") / "scene.avi"
    Pipeline(SCENE, lambda frame: None, f"video:{path}?fps=25").run()
    return path


def run(example: str, *arguments: object) -> str:
    command = [sys.executable, str(EXAMPLES / example), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def frames(path: Path) -> int:
    capture, count = cv2.VideoCapture(str(path)), 0
    while capture.read()[0]:
        count += 1
    return count


def test_all_are_run() -> None:
    tested = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_example*.py"))
    assert [path.name for path in EXAMPLES.glob("*.py") if f'"{path.name}"' not in tested] == []


def test_video_to_jsonl(video: Path, tmp_path: Path) -> None:
    said = run("video_to_jsonl.py", "demo", video, tmp_path / "found.jsonl", tmp_path / "drawn.mp4")
    lines = [json.loads(line) for line in (tmp_path / "found.jsonl").read_text().splitlines()]
    assert said.startswith("20 frames in ") and [line["index"] for line in lines] == list(range(20))
    assert sum(len(line["detections"]) for line in lines) > 20
    assert frames(tmp_path / "drawn.mp4") == 20


def test_camera_to_mqtt(tmp_path: Path) -> None:
    pytest.importorskip("paho.mqtt", reason="needs the extra [mqtt]")
    broker = Broker(tmp_path)
    broker.start()
    listener = Listener(broker)
    said = run("camera_to_mqtt.py", "demo", SCENE, f"mqtt://127.0.0.1:{broker.port}/cameras/door")
    assert said.startswith("20 results at ")
    assert [json.loads(listener.next("cameras/door"))["index"] for _ in range(20)] == list(range(20))
    assert listener.next("cameras/door/status") == "offline"
    listener.close()
    broker.kill()


def test_camera_to_page() -> None:
    pytest.importorskip("aiohttp", reason="needs the extra [preview]")
    pytest.importorskip("prometheus_client", reason="needs the extra [preview]")
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    said = run("camera_to_page.py", "demo", SCENE, address).splitlines()
    assert said[0] == f"open http://{address}/"
    assert len(said) > 1 and all(re.fullmatch(r"\w+, \d+ ms after it was seen", line) for line in said[1:])


def test_two_cameras(video: Path) -> None:
    said = run("two_cameras.py", "demo", video, "test:?live=no&frames=10&seed=5").splitlines()
    assert [line.split(": ")[1].split(",")[0] for line in said[-2:]] == ["20 frames", "10 frames"]
    assert len(said) > 30


def test_tracking(video: Path, tmp_path: Path) -> None:
    pytest.importorskip("supervision")
    pytest.importorskip("trackers")
    said = run("tracking.py", "demo", video, tmp_path / "tracked.mp4")
    things = int(said.split()[0])
    assert 2 <= things <= 12, "six things move in this scene"
    assert frames(tmp_path / "tracked.mp4") == 20
