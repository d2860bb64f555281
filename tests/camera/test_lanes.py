"""The queue between threads: what is kept, what is dropped, who waits, and that every wait ends."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pipeline_fakes import LONG_S, until

from edgedet.camera.lanes import Lanes


def taken(lanes: Lanes[Any]) -> list[Any]:
    """All that comes until the end."""
    items = []
    while (item := lanes.get()) is not None:
        items.append(item[0])
    return items


def in_thread(call: Any, *arguments: Any) -> threading.Thread:
    thread = threading.Thread(target=call, args=arguments, daemon=True)
    thread.start()
    return thread


def test_order_is_kept_and_the_wait_is_told() -> None:
    lanes: Lanes[str] = Lanes(3)
    assert lanes.put("a") and lanes.put("b")
    assert len(lanes) == 2
    item = lanes.get()
    assert item is not None and item[0] == "a" and item[1] >= 0


@given(st.integers(1, 5), st.lists(st.integers(), max_size=20))
def test_a_full_lane_keeps_the_newest(depth: int, items: list[int]) -> None:
    lanes: Lanes[int] = Lanes(depth)
    for item in items:
        lanes.put(item)
        assert len(lanes) <= depth
    lanes.close()
    assert taken(lanes) == items[-depth:]
    assert lanes.dropped().get("replaced", 0) == max(0, len(items) - depth)


@given(st.lists(st.integers(0, 6), min_size=1, max_size=5))
def test_lanes_are_served_in_turn(counts: list[int]) -> None:
    lanes: Lanes[int] = Lanes(6, count=len(counts))
    for lane, count in enumerate(counts):
        for _ in range(count):
            lanes.put(lane, lane)
        lanes.close(lane)
    order = taken(lanes)
    # In each round everyone who still has something is served once.
    rounds = [[lane for lane, count in enumerate(counts) if count > turn] for turn in range(max(counts))]
    assert order == [lane for served in rounds for lane in served]


def test_a_lane_that_blocks_loses_nothing() -> None:
    lanes: Lanes[int] = Lanes(2, blocks=True)

    def produce() -> None:
        for item in range(50):
            lanes.put(item)
        lanes.close()

    thread = in_thread(produce)
    assert taken(lanes) == list(range(50))
    thread.join(LONG_S)
    assert lanes.dropped() == {}


def test_a_blocked_producer_waits_only_for_its_own_lane() -> None:
    lanes: Lanes[str] = Lanes(1, blocks=True, count=2)
    lanes.put("a", 0)
    assert in_thread(lanes.put, "b", 0).is_alive()
    lanes.put("c", 1)  # would hang if it waited for lane 0
    assert {lanes.get()[0], lanes.get()[0]} == {"a", "c"}  # type: ignore[index]


@pytest.mark.parametrize("ending", ["stop", "hurry"])
def test_the_end_wakes_a_producer(ending: str) -> None:
    lanes: Lanes[int] = Lanes(1, blocks=True)
    lanes.put(1)
    thread = in_thread(lanes.put, 2)
    until(lambda: lanes._changed._waiters)  # type: ignore[attr-defined]
    getattr(lanes, ending)()
    thread.join(LONG_S)
    assert not thread.is_alive()
    lanes.close()
    assert taken(lanes) == {"stop": [], "hurry": [1, 2]}[ending]
    assert lanes.dropped() == {"stop": {"stopped": 2}, "hurry": {}}[ending]


@pytest.mark.parametrize("ending", ["stop", "close"])
def test_the_end_wakes_the_consumer(ending: str) -> None:
    lanes: Lanes[int] = Lanes(1)
    got: list[Any] = []
    thread = in_thread(lambda: got.append(lanes.get()))
    until(lambda: lanes._changed._waiters)  # type: ignore[attr-defined]
    getattr(lanes, ending)()
    thread.join(LONG_S)
    assert got == [None]


def test_what_comes_after_the_end_is_refused_and_counted() -> None:
    lanes: Lanes[int] = Lanes(1, count=2)
    lanes.close(0)
    assert not lanes.put(1, 0) and lanes.put(1, 1)
    lanes.stop()
    assert not lanes.put(1, 1)
    assert [lanes.dropped(lane) for lane in (0, 1)] == [{"stopped": 1}, {"stopped": 2}]


def test_what_is_stale_is_passed_over() -> None:
    lanes: Lanes[int] = Lanes(8, stale=lambda item: item % 2 == 1)
    for item in range(6):
        lanes.put(item)
    lanes.close()
    assert taken(lanes) == [0, 2, 4]
    assert lanes.dropped() == {"too_old": 3}
