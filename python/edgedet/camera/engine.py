"""The threads of a pipeline and their queues: started together, ended in the order in which results flow."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Sequence
from typing import Union

from edgedet.camera.calls import Models
from edgedet.camera.capture import Capture, Captured, Closer
from edgedet.camera.delivery import Delivery
from edgedet.camera.inference import Inference
from edgedet.camera.lanes import Lanes
from edgedet.camera.policies import Policy
from edgedet.camera.result import Result
from edgedet.camera.sinks.base import Sink
from edgedet.camera.sources.base import Source
from edgedet.camera.worker import Worker

#: Where results go: a sink's thread, or the queue of a loop.
Outlet = Union[Delivery, Lanes[Result]]


class Engine:
    """One thread for each source, one for the models, one for each sink. Runs once."""

    def __init__(self, sources: Sequence[Source], models: Models, sinks: Sequence[Sink], policy: Policy) -> None:
        """Nothing runs yet."""
        limit_s = policy.max_age_s

        def stale(captured: Captured) -> bool:
            return limit_s is not None and captured.frame.age_s() > limit_s

        self._lanes: Lanes[Captured] = Lanes(policy.depth, blocks=policy.blocks, count=len(sources), stale=stale)
        self.captures = [Capture(source, self._lanes, lane) for lane, source in enumerate(sources)]
        self.inference = Inference(self._lanes, models, self._deliver, self._no_more_results)
        self.deliveries = [Delivery(sink, blocks=policy.blocks, left=self._left, enough=self._enough) for sink in sinks]
        self._outlets: tuple[Outlet, ...] = tuple(self.deliveries)
        self._active = 1 + len(sinks)
        self._over = False
        self._lock, self._closing = threading.Lock(), threading.Lock()
        #: Why it shall end; a signal's handler may put something as well.
        self.events: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.state, self.reason = "new", ""
        self._began_s = self._ended_s = 0.0

    @property
    def elapsed_s(self) -> float:
        """Seconds from the start to the end, or to now."""
        return (self._ended_s or time.monotonic()) - self._began_s if self._began_s else 0.0

    def start(self) -> None:
        """Opens the sinks, then starts everything; errors as `Pipeline.start`."""
        with self._lock:
            if self.state != "new":
                raise RuntimeError(f"pipeline: expected a new one, got one that is {self.state}; make another")
            self.state, self._began_s = "running", time.monotonic()
        try:
            for delivery in self.deliveries:
                delivery.start()
            for delivery in self.deliveries:
                delivery.wait_open()
        except BaseException:
            self.stop(10.0, "error")
            raise
        self.inference.start()
        for capture in self.captures:
            capture.start()

    def attach(self, outlet: Outlet) -> None:
        """Results go there too from now on."""
        with self._lock:
            self._outlets += (outlet,)
            if self._over:
                outlet.close()

    def detach(self, outlet: Outlet) -> None:
        """Results no longer go there."""
        with self._lock:
            self._outlets = tuple(each for each in self._outlets if each is not outlet)

    def wait(self, seconds: float | None) -> str:
        """What happens first: the end, something in `events`, or ``seconds`` have passed."""
        try:
            event = self.events.get(timeout=seconds)
        except queue.Empty:
            return "seconds"
        self.events.put(event)  # somebody else may wait for it as well
        return event

    def stop(self, timeout_s: float, reason: str) -> None:
        """Ends everything within the time; see `Pipeline.stop`."""
        began = time.monotonic()
        with self._lock:
            self.reason = self.reason or reason
            if self.state != "ended":
                self.state = "stopping"
        self._lanes.stop()
        for outlet in self._outlets:
            outlet.hurry()
        workers: tuple[Worker, ...] = (self.inference, *self.captures, *self.deliveries)
        if threading.current_thread() in [worker.thread for worker in workers]:
            self.events.put(reason)
            return
        with self._closing:
            if self.state != "ended":
                self._close(began, timeout_s)

    def _close(self, began: float, timeout_s: float) -> None:
        closers = [Closer(capture) for capture in self.captures]
        for closer in closers:
            closer.start()
        self.inference.join_by(began + 0.4 * timeout_s)
        for delivery in self.deliveries:
            delivery.drain_by(began + 0.8 * timeout_s)
        for outlet in self._outlets:
            outlet.close()
        for delivery in self.deliveries:
            delivery.join_by(began + timeout_s)
            delivery.give_up()
        # A thread that is still inside C++ when the interpreter ends would abort the process.
        for worker in (*self.captures, *closers):
            worker.join_by(began + timeout_s)
        self.state, self._ended_s = "ended", time.monotonic()
        self.events.put(self.reason)

    def _deliver(self, result: Result) -> None:
        for outlet in self._outlets:
            outlet.put(result)

    def _enough(self, reason: str) -> None:
        """A sink wants no more: its thread asks for the end and does not wait for it."""
        self.stop(0.0, reason)

    def _no_more_results(self) -> None:
        """The models are through; what waits for sinks is still written."""
        with self._lock:
            self._over = True
            lost = any(each.error for each in self.captures)
            said = "frames" if self.inference.full else "error" if lost else "end"
            self.reason = self.reason or ("error" if self.inference.error is not None else said)
            outlets = self._outlets
        for outlet in outlets:
            outlet.close()
        self._left()

    def _left(self) -> None:
        """The models or a sink are through; after the last there is nothing to wait for."""
        with self._lock:
            self._active -= 1
            last = not self._active
        if last:
            self.events.put("end")
