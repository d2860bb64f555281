"""One sink's thread: its own queue, its own errors, its own pace."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable

from edgedet.camera.lanes import Lanes
from edgedet.camera.result import Result
from edgedet.camera.sinks.base import Enough, Sink
from edgedet.camera.stats import SinkStats, told
from edgedet.camera.worker import Worker

ERRORS_IN_A_ROW = 5
LONGEST_REST_S = 60.0
_LOG = logging.getLogger("edgedet.camera")


class Delivery(Worker):
    """Hands results to one sink on a thread of its own, so that neither its pace nor its errors reach anyone else.

    A sink that raises `ERRORS_IN_A_ROW` times without a success between is closed and rests: 1 s, then twice as long
    each time up to `LONGEST_REST_S`. What comes meanwhile is dropped and counted; the first result after the rest
    opens it again.
    """

    def __init__(
        self,
        sink: Sink,
        *,
        blocks: bool,
        left: Callable[[], None],
        enough: Callable[[str], None] = lambda reason: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing runs yet.

        Args:
            sink: where to.
            blocks: a full queue makes `put` wait, unless the sink is a view.
            left: called by the thread as the last thing it does.
            enough: called when the sink wants no more results, with its name.
            clock: seconds, monotonic.
        """
        self._sink, self._left, self._enough, self._clock = sink, left, enough, clock
        self._box: Lanes[Result] = Lanes(sink.queue, blocks=blocks and not sink.view)
        super().__init__(f"sink-{sink.name}")
        self._opened = threading.Event()
        self._refused: BaseException | None = None
        self._state = "new"
        self._written = self._errors = self._in_a_row = self._rests = 0
        self._dropped: Counter[str] = Counter()
        self._error: Exception | None = None
        self._wakes_at = 0.0
        self._deadline = float("inf")

    def wait_open(self) -> None:
        """Returns when the sink is open; raises what it raised instead."""
        self._opened.wait()
        if self._refused is not None:
            raise self._refused

    def put(self, result: Result) -> None:
        """Queues a result; returns at once unless it must wait for a sink that loses nothing."""
        self._box.put(result)

    def close(self) -> None:
        """No more results will come; those that wait are still written."""
        self._box.close()

    def drain_by(self, deadline: float) -> None:
        """What has not been written by then, on the clock, is dropped."""
        self._deadline = deadline

    def hurry(self) -> None:
        """`put` no longer waits."""
        self._box.hurry()

    def give_up(self) -> None:
        """If the thread still runs, nobody waits for it any more: the sink is ``stuck``."""
        if self.thread.is_alive():
            self._state = "stuck"
            self._box.stop()

    def _run(self) -> None:
        try:
            self._sink.open()
            self._state = "open"
        except BaseException as error:  # it is raised again by the thread that waits for it
            self._refused = error
            self._box.stop()
        finally:
            self._opened.set()
        try:
            while (taken := self._box.get()) is not None:
                self._take(taken[0])
        finally:
            self._close_sink()
            self._state = "closed"
            self._left()

    def _take(self, result: Result) -> None:
        now = self._clock()
        if now > self._deadline:
            self._dropped["stopped"] += 1
        elif now < self._wakes_at:
            self._dropped["resting"] += 1
        else:
            self._write(result)

    def _write(self, result: Result) -> None:
        try:
            if self._state == "resting":
                self._sink.open()
                self._state = "open"
            self._sink.write(result)
        except Enough as wish:
            _LOG.info("sink %s: %s", self._sink.name, wish)
            self._dropped["refused"] += 1
            self._enough(self._sink.name)
        except Exception as error:
            self._dropped["error"] += 1
            self._failed(error)
        else:
            if self._rests:
                _LOG.warning("sink %s: works again", self._sink.name)
            self._written += 1
            self._in_a_row = self._rests = 0

    def _failed(self, error: Exception) -> None:
        self._errors += 1
        self._error = error
        self._in_a_row += 1
        if self._in_a_row == 1:
            _LOG.warning("sink %s", told(self._sink.name, error))
        if self._in_a_row >= ERRORS_IN_A_ROW or self._state == "resting":
            rest_s = min(LONGEST_REST_S, 2.0**self._rests)
            self._rests += 1
            self._close_sink()
            self._state, self._wakes_at = "resting", self._clock() + rest_s
            _LOG.warning("sink %s: rests for %g s after %d errors", self._sink.name, rest_s, self._in_a_row)

    def _close_sink(self) -> None:
        try:
            self._sink.close()
        except Exception as error:
            self._errors += 1
            self._error = error
            _LOG.warning("sink %s: while it was closed: %s", self._sink.name, error)

    def stats(self) -> SinkStats:
        """A snapshot."""
        dropped = Counter(self._dropped)
        dropped.update(self._box.dropped())
        dropped.update(self._sink.lost)
        error = self._sink.problem or (None if self._error is None else str(self._error))
        return SinkStats(
            self._sink.name, self._state, self._written, len(self._box), dict(dropped), self._errors, error
        )
