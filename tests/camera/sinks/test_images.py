"""Pictures in a folder: their names, what is drawn, and that old ones make room."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from pipeline_fakes import frame, result
from test_csv import TWO

from edgedet.camera.result import Result
from edgedet.camera.sinks import images, open_sink
from edgedet.errors import SinkError


def at(index: int, seconds: float = 0.0, source: str = "fake") -> Result:
    base = result(index, TWO)
    return Result(frame(index, source, value=200), base.outputs, 0.0, 1_700_000_000 + seconds, base.times, {})


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def write(uri: str, *results: Result) -> None:
    with open_sink(uri) as sink:
        for each in results:
            sink.write(each)


def test_names_sort_by_time(tmp_path: Path) -> None:
    write(f"images:{tmp_path}/new/a", at(12, 0.25), at(3, 61.5, "rtsp://***@cam:554/live/../x"))
    assert names(tmp_path / "new" / "a") == [
        "20231114T221320.250Z-fake-00000012.jpg",
        "20231114T221421.500Z-rtsp_cam_554_live_.._x-00000003.jpg",
    ]
    assert all(images._NAME.fullmatch(name) for name in names(tmp_path / "new" / "a"))


@pytest.mark.parametrize(("query", "drawn"), [("", True), ("&draw=no", False), ("&draw=yes", True)])
def test_what_is_drawn(query: str, drawn: bool, tmp_path: Path) -> None:
    write(f"images:{tmp_path}?format=png{query}", at(0))
    (path,) = tmp_path.glob("*.png")
    expected = at(0).draw() if drawn else at(0).picture
    np.testing.assert_array_equal(cv2.imread(str(path)), expected)


def test_only_frames_in_which_something_was_found(tmp_path: Path) -> None:
    write(f"images:{tmp_path}?only=found", result(0, TWO[:0]), result(1, TWO), result(2, None))
    assert [re.findall(r"\d{8}(?=\.jpg)", name) for name in names(tmp_path)] == [["00000001"]]


def test_the_newest_are_kept_also_over_a_restart(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").write_bytes(b"mine")
    for run in range(3):
        write(f"images:{tmp_path}?limit=3", *(at(index, 10 * run + index) for index in range(2)))
    assert names(tmp_path)[:3] == [
        f"20231114T2213{second}.000Z-fake-0000000{second % 10}.jpg" for second in (31, 40, 41)
    ]
    assert names(tmp_path)[3:] == ["holiday.jpg"]


def test_no_more_megabytes_than_allowed(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (400, 400, 3), np.uint8)
    base = result(0)
    with images.Images(tmp_path, mb=1.0, format="png") as sink:
        for index in range(5):
            shot = frame(index)
            each = Result(type(shot)(noise, index, 0.0, None, "fake"), {}, 0.0, index, base.times, {})
            sink.write(each)
    sizes = [path.stat().st_size for path in tmp_path.iterdir()]
    assert sum(sizes) <= 1e6 and len(sizes) == 2


def test_a_full_disk_is_an_error_and_leaves_no_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: bytes) -> int:
        with path.open("wb") as file:
            file.write(data[:10])
        raise OSError(28, "No space left on device")

    with open_sink(f"images:{tmp_path}") as sink:
        monkeypatch.setattr(Path, "write_bytes", full)
        with pytest.raises(SinkError, match="expected room for a picture, got No space left on device; "):
            sink.write(at(0))
    assert names(tmp_path) == []


def test_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SinkError, match="expected a folder, got File exists; correct the path"):
        open_sink(f"images:{tmp_path}/file").open()
