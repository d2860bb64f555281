"""A long run of a pipeline: does anything grow that should not?

Memory, threads, file descriptors and the age of results are sampled at equal intervals. After a warm-up a line is
fitted to each, the median of the slopes between all pairs of samples (Theil and Sen), so that a burst or a pause of the
machine does not decide; what the line rises by in the time that was watched must stay within a limit.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgedet.camera.pipeline import Pipeline, Result, Stats

#: The part of the samples that is left out at the beginning, in which caches and pools fill.
WARM_UP = 0.2
LEAST_SAMPLES = 10
_MB = 1e6


@dataclass(frozen=True)
class Sample:
    """What was seen at one moment.

    Attributes:
        seconds: since the start.
        rss_mb: memory that the process has in RAM, in megabytes.
        threads: of the process.
        descriptors: that the process has open.
        age_ms: the 99th percentile of the ages of the results since the last sample; None if there were none.
    """

    seconds: float
    rss_mb: float
    threads: int
    descriptors: int
    age_ms: float | None


@dataclass(frozen=True)
class Trend:
    """How one quantity developed after the warm-up.

    Attributes:
        name: of the quantity, with its unit.
        median: of its samples.
        per_hour: the slope of the fitted line.
        growth: what the line rises by from the first sample to the last.
        limit: what ``growth`` may be.
    """

    name: str
    median: float
    per_hour: float
    growth: float
    limit: float

    @property
    def flat(self) -> bool:
        """Whether it stays within its limit."""
        return self.growth <= self.limit


@dataclass(frozen=True)
class Report:
    """A soak's outcome.

    Attributes:
        trends: of each quantity.
        stats: of the pipeline at its end.
        samples: how many were taken.
        problem: why there is no verdict, or what else went wrong; None if nothing did.
    """

    trends: tuple[Trend, ...]
    stats: Stats
    samples: int
    problem: str | None

    @property
    def passed(self) -> bool:
        """Whether everything is flat and nothing went wrong."""
        return self.problem is None and all(trend.flat for trend in self.trends)


def slope(times: Sequence[float], values: Sequence[float]) -> float:
    """The median slope between all pairs of points."""
    x, y = np.asarray(times, float), np.asarray(values, float)
    first, second = np.triu_indices(len(x), 1)
    return float(np.median((y[second] - y[first]) / (x[second] - x[first])))


def trends(samples: Sequence[Sample]) -> tuple[Trend, ...]:
    """The trends after the warm-up, each with its limit.

    Memory may grow by 2 MB and by 10 MB an hour: what an allocator does, not what a leak of 100 bytes a frame does.
    Threads and descriptors must not grow. An age may double and grow by 50 ms: another's load, not a queue.
    """
    warm = samples[int(len(samples) * WARM_UP) :]
    span_s = warm[-1].seconds - warm[0].seconds
    ages = [sample.age_ms for sample in warm if sample.age_ms is not None]
    quantities: dict[str, tuple[list[float], float]] = {
        "memory, MB": ([sample.rss_mb for sample in warm], 2 + 10 * span_s / 3600),
        "threads": ([sample.threads for sample in warm], 0.5),
        "descriptors": ([sample.descriptors for sample in warm], 0.5),
        "age p99, ms": (ages, 50 + float(np.median(ages)) if ages else 0.0),
    }
    found = []
    for name, (values, limit) in quantities.items():
        if len(values) >= 2:
            times = [sample.seconds for sample in warm if name != "age p99, ms" or sample.age_ms is not None]
            rise = slope(times, values)
            found.append(Trend(name, float(np.median(values)), 3600 * rise, rise * span_s, limit))
    return tuple(found)


class Sampler:
    """Takes samples of this process at equal intervals, on a thread of its own; a sink's function for the ages."""

    def __init__(self, interval_s: float, taken: Callable[[Sample], None] = lambda sample: None) -> None:
        """Nothing is sampled yet; ``taken`` is called with each sample."""
        self.samples: list[Sample] = []
        self._interval_s, self._taken = interval_s, taken
        self._ages: list[float] = []
        self._lock, self._over = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="edgedet-soak", daemon=True)
        self._began = time.monotonic()

    def see(self, result: Result) -> None:
        """Notes a result's age; draws it too, for that is what most sinks do."""
        result.draw()
        with self._lock:
            self._ages.append(result.age_s)

    def _run(self) -> None:
        while not self._over.wait(self._interval_s):
            self.samples.append(self._sample())
            self._taken(self.samples[-1])

    def _sample(self) -> Sample:
        with self._lock:
            ages, self._ages = self._ages, []
        age_ms = 1000 * float(np.percentile(ages, 99)) if ages else None
        return Sample(time.monotonic() - self._began, *_process(), age_ms)

    def __enter__(self) -> Sampler:
        self._began = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()


def _process() -> tuple[float, int, int]:
    """Resident megabytes, threads and descriptors of this process, as Linux tells them."""
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    facts = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    descriptors = sum(1 for _ in Path("/proc/self/fd").iterdir()) - 1  # the folder itself is open
    return int(facts["VmRSS"].split()[0]) * 1024 / _MB, int(facts["Threads"]), descriptors


def soak(
    pipeline: Callable[[Callable[[Result], Any]], Pipeline],
    seconds: float,
    interval_s: float,
    taken: Callable[[Sample], None] = lambda sample: None,
) -> Report:
    """Runs a pipeline and judges.

    Args:
        pipeline: makes it, with the function that it is given as one of its sinks.
        seconds: how long; SIGINT and SIGTERM end it sooner.
        interval_s: between samples.
        taken: called with each sample.

    Raises:
        EdgedetError: what ended the pipeline.
    """
    with Sampler(interval_s, taken) as sampler:
        stats = pipeline(sampler.see).run(seconds=seconds)
    errors = [f"{sink.name}: {sink.error}" for sink in stats.sinks if sink.errors or sink.state == "stuck"]
    problem = None
    if len(sampler.samples) < LEAST_SAMPLES:
        problem = f"expected {LEAST_SAMPLES} samples, got {len(sampler.samples)}; run it longer"
    elif stats.model_errors or errors:
        problem = f"expected no errors, got {stats.model_errors} of the model and {errors} of sinks; see the log"
    elif not stats.inferred:
        problem = "expected results, got none; check the source"
    found = trends(sampler.samples) if len(sampler.samples) >= LEAST_SAMPLES else ()
    return Report(found, stats, len(sampler.samples), problem)
