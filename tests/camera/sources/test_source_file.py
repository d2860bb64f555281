"""Files: pictures in folders here, videos in test_video."""

from __future__ import annotations

import os
import threading

import cv2
import numpy as np
import pytest

from edgedet.camera.sources import State, open_source, picture
from edgedet.errors import SourceError, SourceTimeout


def put(path, value, size_wh=(24, 16)):
    """A plain picture whose brightness tells which it is; it is there at once and whole."""
    image = np.full((size_wh[1], size_wh[0], 3), value, np.uint8)
    part = path.with_name("." + path.name + ".part")
    part.write_bytes(cv2.imencode(path.suffix, image)[1].tobytes())
    part.replace(path)
    return path


def values(frames):
    return [round(float(frame.image.mean())) for frame in frames]


@pytest.fixture
def folder(tmp_path):
    for number in (10, 9, 1, 100):
        put(tmp_path / f"shot{number}.png", number)
    (tmp_path / "notes.txt").write_text("no picture")
    return tmp_path


def test_a_folder_in_natural_order(folder):
    with open_source(folder) as source:
        assert not source.live
        frames = list(source)
    assert values(frames) == [1, 9, 10, 100]
    assert [frame.index for frame in frames] == [0, 1, 2, 3]
    assert frames[0].source_s is None and source.size_wh == (24, 16)


def test_uris_paths_and_globs(folder):
    assert values(open_source(f"file://{folder}")) == [1, 9, 10, 100]
    assert values(open_source(f"{folder}/shot1*.png")) == [1, 10, 100]
    assert values(open_source(f"file://{folder}/shot%3F.png")) == [1, 9]
    assert values(open_source(str(folder / "shot9.png"))) == [9]


def test_a_path_with_odd_signs_is_a_path(tmp_path):
    odd = put(tmp_path / "a:b?c#d[1].png", 7)
    assert values(open_source(odd)) == [7]
    assert values(open_source(f"file://{tmp_path}/a:b%3Fc%23d[1].png")) == [7]


def test_a_name_with_a_colon_in_the_working_folder(tmp_path, monkeypatch):
    put(tmp_path / "cam:1.png", 7)
    monkeypatch.chdir(tmp_path)
    assert values(open_source("cam:1.png")) == [7]


def test_loop_begins_again_and_counts_on(folder):
    with open_source(f"{folder}/shot?.png", loop=True) as source:
        frames = [source.read() for _ in range(5)]
    assert values(frames) == [1, 9, 1, 9, 1]
    assert [frame.index for frame in frames] == [0, 1, 2, 3, 4]


def test_a_rate_gives_pictures_a_time(folder):
    assert [frame.source_s for frame in open_source(folder, rate=2)] == [0, 0.5, 1, 1.5]


def test_live_plays_in_its_own_time(folder):
    with open_source(folder, live=True, rate=50, buffer=4) as source:
        assert source.live
        frames = list(source)
    assert [frame.index for frame in frames] == [0, 1, 2, 3]
    assert frames[-1].captured_s - frames[0].captured_s >= 0.9 * 3 / 50


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nothing.mp4", "got no such file"),
        ("*.png", "got no such file"),
        ("empty", "got a folder without any"),
        ("fifo", "got something else"),
        ("notes.mp4", "FFmpeg can't open"),
        ("loop.png", "got no such file"),
    ],
)
def test_what_is_no_source(tmp_path, name, words, capfd):
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.mp4").write_text("no video")
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(SourceError, match=words) as caught:
        open_source(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)


def test_a_path_that_is_too_long():
    with pytest.raises(SourceError, match="expected a path, got File name too long"):
        open_source("x" * 5000)
    with pytest.raises(ValueError, match="expected a scheme"):
        open_source("x:" + "x" * 5000)


def test_a_damaged_picture_is_counted_and_passed_over(folder):
    whole = (folder / "shot9.png").read_bytes()
    (folder / "shot9.png").write_bytes(whole[: len(whole) // 2])
    (folder / "shot10.png").write_bytes(b"")
    with open_source(folder) as source:
        assert values(source) == [1, 100]
        assert source.counts.damaged == 2 and source.counts.captured == 2


@pytest.mark.parametrize("loop", [False, True])
def test_nothing_but_damaged_pictures_is_an_error(tmp_path, loop):
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with open_source(tmp_path, loop=loop) as source:
        with pytest.raises(SourceError, match="got none that can be read, 1 damaged"):
            source.read()
        assert source.state is State.ERROR
        with pytest.raises(SourceError, match="got none that can be read, 1 damaged"):
            source.read()


def test_a_folder_that_grows(folder):
    with open_source(folder, watch=True) as source:
        assert values(source.read() for _ in range(4)) == [1, 9, 10, 100]
        with pytest.raises(SourceTimeout, match="expected a new picture within 0.1 s"):
            source.read(0.1)
        assert source.state is State.TIMEOUT
        adder = threading.Timer(0.1, put, (folder / "shot11.jpg", 11))
        adder.start()
        assert values([source.read(10)]) == [11]
        assert source.state is State.RUNNING
        adder.join()


def test_an_empty_folder_that_grows(tmp_path):
    with open_source(f"file://{tmp_path}?watch=yes") as source:
        put(tmp_path / "a.png", 5)
        put(tmp_path / "b.png", 6)
        assert values([source.read(10), source.read(10)]) == [5, 6]


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_a_picture_that_is_still_being_written_is_waited_for(tmp_path, suffix):
    rng = np.random.default_rng(0)
    data = cv2.imencode(suffix, rng.integers(0, 256, (64, 64, 3), dtype=np.uint8))[1].tobytes()
    path = tmp_path / f"a{suffix}"
    path.write_bytes(data[: len(data) // 2])
    with open_source(tmp_path, watch=True) as source:
        with pytest.raises(SourceTimeout):
            source.read(0.1)
        assert source.counts.damaged == 1
        path.write_bytes(data)
        np.testing.assert_array_equal(source.read(10).image, picture.decode(data, "a"))
        assert source.counts.damaged == 0


def test_close_wakes_a_reader_who_waits(tmp_path):
    source = open_source(tmp_path, watch=True, timeout_s=60)
    threading.Timer(0.1, source.close).start()
    assert list(source) == []
    assert source.state is State.END


def test_watch_needs_something_to_watch(folder):
    with pytest.raises(ValueError, match="watch: expected a folder or a glob"):
        open_source(folder / "shot1.png", watch=True)
    with pytest.raises(ValueError, match="expected watch or loop, got both"):
        open_source(folder, watch=True, loop=True)
