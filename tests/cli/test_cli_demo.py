"""``edgedet demo``, here with a bundle that knows the scene's labels but not its things."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from bundles import toy_bundle

from edgedet import bundle as bundles
from edgedet.camera.scene import LABELS, MovingScene
from edgedet.cli import demo, main
from edgedet.results import Detections

FILES = ["edgedet-demo.mp4", "edgedet-demo.png"]


@pytest.fixture(autouse=True)
def packaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the word ``demo`` opens in these tests."""
    folder = toy_bundle(tmp_path / "packaged", name="packaged", labels=LABELS)
    monkeypatch.setattr(bundles, "DEMO", folder)
    monkeypatch.chdir(tmp_path)
    return folder


def test_writes_a_video_and_a_picture(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--frames", "7", "--seed", "2"]) == 0
    out, err = capsys.readouterr()
    assert sorted(path.name for path in Path("edgedet-demo").iterdir()) == FILES
    video = cv2.VideoCapture("edgedet-demo/edgedet-demo.mp4")
    shapes = [video.read()[1].shape for _ in range(7)]
    assert shapes == [(480, 640, 3)] * 7 and not video.read()[0]
    assert cv2.imread("edgedet-demo/edgedet-demo.png").shape == (480, 640, 3)
    assert "Toy model packaged" in out and "median ms per frame: preprocess" in out
    assert out.splitlines()[-2:] == [f"edgedet-demo/{name}" for name in FILES]
    assert "(7)" in err


def test_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--frames", "3", "--seed", "4", "--json", "--out", "deep/down"]) == 0
    out, err = capsys.readouterr()
    report = json.loads(out)
    truth = [class_id for i in range(3) for class_id in MovingScene(4, demo.SIZE_WH).frame(i)[2]]
    assert sum(row["there"] for row in report["classes"]) == len(truth)
    assert report["frames"] == 3 and set(report["median_ms"]) == {"preprocess", "infer", "postprocess"}
    assert Path(report["picture"]).is_file() and err == ""


def test_falls_back_to_motion_jpeg(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(demo, "CODECS", ((".mp4", b"none"), (".avi", b"MJPG")))
    assert main(["demo", "--frames", "2"]) == 0
    assert "Motion JPEG" in capsys.readouterr().out
    assert cv2.VideoCapture("edgedet-demo/edgedet-demo.avi").read()[0]


def test_a_failure_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(tmp_path.iterdir())
    monkeypatch.setattr(demo, "CODECS", ((".mp4", b"none"),))
    assert main(["demo", "--frames", "2"]) == 2
    assert "video: expected an encoder" in capsys.readouterr().err
    assert sorted(tmp_path.iterdir()) == before


def test_out_that_is_a_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert main(["demo", "--out", "file"]) == 2
    assert "--out: expected a folder" in capsys.readouterr().err


def test_matches_take_each_thing_once() -> None:
    boxes = np.array([[0, 0, 10, 10], [20, 0, 30, 10]], np.float32)
    found = Detections(
        np.array([[0, 0, 10, 10], [0, 0, 10, 9], [20, 0, 30, 10], [20, 0, 30, 10], [0, 0, 10, 4]], np.float32),
        np.array([0.9, 0.8, 0.7, 0.6, 0.5], np.float32),
        np.array([0, 0, 0, 1, 0], np.int32),
        LABELS,
        (64, 48),
    )
    right = demo.matches(found, boxes, np.array([0, 1], np.int32))
    assert right.tolist() == [True, False, False, True, False]
    assert not demo.matches(found, np.zeros((0, 4), np.float32), np.zeros(0, np.int32)).any()
