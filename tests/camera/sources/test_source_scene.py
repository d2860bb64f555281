"""``test:`` and through it what holds for every source."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from edgedet.camera.sources import State, open_source
from edgedet.camera.sources import test as scene_source
from edgedet.errors import EndOfStream, SourceTimeout

SMALL = "size=64x48"


def test_the_same_scene_again_and_its_truth():
    uri = f"test:?{SMALL}&seed=3&frames=4&live=no"
    first, second = list(open_source(uri)), list(open_source(uri))
    assert [frame.index for frame in first] == [0, 1, 2, 3]
    for one, other in zip(first, second):
        np.testing.assert_array_equal(one.image, other.image)
    boxes, class_ids = scene_source.truth(uri, 2)
    assert boxes.shape == (len(class_ids), 4) and len(boxes) > 0
    assert not np.array_equal(boxes, scene_source.truth(uri, 3)[0])
    assert not np.array_equal(first[0].image, next(open_source(f"test:?{SMALL}&seed=4&live=no")).image)


def test_what_a_frame_carries():
    with open_source(f"test:?{SMALL}&rate=10&frames=3&live=no") as source:
        frames = list(source)
    assert [frame.source_s for frame in frames] == pytest.approx([0, 0.1, 0.2])
    assert {frame.source for frame in frames} == {"test"}
    assert all(frame.image.flags.writeable and frame.color == "bgr" for frame in frames)
    times = [frame.captured_s for frame in frames]
    assert times == sorted(times)


@pytest.mark.parametrize("live", ["yes", "no"])
def test_the_end_stays_the_end(live):
    with open_source(f"test:?{SMALL}&rate=500&frames=2&live={live}") as source:
        assert len(list(source)) >= 1
        assert source.state is State.END and source.state == "end"
        with pytest.raises(EndOfStream, match="the end after 2; open the source again"):
            source.read()
        assert list(source) == []


@pytest.mark.parametrize("live", ["yes", "no"])
def test_a_closed_source_has_ended(live):
    source = open_source(f"test:?{SMALL}&live={live}")
    source.read()
    source.close()
    source.close()
    assert source.state is State.END
    with pytest.raises(EndOfStream):
        source.read()


def test_a_camera_keeps_its_rate_and_counts_what_nobody_read():
    with open_source(f"test:?{SMALL}&rate=200&frames=40&cycle=2") as source:
        assert source.live
        first = source.read()
        while source.state is State.RUNNING:  # the device goes on alone
            threading.Event().wait(0.005)
        last = source.read()
        assert first.index < last.index == 39
        assert source.counts.captured == 40
        assert source.counts.dropped == 40 - 2
        assert last.captured_s - first.captured_s >= 0.9 * (last.index - first.index) / 200


def test_a_late_reader_can_have_a_buffer():
    with open_source(f"test:?{SMALL}&rate=500&frames=20&cycle=2&buffer=5") as source:
        first = source.read().index
        while source.state is State.RUNNING:
            threading.Event().wait(0.005)
        assert [frame.index for frame in source] == [15, 16, 17, 18, 19]
        assert first < 15


def test_a_circle_of_frames_is_drawn_once(monkeypatch):
    drawn = []
    real = scene_source._draw
    monkeypatch.setattr(scene_source, "_draw", lambda *args: drawn.append(args[2]) or real(*args))
    frames = list(open_source(f"test:?{SMALL}&cycle=3&frames=7&live=no"))
    assert drawn == [0, 1, 2]
    np.testing.assert_array_equal(frames[1].image, frames[4].image)
    frames[4].image[:] = 0  # a frame is the reader's own
    assert frames[1].image.any()
    assert np.array_equal(scene_source.truth("test:?cycle=3", 4)[0], scene_source.truth("test:?cycle=3", 1)[0])


def test_a_slow_camera_is_a_timeout_and_comes_back():
    with open_source(f"test:?{SMALL}&rate=4&timeout=5") as source:
        source.read()
        with pytest.raises(SourceTimeout, match=r"expected a frame within 0\.01 s"):
            source.read(0.01)
        assert source.state is State.TIMEOUT
        assert source.read().index >= 1
        assert source.state is State.RUNNING


@pytest.mark.parametrize("live", ["yes", "no"])
@pytest.mark.parametrize(("flip", "shape"), [("90", (64, 48, 3)), ("180", (48, 64, 3)), ("horizontal", (48, 64, 3))])
def test_flip(live, flip, shape):
    with (
        open_source(f"test:?{SMALL}&flip={flip}&live={live}") as source,
        open_source(f"test:?{SMALL}&live=no") as plain,
    ):
        turned, image = source.read(), plain.read().image
        assert turned.image.shape == shape and source.size_wh == shape[1::-1]
    if turned.index == 0:
        expected = {"90": np.rot90(image, -1), "180": image[::-1, ::-1], "horizontal": image[:, ::-1]}[flip]
        np.testing.assert_array_equal(turned.image, expected)
