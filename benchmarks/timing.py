"""Times several jobs side by side, so that what else the machine does hits them all alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

# A burst is long enough for the clock and for caches to settle after the other contenders' runs.
BURST_S = 0.02
ROUNDS = 12


@dataclass
class Lane:
    """A contender and its laps.

    Attributes:
        job: what is timed.
        seconds: what of a run's wall time counts; None: all.
        laps: seconds of each run.
        first: the answer of the first run, which is no lap.
        cost: wall seconds of the first run, then of its fastest.
    """

    job: Callable[[], Any]
    seconds: Callable[[float], float] | None = None
    laps: list[float] = field(default_factory=list)
    first: Any = None
    cost: float = 0.0

    def run(self) -> tuple[Any, float]:
        """The answer, and the seconds that count."""
        began = time.perf_counter()
        answer = self.job()
        wall = time.perf_counter() - began
        self.cost = min(self.cost, wall) if self.cost else wall
        return answer, wall if self.seconds is None else self.seconds(wall)

    def begin(self) -> Any:
        """Runs once, for the answer; kept as a lap only if there will be no other."""
        self.first, lap = self.run()
        self.laps = [lap]
        return self.first

    @property
    def best(self) -> float:
        """The fastest run in seconds: noise only ever adds."""
        return min(self.laps)

    @property
    def spread(self) -> float:
        """How far the median run lies above the fastest, as a fraction of it."""
        return statistics.median(self.laps) / self.best - 1


def race(lanes: Sequence[Lane], budget_s: float) -> float:
    """Runs all lanes, which have begun, in turns: ``ROUNDS`` bursts of each, within ``budget_s`` of its own.

    A job whose first run alone took longer than its budget keeps that one. Gives the share of the time in which this
    process had a processor.
    """
    wall, cpu = time.perf_counter(), time.process_time()
    racing = [lane for lane in lanes if lane.cost <= budget_s]
    spent = dict.fromkeys(map(id, racing), 0.0)
    for lane in racing:
        lane.laps.clear()
    for _ in range(ROUNDS):
        for lane in racing:
            burst = 0.0
            while burst < BURST_S and (not lane.laps or spent[id(lane)] + lane.cost <= budget_s):
                began = time.perf_counter()
                lane.laps.append(lane.run()[1])
                took = time.perf_counter() - began
                burst += took
                spent[id(lane)] += took
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return min(1.0, cpu / wall) if wall else 1.0
