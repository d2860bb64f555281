"""Measuring a model: how often it is called and by whom, and what becomes of the laps."""

from __future__ import annotations

import mmap
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgedet.evaluate.speed import STAGES, Plan, Speed, measure, resident
from edgedet.model import Timings

IMAGE = np.zeros((4, 5, 3), np.uint8)


class Model:
    """Says that every stage of call number n took n seconds."""

    def __init__(self, *, fails_at: int | None = None, callers: int = 1) -> None:
        self.calls: list[int] = []
        self._fails_at, self._callers, self._own = fails_at, threading.Barrier(callers), threading.local()

    def rehearse(self, image: np.ndarray) -> None:
        assert image is IMAGE
        self.calls.append(threading.get_ident())
        number = len(self.calls)
        if self._fails_at is not None and number >= self._fails_at:
            raise RuntimeError("broken")
        if number <= self._callers.parties:  # nobody gets a second call before everybody has the first
            self._callers.wait(60)
        self._own.timings = Timings(number, number, number)

    @property
    def timings(self) -> Timings:
        return self._own.timings


def run(model: Model, plan: Plan, **options: Any) -> Speed:
    return measure(model, IMAGE, plan, **options)  # type: ignore[arg-type]


def test_so_many_calls_after_those_to_warm_up() -> None:
    model, told = Model(), []
    speed = run(model, Plan(runs=5, warm_up=2), progress=lambda calls, elapsed_s: told.append((calls, elapsed_s)))
    assert len(model.calls) == 7 and speed.runs == 5
    assert speed.laps["infer"].tolist() == [3, 4, 5, 6, 7]
    assert tuple(speed.laps) == STAGES and (speed.laps["total"] > 0).all()
    assert [calls for calls, _ in told] == [0, 1, 2, 3, 4]
    assert np.diff([elapsed_s for _, elapsed_s in told]).min() >= 0
    assert speed.per_s == pytest.approx(5 / speed.wall_s) and speed.wall_s >= speed.laps["total"].sum()


def test_so_long_but_once_at_least() -> None:
    model = Model()
    speed = run(model, Plan(seconds=0.05, warm_up=0))
    assert speed.wall_s >= 0.05 and speed.runs == len(model.calls) > 1
    assert run(Model(), Plan(seconds=1e-9, warm_up=0)).runs == 1


def test_callers_at_once_share_the_runs() -> None:
    model = Model(callers=4)
    speed = run(model, Plan(runs=40, warm_up=0, concurrent=4))
    assert speed.runs == len(model.calls) == 40
    assert len(set(model.calls)) == 4 and threading.get_ident() not in model.calls
    assert run(Model(), Plan(runs=2, concurrent=4)).runs == 2


@pytest.mark.parametrize("concurrent", [1, 3])
def test_a_failure_ends_all(concurrent: int) -> None:
    model = Model(fails_at=50, callers=concurrent)
    with pytest.raises(RuntimeError, match="broken"):
        run(model, Plan(seconds=3600, warm_up=0, concurrent=concurrent))


def test_an_interrupt_ends_all() -> None:
    def interrupted(calls: int, elapsed_s: float) -> None:
        if calls == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(Model(), Plan(seconds=3600, concurrent=2), progress=interrupted)


def test_stages() -> None:
    speed = Speed({"infer": np.arange(1.0, 102.0), "total": np.full(101, 2.0)}, wall_s=50.5)
    infer = speed.stages()["infer"]
    assert infer == {"p50_s": 51, "p90_s": 91, "p99_s": 100, "min_s": 1, "mean_s": 51, "per_s": pytest.approx(1 / 51)}
    assert speed.stages()["total"]["per_s"] == 0.5
    assert (speed.runs, speed.per_s) == (101, 2)


def test_resident_memory(tmp_path: Path) -> None:
    here = resident()
    assert here["now"] and here["peak"] and 1 << 20 < here["now"] <= here["peak"]
    # Pages of its own: what NumPy gets may be memory that an earlier test has left behind.
    with mmap.mmap(-1, 64 << 20) as block:
        block[:] = b"x" * len(block)
        grown = resident()
    assert grown["now"] and grown["now"] > here["now"] + (32 << 20)
    assert resident(tmp_path) == {"now": None, "peak": None}
