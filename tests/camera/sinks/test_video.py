"""Videos: every frame is in them, at its time, and a file is either whole or not there."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from pipeline_fakes import result

from edgedet.camera.frame import Frame
from edgedet.camera.result import Result
from edgedet.camera.sinks import open_sink, video
from edgedet.errors import SinkError

SIZE_WH = (64, 48)


def at(seconds: float, level: int = 0, size_wh: tuple[int, int] = SIZE_WH, *, source_s: float | None = None) -> Result:
    image = np.full((size_wh[1], size_wh[0], 3), level, np.uint8)
    base = result(0)
    return Result(Frame(image, 0, seconds, source_s, "fake"), {}, 0.0, 0.0, base.times, {})


def write(uri: str, *results: Result) -> None:
    with open_sink(uri) as sink:
        for each in results:
            sink.write(each)


def read(path: Path) -> tuple[list[int], float, tuple[int, int]]:
    """The mean level of each frame, the rate, and the size."""
    capture = cv2.VideoCapture(str(path))
    fps = capture.get(cv2.CAP_PROP_FPS)
    levels, size_wh = [], (0, 0)
    while (read := capture.read())[0]:
        levels.append(round(float(read[1].mean())))
        size_wh = read[1].shape[1], read[1].shape[0]
    return levels, fps, size_wh


@pytest.mark.parametrize("suffix", video.CODECS)
def test_every_kind_holds_every_frame(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    write(f"video:{path}", *(at(index / 10, 10 * index) for index in range(20)))
    levels, fps, size_wh = read(path)
    assert (len(levels), fps, size_wh) == (20, pytest.approx(10, abs=0.1), SIZE_WH)
    assert np.abs(np.array(levels) - 10 * np.arange(20)).max() <= 4
    assert list(tmp_path.iterdir()) == [path]


def test_the_streams_own_time_comes_first(tmp_path: Path) -> None:
    write(f"video:{tmp_path}/a.avi", *(at(index * 7.0, source_s=index / 30) for index in range(12)))
    levels, fps, _ = read(tmp_path / "a.avi")
    assert (len(levels), fps) == (12, pytest.approx(30, abs=0.1))


def test_fewer_frames_than_the_rate_is_told_from(tmp_path: Path) -> None:
    write(f"video:{tmp_path}/a.avi", at(0.0, 100), at(0.5, 200))
    levels, fps, _ = read(tmp_path / "a.avi")
    assert (len(levels), fps) == (2, pytest.approx(2))


def test_a_single_frame(tmp_path: Path) -> None:
    write(f"video:{tmp_path}/a.avi", at(5.0, 100))
    assert len(read(tmp_path / "a.avi")[0]) == 1


def test_gaps_are_filled_with_the_last_frame(tmp_path: Path) -> None:
    write(f"video:{tmp_path}/a.avi?fps=10", at(100.0, 0), at(100.1, 60), at(100.5, 120), at(100.6, 180))
    levels, _, _ = read(tmp_path / "a.avi")
    assert np.abs(np.array(levels) - [0, 60, 60, 60, 60, 120, 180]).max() <= 4


def test_frames_that_are_early_or_begin_again_are_written_once(tmp_path: Path) -> None:
    write(f"video:{tmp_path}/a.avi?fps=10", at(1.0), at(1.01), at(1.02), at(0.0), at(0.1), at(0.6))
    # The clock goes on from where it jumped: the last one is due 0.62 s after the first.
    assert len(read(tmp_path / "a.avi")[0]) == 7


def test_a_long_gap_is_shortened(tmp_path: Path) -> None:
    write(f"video:{tmp_path}/a.avi?fps=2", at(0.0), at(3600.0), at(3600.5))
    assert len(read(tmp_path / "a.avi")[0]) == video._LONGEST_S * 2 + 2


@pytest.mark.parametrize(("size_wh", "inside"), [((128, 96), (64, 48)), ((64, 24), (64, 24)), ((24, 48), (24, 48))])
def test_another_size_is_fitted_in(size_wh: tuple[int, int], inside: tuple[int, int]) -> None:
    fitted = video._fitted(np.full((size_wh[1], size_wh[0], 3), 255, np.uint8), SIZE_WH)
    assert fitted.shape == (48, 64, 3)
    assert (fitted > 0).any(axis=(1, 2)).sum() == inside[1] and (fitted > 0).any(axis=(0, 2)).sum() == inside[0]


def test_the_size_may_change(tmp_path: Path) -> None:
    write(f"video:{tmp_path}/a.avi?fps=5", at(0.0, 200), at(0.2, 200, (32, 48)), at(0.4, 200))
    levels, _, size_wh = read(tmp_path / "a.avi")
    assert size_wh == SIZE_WH and levels == [
        pytest.approx(200, abs=4),
        pytest.approx(100, abs=8),
        pytest.approx(200, abs=4),
    ]


def test_until_it_is_whole_it_has_another_name(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"an older one")
    with open_sink(f"video:{tmp_path}/a.mp4?fps=5") as sink:
        sink.write(at(0.0))
        assert {path.name for path in tmp_path.iterdir()} == {"a.mp4", ".a.part.mp4"}
        assert (tmp_path / "a.mp4").read_bytes() == b"an older one"
    assert {path.name for path in tmp_path.iterdir()} == {"a.mp4"}
    assert len(read(tmp_path / "a.mp4")[0]) == 1


def test_nothing_written_leaves_nothing(tmp_path: Path) -> None:
    write(f"video:{tmp_path}/a.mp4")
    assert list(tmp_path.iterdir()) == []


def test_when_the_disk_is_nearly_full_the_file_is_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sink = open_sink(f"video:{tmp_path}/a.mp4?fps=5")
    sink.open()
    sink.write(at(0.0))
    usage = shutil.disk_usage(tmp_path)
    with monkeypatch.context() as full:
        full.setattr(shutil, "disk_usage", lambda path: usage._replace(free=5 * 2**20))
        with pytest.raises(SinkError, match="expected 32 MB of room, got 5; free some space"):
            sink.write(at(0.2))
        sink.close()
    sink.open()  # a pipeline tries again after a while
    sink.write(at(0.4))
    sink.close()
    assert {path.name for path in tmp_path.iterdir()} == {"a.mp4", "a-2.mp4"}


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda folder: f"video:{folder}/none/a.mp4", "expected a folder .*none, got none; make it first"),
        (
            lambda folder: f"video:{folder}/a.webm?codec=zzzz",
            "expected an encoder for zzzz that can write a file .webm",
        ),
    ],
)
def test_what_cannot_be_opened(make: Any, said: str, tmp_path: Path) -> None:
    with pytest.raises(SinkError, match=said):
        open_sink(make(tmp_path)).open()


def test_a_kind_that_is_none() -> None:
    with pytest.raises(ValueError, match=r"video: expected a file \*\.mp4, .*got 'a\.gif'; choose another suffix"):
        open_sink("video:a.gif")
