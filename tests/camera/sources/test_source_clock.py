from __future__ import annotations

import numpy as np
import pytest

from edgedet.camera.sources.clock import StreamClock, from_sensor

PERIOD_S = 1 / 30


def played(delays_s, stamps_s=None):
    """Capture times, and what they should be: frames at a steady rate, each held up by its delay."""
    taken_s = np.arange(len(delays_s)) * PERIOD_S + 1000
    stamps_s = taken_s - 1000 if stamps_s is None else stamps_s
    clock = StreamClock()
    found_s = [clock.captured_s(stamp, arrived) for stamp, arrived in zip(stamps_s, taken_s + delays_s)]
    return np.array(found_s), taken_s


def test_jitter_is_age():
    delays_s = np.random.default_rng(0).uniform(0, 0.2, 300)
    delays_s[0] = 0
    found_s, taken_s = played(delays_s)
    assert np.abs(found_s - taken_s).max() < 0.003


def test_a_frame_is_never_younger_than_its_arrival():
    delays_s = np.random.default_rng(1).uniform(0, 0.2, 300)
    found_s, taken_s = played(delays_s)
    assert (found_s <= taken_s + delays_s + 1e-9).all()


def test_a_burst_after_a_stall_is_as_old_as_it_is():
    delays_s = np.zeros(300)
    delays_s[100:160] = 2 - np.arange(60) * PERIOD_S  # held up, then all at once
    found_s, taken_s = played(delays_s)
    assert np.abs(found_s - taken_s).max() < 0.01


def test_a_clock_that_runs_slow_is_followed():
    taken_s = np.arange(20_000) * PERIOD_S
    found_s, _ = played(np.zeros(20_000), stamps_s=taken_s * (1 - 1e-4))
    assert np.abs(found_s - taken_s - 1000).max() < 0.01


def test_time_stamps_that_begin_anew():
    clock = StreamClock()
    assert clock.captured_s(50.0, 1000.0) == pytest.approx(1000.0)
    assert clock.captured_s(0.5, 1001.0) == pytest.approx(1001.0)
    assert clock.captured_s(1.0, 1002.0) == pytest.approx(1001.5, abs=1e-3)


def test_a_stream_without_time_stamps_is_as_old_as_its_arrival():
    clock = StreamClock()
    assert [clock.captured_s(0.0, arrived_s) for arrived_s in (1000.0, 1001.0, 1002.5)] == [1000.0, 1001.0, 1002.5]


def test_a_drivers_stamp_counts_only_if_it_can_be_of_our_clock():
    assert from_sensor(99.5, 100.0) == 99.5
    assert from_sensor(0.0, 100.0) == 100.0
    assert from_sensor(1.6e9, 100.0) == 100.0
