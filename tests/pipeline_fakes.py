"""Sources, models and sinks that do what a test tells them, when it tells them; nothing here sleeps."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterable
from typing import Any

import numpy as np

from edgedet.camera.frame import Frame
from edgedet.camera.result import Result, StageTimes
from edgedet.camera.sinks.base import Sink
from edgedet.camera.sources.base import Counts, State
from edgedet.errors import EndOfStream

#: Far longer than anything takes; a test that waits so long has failed.
LONG_S = 20.0


def frame(index: int = 0, source: str = "fake", *, age_s: float = 0.0, value: int = 0) -> Frame:
    image = np.full((6, 8, 3), value, np.uint8)
    return Frame(image, index, time.monotonic() - age_s, None, source)


def result(index: int = 0, output: Any = None, **options: Any) -> Result:
    times = StageTimes(0.001, 0.002, 0.003, 0.004, 0.005)
    return Result(frame(index, **options), {"model": output}, 0.015, 1_700_000_000.25, times, {"replaced": 2})


class FakeSource:
    """Gives what it was given with `feed`, then waits; ``items`` are fed at once and are all there is."""

    def __init__(self, items: Iterable[Any] | None = None, *, live: bool = False, name: str = "fake") -> None:
        self.live, self.name, self.state, self.problem = live, name, State.RUNNING, None
        self.counts = Counts()
        self.size_wh, self.rate = (8, 6), None
        self.closed = False
        self._items: queue.SimpleQueue[Any] = queue.SimpleQueue()
        for item in items if items is not None else ():
            self.feed(item)
        if items is not None:
            self.feed(EndOfStream("end"))

    def feed(self, item: Any) -> None:
        """A frame, a frame's index, or an error to raise."""
        self._items.put(item)

    def read(self, timeout_s: float | None = None) -> Frame:
        item = self._items.get()
        if isinstance(item, BaseException):
            self.state = State.END if isinstance(item, EndOfStream) else State.ERROR
            raise item
        self.state = State.RUNNING
        self.counts = self.counts._replace(captured=self.counts.captured + 1)
        return frame(item, self.name) if isinstance(item, int) else item

    def close(self) -> None:
        self.closed = True
        self._items.put(EndOfStream("closed"))

    def __iter__(self) -> FakeSource:
        return self

    def __next__(self) -> Frame:
        return self.read()

    def __enter__(self) -> FakeSource:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class Gate:
    """A model that says when it has begun on a frame, and waits until it is let through."""

    def __init__(self) -> None:
        self.begun: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._may = threading.Semaphore(0)

    def __call__(self, frame: Frame) -> int:
        self.begun.put(frame.index)
        assert self._may.acquire(timeout=LONG_S)
        return frame.index

    def let(self, count: int = 1) -> None:
        for _ in range(count):
            self._may.release()


class FakeSink(Sink):
    """Keeps the indices that it is given; raises what ``fails`` says for an index, waits while it is held."""

    def __init__(self, name: str = "fake", *, fails: Any = None, queue: int = 8, view: bool = False) -> None:
        self.name, self.queue, self.view = name, queue, view
        self.fails = fails or (lambda index: None)
        self.got: list[int] = []
        self.calls: list[str] = []
        self.taken = threading.Semaphore(0)
        self.free = threading.Event()
        self.free.set()

    def open(self) -> None:
        self.calls.append("open")

    def write(self, result: Result) -> None:
        self.taken.release()
        assert self.free.wait(LONG_S)
        error = self.fails(result.frame.index)
        if error is not None:
            raise error
        self.got.append(result.frame.index)

    def close(self) -> None:
        self.calls.append("close")


def until(condition: Any) -> None:
    """Returns when the condition holds: for what another thread does and no event tells of."""
    deadline = time.monotonic() + LONG_S
    while not condition():
        assert time.monotonic() < deadline, "it never came to hold"
        threading.Event().wait(0.001)


def index_of(frame: Frame) -> int:
    """A model."""
    return frame.index
