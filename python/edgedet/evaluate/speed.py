"""How long a model's calls take, stage by stage, and what memory they need."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

import numpy as np
import numpy.typing as npt

from edgedet.model import Model, Timings

#: What is measured: the stages of a call, and the whole of it as its caller sees it, waiting for a turn included.
STAGES = (*Timings._fields, "total")
PERCENTILES = (50, 90, 99)


@dataclass(frozen=True)
class Plan:
    """What is to be measured.

    Attributes:
        runs: so many calls, of all threads together; None: as many as there is time for.
        seconds: so long; of no account where ``runs`` says how many.
        concurrent: threads that call the model at the same time.
        warm_up: calls before the first that counts.
    """

    runs: Optional[int] = None
    seconds: float = 5.0
    concurrent: int = 1
    warm_up: int = 3


@dataclass(frozen=True, eq=False)
class Speed:
    """What was measured.

    Attributes:
        laps: stage -> (R,) float64, seconds of each call.
        wall_s: from the first call's begin to the last one's end.
    """

    laps: dict[str, npt.NDArray[np.float64]]
    wall_s: float

    @property
    def runs(self) -> int:
        """How many calls were measured."""
        return len(self.laps["total"])

    @property
    def per_s(self) -> float:
        """Calls in a second, of all threads together."""
        return self.runs / self.wall_s

    def stages(self) -> dict[str, dict[str, float]]:
        """Stage -> its percentiles, minimum and mean in seconds, and how many fit one thread's second."""
        return {stage: _summary(laps) for stage, laps in self.laps.items()}


def _summary(laps: npt.NDArray[np.float64]) -> dict[str, float]:
    percentiles = np.percentile(laps, PERCENTILES).tolist()
    mean = float(laps.mean())
    return {
        **{f"p{percent}_s": value for percent, value in zip(PERCENTILES, percentiles)},
        "min_s": float(laps.min()),
        "mean_s": mean,
        "per_s": 1 / mean,
    }


def measure(
    model: Model, image: npt.NDArray[Any], plan: Plan, progress: Callable[[int, float], None] = lambda calls, s: None
) -> Speed:
    """Calls the model on one image again and again.

    Args:
        model: of any task.
        image: (H, W, 3) uint8, BGR.
        plan: how often.
        progress: told before each call how many have begun and how many seconds have passed; by one thread at a time.

    Raises:
        InferenceError: the runtime failed; also what else the model raises for such an image.
    """
    for _ in range(plan.warm_up):
        model.rehearse(image)
    turns = _Turns(plan, progress)

    def work() -> tuple[list[tuple[float, ...]], float]:
        laps: list[tuple[float, ...]] = []
        with turns:
            for _ in turns:
                began = time.perf_counter()
                model.rehearse(image)
                laps.append((*model.timings, time.perf_counter() - began))
        return laps, time.perf_counter()

    with ThreadPoolExecutor(plan.concurrent) as pool, turns:
        done = [job.result() for job in [pool.submit(work) for _ in range(plan.concurrent)]]
    table = np.array([lap for laps, _ in done for lap in laps], np.float64)
    return Speed(dict(zip(STAGES, table.T)), max(end for _, end in done) - turns.began)


class _Turns:
    """Hands out calls to the threads that iterate over it, until there were enough.

    Whoever leaves its ``with`` block, by a failure or because the user has had enough, ends it for all.
    """

    def __init__(self, plan: Plan, progress: Callable[[int, float], None]) -> None:
        self._plan, self._progress = plan, progress
        self._lock, self._taken, self._stopped = threading.Lock(), 0, False
        self.began = time.perf_counter()

    def __iter__(self) -> Iterator[None]:
        while self._take():
            yield

    def _take(self) -> bool:
        with self._lock:
            elapsed, plan = time.perf_counter() - self.began, self._plan
            # However little time there is, one call is measured.
            enough = self._taken >= plan.runs if plan.runs else elapsed >= plan.seconds and self._taken > 0
            if enough or self._stopped:
                return False
            self._progress(self._taken, elapsed)
            self._taken += 1
            return True

    def __enter__(self) -> _Turns:
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped = True


def resident(root: Path = Path("/")) -> dict[str, Optional[int]]:
    """This process's memory in bytes: ``now``, and ``peak`` since its start; None where the system does not say."""
    try:
        text = (root / "proc/self/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        text = ""
    told = dict(re.findall(r"^(VmRSS|VmHWM):\s*(\d+) kB", text, re.MULTILINE))
    return {name: int(told[key]) << 10 if key in told else None for name, key in (("now", "VmRSS"), ("peak", "VmHWM"))}
