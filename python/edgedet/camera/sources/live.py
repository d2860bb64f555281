"""Sources that keep their own time: a thread reads the camera, and gets it back when it is lost."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from typing import Callable, Optional

from edgedet.camera.frame import Frame
from edgedet.camera.sources.address import masked
from edgedet.camera.sources.backoff import Backoff
from edgedet.camera.sources.base import Device, Shot, State
from edgedet.camera.sources.options import Options
from edgedet.camera.sources.reader import Reader
from edgedet.errors import EndOfStream, SourceError, SourceTimeout

#: Threads that hang in a driver or a library can't be ended. With so many of them no further one is begun.
MAX_STUCK = 2
# Timeouts. Devices keep one themselves, twice in a row at the worst (look for the host, then open the stream).
_STUCK = 3


class LiveSource(Reader):
    """Captures on a thread of its own, from the first `read` on; keeps the newest frames, loses the others.

    A camera that is lost, refuses or stalls is opened again, with growing waits in between. A thread that stays in a
    call for longer than the timeout is given up and replaced; it ends itself when the call comes back.
    """

    live = True

    def __init__(
        self, name: str, options: Options, connect: Callable[[], Device], *, backoff: Optional[Backoff] = None
    ) -> None:
        super().__init__(name, options)
        self._connect = connect
        self._backoff = backoff or Backoff()
        self._changed = threading.Condition()
        self._frames: deque[Frame] = deque()
        self._worker: Optional[_Worker] = None
        self._stuck: list[_Worker] = []
        self._failures = 0
        self._over_for_good = False

    def read(self, timeout_s: Optional[float] = None) -> Frame:
        """See `Source.read`."""
        limit_s = self._options.timeout_s if timeout_s is None else timeout_s
        deadline = time.monotonic() + limit_s
        with self._changed:
            while not self._frames:
                self._raise_if_over()
                self._ensure_worker()
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    raise self._late(limit_s)
                self._changed.wait(min(remaining, self._until_stuck()))
            return self._frames.popleft()

    def close(self) -> None:
        """See `Source.close`."""
        with self._changed:
            if not self._over_for_good:
                self._finish(State.END, None)
            self._frames.clear()
            worker, self._worker = self._worker, None
        if worker is not None:
            worker.interrupt()
            if worker is not threading.current_thread():
                worker.join(1.0)

    def _raise_if_over(self) -> None:
        if self._over_for_good:
            raise SourceError(self.problem) if self.state is State.ERROR else self._over()

    def _late(self, limit_s: float) -> SourceTimeout:
        if self.state is State.RUNNING:
            self.state = State.TIMEOUT
        cause = f" ({self.problem})" if self.problem else ""
        return SourceTimeout(
            f"{self.name}: expected a frame within {limit_s:g} s, got none{cause}; "
            "read again to wait longer, or check the camera and its cable"
        )

    def _ensure_worker(self) -> None:
        """Begins a thread if there is none, or if the one there hangs."""
        if self._worker is not None and self._until_stuck() <= 0:
            self._worker.interrupt()
            self._stuck.append(self._worker)
            self._worker = None
            if not self._may_try_again(
                State.TIMEOUT, f"{self.name}: expected an answer of the driver, got none; restart"
            ):
                self._raise_if_over()
        self._stuck = [worker for worker in self._stuck if worker.is_alive()]
        if self._worker is None and len(self._stuck) < MAX_STUCK:
            self._worker = _Worker(self)
            self._worker.start()

    def _until_stuck(self) -> float:
        """Seconds until the thread has been in one call for too long."""
        if self._worker is None:
            return 0.1  # all are stuck: look again soon
        return self._worker.busy_since + _STUCK * self._options.timeout_s - time.monotonic()

    def _may_try_again(self, state: State, problem: str) -> bool:
        """Enters a failure; finishes the source if it was one too many."""
        self._failures += 1
        allowed = self._options.reconnect
        if allowed is None:
            allowed = math.inf if self.counts.captured else 0
        if self._failures > allowed:
            self._finish(State.ERROR, problem)
            return False
        self.state, self.problem = state, problem
        return True

    def _finish(self, state: State, problem: Optional[str]) -> None:
        self.state, self.problem, self._over_for_good = state, problem, True
        self._changed.notify_all()

    def _told(self, error: Exception) -> str:
        if isinstance(error, SourceError):
            return str(error)
        said = masked(f"{type(error).__name__}: {error}")
        return f"{self.name}: expected a frame, got {said}; report it if it can't be explained"

    # What the thread reports. One that was given up meanwhile is told so by False.

    def _is_current(self, worker: _Worker) -> bool:
        return self._worker is worker and not self._over_for_good

    def _captured(self, worker: _Worker, shot: Shot, rate: Optional[float], damaged: int) -> bool:
        with self._changed:
            if not self._is_current(worker):
                return False
            self.rate = rate
            frame = self._counted(shot)
            came_back = self._failures > 0 and frame.index > 0
            dropped = max(0, len(self._frames) + 1 - self._options.buffer)
            for _ in range(dropped):
                self._frames.popleft()
            self._frames.append(frame)
            self.counts = self.counts._replace(
                dropped=self.counts.dropped + dropped,
                damaged=self.counts.damaged + damaged,
                reconnects=self.counts.reconnects + came_back,
            )
            self._failures, self.state, self.problem = 0, State.RUNNING, None
            self._changed.notify_all()
            return True

    def _ended(self, worker: _Worker) -> bool:
        with self._changed:
            if self._is_current(worker):
                self._finish(State.END, None)
            return False

    def _failed(self, worker: _Worker, error: Exception) -> bool:
        """Enters the failure and waits; gives whether to try again."""
        with self._changed:
            if not self._is_current(worker):
                return False
            state = State.TIMEOUT if isinstance(error, SourceTimeout) else State.ERROR
            if not self._may_try_again(state, self._told(error)):
                return False
            until = time.monotonic() + self._backoff.wait_s(self._failures)
            while self._is_current(worker) and (left := until - time.monotonic()) > 0:
                worker.busy_since = time.monotonic()
                self._changed.wait(left)
            return self._is_current(worker)


class _Worker(threading.Thread):
    """Opens the device and grabs from it, again and again, until its source has another or none."""

    def __init__(self, source: LiveSource) -> None:
        super().__init__(name=f"capture {source.name}", daemon=True)
        self.busy_since = time.monotonic()
        self._source = source
        self._device: Optional[Device] = None

    def interrupt(self) -> None:
        device = self._device
        if device is not None:
            device.interrupt()

    def run(self) -> None:
        while self._once():
            pass

    def _once(self) -> bool:
        """One connection, from opening to loss; gives whether to try again."""
        source = self._source
        try:
            self.busy_since = time.monotonic()
            self._device = source._connect()
            try:
                return self._drain(self._device)
            finally:
                device, self._device = self._device, None
                device.close()
        except EndOfStream:
            return source._ended(self)
        except Exception as error:  # a library's own too: the reader must hear of it
            return source._failed(self, error)

    def _drain(self, device: Device) -> bool:
        source = self._source
        damaged = 0
        while True:
            self.busy_since = time.monotonic()
            shot = source._turned(device.grab(source._options.timeout_s))
            passed, damaged = device.damaged - damaged, device.damaged
            if not source._captured(self, shot, device.rate, passed):
                return False
