"""One sink's thread: its pace, its errors and its end are its own."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from pipeline_fakes import LONG_S, FakeSink, result, until

from edgedet.camera.delivery import ERRORS_IN_A_ROW, LONGEST_REST_S, Delivery


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def started(sink: FakeSink, clock: Any = None, *, blocks: bool = False) -> Delivery:
    options = {"clock": clock} if clock else {}
    delivery = Delivery(sink, blocks=blocks, left=lambda: None, **options)
    delivery.start()
    delivery.wait_open()
    return delivery


def finished(delivery: Delivery) -> Any:
    delivery.close()
    delivery.thread.join(LONG_S)
    assert not delivery.thread.is_alive()
    return delivery.stats()


def put(delivery: Delivery, sink: FakeSink, *indices: int) -> None:
    """Hands on one after the other, each when the last has been dealt with."""
    for index in indices:
        before = delivery.stats()
        delivery.put(result(index))
        until(lambda: (now := delivery.stats()).written + sum(now.dropped.values()) > _done(before))  # noqa: B023


def _done(stats: Any) -> int:
    return int(stats.written + sum(stats.dropped.values()))


def test_everything_is_written_in_order_then_closed() -> None:
    sink = FakeSink()
    delivery = started(sink)
    for index in range(5):
        delivery.put(result(index))
    stats = finished(delivery)
    assert sink.got == list(range(5)) and sink.calls == ["open", "close"]
    assert (stats.state, stats.written, stats.dropped, stats.errors) == ("closed", 5, {}, 0)


def test_a_slow_sink_loses_its_oldest() -> None:
    sink = FakeSink(queue=2)
    sink.free.clear()
    delivery = started(sink)
    delivery.put(result(0))
    assert sink.taken.acquire(timeout=LONG_S)
    for index in range(1, 6):
        delivery.put(result(index))
    assert delivery.stats().waiting == 2
    sink.free.set()
    assert finished(delivery).dropped == {"replaced": 3}
    assert sink.got == [0, 4, 5]


@pytest.mark.parametrize("view", [False, True])
def test_only_a_view_never_makes_a_lossless_pipeline_wait(view: bool) -> None:
    sink = FakeSink(queue=1, view=view)
    delivery = started(sink, blocks=True)
    assert delivery._box._blocks is not view
    finished(delivery)


def test_an_error_is_counted_and_the_next_is_written(caplog: pytest.LogCaptureFixture) -> None:
    sink = FakeSink(fails=lambda index: OSError("no room") if index in (1, 2) else None)
    delivery = started(sink)
    put(delivery, sink, 0, 1, 2, 3)
    stats = finished(delivery)
    assert sink.got == [0, 3]
    assert (stats.errors, stats.error, stats.dropped) == (2, "no room", {"error": 2})
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "sink fake: no room" in caplog.text


def test_a_broken_sink_rests_longer_each_time_and_comes_back(caplog: pytest.LogCaptureFixture) -> None:
    clock, broken = Clock(), True
    sink = FakeSink(fails=lambda index: OSError("no room") if broken else None)
    delivery = started(sink, clock)
    put(delivery, sink, *range(ERRORS_IN_A_ROW))
    assert delivery.stats().state == "resting" and sink.calls == ["open", "close"]
    put(delivery, sink, 10, 11)
    assert delivery.stats().dropped == {"error": ERRORS_IN_A_ROW, "resting": 2}
    rests = []
    for _ in range(8):
        rests.append(delivery._wakes_at - clock.now)
        clock.now = delivery._wakes_at
        put(delivery, sink, 12)  # opened again, fails again
    assert rests == [1, 2, 4, 8, 16, 32, LONGEST_REST_S, LONGEST_REST_S]
    broken, clock.now = False, delivery._wakes_at
    put(delivery, sink, 20, 21)
    assert sink.got == [20, 21] and delivery.stats().state == "open"
    assert "works again" in caplog.text
    broken = True
    put(delivery, sink, 22)
    assert delivery.stats().state == "open", "the count of errors in a row has begun anew"
    finished(delivery)


def test_a_sink_that_cannot_be_opened_says_so() -> None:
    class Refusing(FakeSink):
        def open(self) -> None:
            raise PermissionError("not yours")

    sink = Refusing()
    delivery = Delivery(sink, blocks=True, left=lambda: None)
    delivery.start()
    with pytest.raises(PermissionError, match="not yours"):
        delivery.wait_open()
    assert finished(delivery).state == "closed"


def test_an_error_while_it_is_closed_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    class Refusing(FakeSink):
        def close(self) -> None:
            raise OSError("disk gone")

    stats = finished(started(Refusing()))
    assert (stats.state, stats.errors, stats.error) == ("closed", 1, "disk gone")
    assert "while it was closed: disk gone" in caplog.text


def test_what_is_left_after_the_deadline_is_dropped() -> None:
    clock, sink = Clock(), FakeSink()
    sink.free.clear()
    delivery = started(sink, clock)
    delivery.put(result(0))
    assert sink.taken.acquire(timeout=LONG_S)
    delivery.put(result(1))
    delivery.drain_by(clock.now + 1)
    clock.now += 2
    sink.free.set()
    stats = finished(delivery)
    assert sink.got == [0] and stats.dropped == {"stopped": 1} and stats.state == "closed"


def test_a_stuck_sink_is_given_up() -> None:
    sink = FakeSink()
    sink.free.clear()
    delivery = started(sink)
    delivery.put(result(0))
    delivery.put(result(1))
    assert sink.taken.acquire(timeout=LONG_S)
    delivery.close()
    delivery.give_up()
    assert (delivery.stats().state, delivery.stats().dropped) == ("stuck", {"stopped": 1})
    sink.free.set()


def test_what_a_sink_lost_itself_is_counted() -> None:
    class Buffered(FakeSink):
        @property
        def lost(self) -> dict[str, int]:
            return {"offline": 7}

    assert finished(started(Buffered())).dropped == {"offline": 7}
