"""``edgedet detect``: what it prints, draws and passes over."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

import edgedet
from edgedet.cli import main, options


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Two pictures and a text in a folder."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    rng = np.random.default_rng(1)
    for name in ("b.png", "A.JPG"):
        # Patches of the size of the network's anchors: it answers to colours.
        patches = rng.integers(0, 256, (6, 8, 3), np.uint8)
        cv2.imwrite(str(folder / name), cv2.resize(patches, (128, 96), interpolation=cv2.INTER_NEAREST))
    (folder / "notes.txt").write_text("no picture")
    return folder


def test_prints_what_the_model_finds(whole_bundle: Path, pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = pictures / "b.png"
    assert main(["detect", str(whole_bundle), str(path), "--score-threshold", "0.2", "--json"]) == 0
    out, err = capsys.readouterr()
    (entry,) = json.loads(out)["pictures"]
    with edgedet.load(whole_bundle, task="detect") as model:
        wanted = model(cv2.imread(str(path)), score_threshold=0.2)
    assert entry["detections"] == wanted.to_dicts() and len(wanted) > 3
    assert entry["picture"] == str(path) and entry["size_wh"] == [128, 96] and entry["drawn"] is None
    assert err == ""


def test_text_has_a_line_for_each_thing(whole_bundle: Path, pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["detect", str(whole_bundle), str(pictures / "b.png"), "--score-threshold", "0", "--max-detections", "3"]
    assert main(argv) == 0
    first, *things = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{pictures / 'b.png'}: 3 found in ")
    assert len(things) == 3 and all(thing.split()[0] in ("red", "green", "blue") for thing in things)


def test_default_threshold_is_for_eyes(whole_bundle: Path, pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["detect", str(whole_bundle), str(pictures), "--json"]) == 0
    entries = json.loads(capsys.readouterr().out)["pictures"]
    scores = [thing["score"] for entry in entries for thing in entry["detections"]]
    assert all(score > options.DISPLAY_THRESHOLD for score in scores)


def test_draws_copies(whole_bundle: Path, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "deep" / "found"
    before = {path: path.read_bytes() for path in pictures.iterdir()}
    for _ in range(2):  # a second run replaces its own pictures
        assert main(["detect", str(whole_bundle), str(pictures), "--out", str(out), "--score-threshold", "0.1"]) == 0
    assert sorted(path.name for path in out.iterdir()) == ["A-detected.jpg", "b-detected.png"]
    drawn = cv2.imread(str(out / "b-detected.png"))
    assert drawn.shape == (96, 128, 3) and (drawn != cv2.imread(str(pictures / "b.png"))).any()
    assert {path: path.read_bytes() for path in pictures.iterdir()} == before
    assert f"drawn in {out / 'b-detected.png'}" in capsys.readouterr().out


def test_passes_over_what_is_no_picture(
    whole_bundle: Path, pictures: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty.png").touch()
    whole = (pictures / "A.JPG").read_bytes()
    (tmp_path / "half.jpg").write_bytes(whole[: len(whole) // 2])
    names = [pictures / "notes.txt", tmp_path / "empty.png", tmp_path / "half.jpg", tmp_path / "none.png"]
    assert main(["detect", str(whole_bundle), *map(str, names), str(pictures / "b.png"), "--json"]) == 1
    out, err = capfd.readouterr()
    found = json.loads(out)
    assert [entry["picture"] for entry in found["pictures"]] == [str(pictures / "b.png")]
    # OpenCV's and libjpeg's own noise would be further lines.
    assert len(err.splitlines()) == len(names) == len(found["failed"])
    assert all(str(name) in err for name in names)


def test_a_picture_too_large_is_named(
    whole_bundle: Path, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cv2.imwrite(str(tmp_path / "wide.png"), np.zeros((1, 40_000, 3), np.uint8))
    assert main(["detect", str(whole_bundle), str(tmp_path / "wide.png"), str(pictures / "b.png")]) == 1
    out, err = capsys.readouterr()
    assert "b.png: " in out and "wide.png: image: expected sides of 1 to" in err


@pytest.mark.parametrize("name", ["none.png", "empty", "empty/*.png"])
def test_no_picture_at_all_is_2(
    name: str, whole_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    assert main(["detect", str(whole_bundle), str(tmp_path / name), "--out", str(tmp_path / "out")]) == 2
    assert str(tmp_path / name) in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--device", "gpu"], "device: expected auto"),
        (["--device", "ascend"], "ascend"),
        (["--runtime", "none"], "runtime: expected one of"),
        (["--threads", "5000"], "threads: expected 1 to 1024"),
        (["--out", __file__], "--out: expected a folder"),
    ],
)
def test_wrong_choices_are_2(
    arguments: list[str], text: str, whole_bundle: Path, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["detect", str(whole_bundle), str(pictures), *arguments]) == 2
    out, err = capsys.readouterr()
    assert text in err and out == ""


@pytest.mark.parametrize(
    "arguments",
    [["--score-threshold", "40"], ["--score-threshold", "nan"], ["--iou-threshold", "x"], ["--max-detections", "0"]],
)
def test_wrong_numbers_are_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["detect", "demo", "x.png", *arguments])
    assert stop.value.code == 2
    assert f"argument {arguments[0]}: expected a" in capsys.readouterr().err
