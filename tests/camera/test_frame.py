from __future__ import annotations

import time

import numpy as np

from edgedet.camera.frame import Frame


def frame(image, color="bgr", captured_s=5.0):
    return Frame(image, 0, captured_s, None, "test:", color)


def test_age_is_the_time_since_the_capture():
    assert frame(np.zeros((2, 2, 3), np.uint8)).age_s(7.5) == 2.5
    before = time.monotonic()
    age = frame(np.zeros((2, 2, 3), np.uint8), captured_s=before).age_s()
    assert 0 <= age <= time.monotonic() - before


def test_bgr_of_bgr_is_the_frames_own_memory():
    image = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    assert np.shares_memory(frame(image).bgr(), image)


def test_bgr_of_rgb_has_its_channels_reversed():
    image = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    np.testing.assert_array_equal(frame(image, "rgb").bgr(), image[:, :, ::-1])


def test_two_frames_are_equal_only_when_they_are_one():
    image = np.zeros((2, 2, 3), np.uint8)
    first, second = frame(image), frame(image)
    assert first == first and first != second
    assert len({first, second}) == 2
