"""Measuring a model: how often it is called and by whom, and what becomes of the laps."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgedet.evaluate.speed import STAGES, Plan, Speed, measure, resident
from edgedet.model import Timings

IMAGE = np.zeros((4, 5, 3), np.uint8)


class Model:
    """Says that every stage of call number n took n seconds."""

    def __init__(self, *, fails_at: int | None = None, takes_s: float = 0.0) -> None:
        self.calls: list[int] = []
        self._fails_at, self._takes_s, self._own = fails_at, takes_s, threading.local()

    def rehearse(self, image: np.ndarray) -> None:
        assert image is IMAGE
        self.calls.append(threading.get_ident())
        number = len(self.calls)
        if number == self._fails_at:
            raise RuntimeError("broken")
        time.sleep(self._takes_s)
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
    assert run(Model(takes_s=0.02), Plan(seconds=0.1, warm_up=0)).runs in range(2, 7)
    assert run(Model(takes_s=0.02), Plan(seconds=1e-9, warm_up=0)).runs == 1


@pytest.mark.parametrize("runs", [1, 3, 40])
def test_callers_at_once_share_the_runs(runs: int) -> None:
    model = Model(takes_s=0.001)
    speed = run(model, Plan(runs=runs, warm_up=0, concurrent=4))
    assert speed.runs == len(model.calls) == runs
    assert threading.get_ident() not in model.calls
    assert len(set(model.calls)) == min(4, runs) or runs == 3
    assert sorted(speed.laps["infer"].tolist())[-1] <= runs


@pytest.mark.parametrize("concurrent", [1, 3])
def test_a_failure_ends_all(concurrent: int) -> None:
    model = Model(fails_at=5, takes_s=0.001)
    with pytest.raises(RuntimeError, match="broken"):
        run(model, Plan(seconds=3600, warm_up=0, concurrent=concurrent))
    assert len(model.calls) < 5 + 50


def test_an_interrupt_ends_all(monkeypatch: pytest.MonkeyPatch) -> None:
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
    block = np.ones(64 << 20, np.uint8)
    grown = resident()
    assert grown["now"] and grown["now"] > here["now"] + block.nbytes // 2
    assert resident(tmp_path) == {"now": None, "peak": None}
