"""What a pipeline can say of itself while it runs: snapshots, and the tally that they are taken from."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgedet.camera.result import Result, StageTimes

_WINDOW = 1024  # results that the percentiles look back on
_FPS_WINDOW_S = 5.0


def told(name: str, said: object) -> str:
    """``NAME: what it said``, with the name once: edgedet's own errors begin with it."""
    text = str(said)
    return text if text.startswith(name) else f"{name}: {text}"


@dataclass(frozen=True)
class SourceStats:
    """One source.

    Attributes:
        name: the source's own.
        state: ``running``, ``end``, ``timeout`` or ``error``.
        captured: frames that it gave.
        dropped: frames without a result, by reason: ``unread`` (a live source could not wait), ``replaced`` by newer
            ones, ``too_old``, ``stopped`` (they waited when the pipeline was stopped), ``model_error``.
        timeouts: how often it gave nothing in time.
        reconnects: how often it came back.
        error: what ended it, or what is wrong now; None if nothing is.
        over: no more frames will come: with state ``error`` it was given up, without this it is tried again.
    """

    name: str
    state: str
    captured: int
    dropped: Mapping[str, int]
    timeouts: int
    reconnects: int
    error: str | None
    over: bool = False


@dataclass(frozen=True)
class SinkStats:
    """One sink.

    Attributes:
        name: the sink's own.
        state: ``open``, ``resting`` (after errors, until it is tried again), ``closed`` or ``stuck`` (it did not come
            back in time when the pipeline was stopped).
        written: results that it took.
        waiting: results in its queue.
        dropped: results that did not arrive, by reason: ``replaced``, ``error``, ``resting``, ``refused``, ``stopped``;
            and what the sink has lost itself, in its own words.
        errors: how often it raised.
        error: the last, or what is wrong now; None if nothing was.
    """

    name: str
    state: str
    written: int
    waiting: int
    dropped: Mapping[str, int]
    errors: int
    error: str | None


@dataclass(frozen=True)
class Stats:
    """A snapshot of a pipeline; sizes in frames, times in seconds.

    Attributes:
        state: ``new``, ``running``, ``stopping`` or ``ended``.
        reason: what ended it: ``end`` of the sources, ``stop``, ``seconds``, ``frames``, ``error``, or a signal's name.
        elapsed_s: since the start.
        captured: frames from all sources.
        inferred: frames that all models have answered.
        model_errors: frames on which a model raised.
        dropped: frames that were captured but not inferred, by reason.
        fps: results per second over the last five seconds.
        age_p50_s: median age at hand-over of the last 1024 results; 0 before the first.
        age_p99_s: 99th percentile of the same.
        times: median stage times of the same.
        sources: each source.
        sinks: each sink.
        error: the last error of a model, or what ended the pipeline; None if there was none.
    """

    state: str
    reason: str | None
    elapsed_s: float
    captured: int
    inferred: int
    model_errors: int
    dropped: Mapping[str, int]
    fps: float
    age_p50_s: float
    age_p99_s: float
    times: StageTimes
    sources: tuple[SourceStats, ...]
    sinks: tuple[SinkStats, ...]
    error: str | None

    def to_dict(self) -> dict[str, Any]:
        """The same as plain Python, ready for ``json.dumps``."""
        return {**dataclasses.asdict(self), "times": self.times._asdict()}


class Tally:
    """Counts results; may be asked from any thread."""

    def __init__(self) -> None:
        """Nothing counted yet."""
        self._lock = threading.Lock()
        self._ages: deque[float] = deque(maxlen=_WINDOW)
        self._times: deque[StageTimes] = deque(maxlen=_WINDOW)
        self._ends: deque[float] = deque(maxlen=_WINDOW)
        self.inferred = 0
        self.model_errors = 0
        self.error: BaseException | None = None

    def add(self, result: Result) -> None:
        """One frame has been answered."""
        with self._lock:
            self.inferred += 1
            self._ages.append(result.age_s)
            self._times.append(result.times)
            self._ends.append(time.monotonic())

    def fail(self, error: BaseException) -> None:
        """A model raised."""
        with self._lock:
            self.model_errors += 1
            self.error = error

    def figures(self, elapsed_s: float) -> dict[str, Any]:
        """``fps``, ``age_p50_s``, ``age_p99_s`` and ``times`` of `Stats`."""
        with self._lock:
            ages, times, ends = list(self._ages), list(self._times), list(self._ends)
        since = time.monotonic() - _FPS_WINDOW_S
        recent = sum(end > since for end in ends)
        # More than the window holds: the rate of those that it does hold.
        span = ends[-1] - ends[0] if recent == _WINDOW else min(elapsed_s, _FPS_WINDOW_S)
        p50, p99 = np.percentile(ages, (50, 99)).tolist() if ages else (0.0, 0.0)
        medians = np.median(times, axis=0).tolist() if times else [0.0] * 5
        return {
            "fps": recent / span if span > 0 else 0.0,
            "age_p50_s": p50,
            "age_p99_s": p99,
            "times": StageTimes(*medians),
        }
