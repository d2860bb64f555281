"""The verdict of a soak: what is flat, what is noise, and what is a leak."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pipeline_fakes import FakeSource, index_of, until

from edgedet.camera.frame import Frame
from edgedet.camera.pipeline import Pipeline
from edgedet.evaluate import soak as soaking
from edgedet.evaluate.soak import LEAST_SAMPLES, Sample, slope, soak, trends

HOUR_S = 3600.0


def samples(
    count: int = 100,
    seconds: float = 600.0,
    *,
    rss: Callable[[float], float] = lambda at: 200.0,
    threads: Callable[[float], int] = lambda at: 7,
    descriptors: Callable[[float], int] = lambda at: 12,
    age: Callable[[float], float | None] = lambda at: 30.0,
) -> list[Sample]:
    """At equal intervals; each function gets the part of the time that has passed, 0 to 1."""
    parts = np.linspace(0, 1, count).tolist()
    return [Sample(at * seconds, rss(at), threads(at), descriptors(at), age(at)) for at in parts]


def growing(found: Any) -> list[str]:
    return [trend.name for trend in found if not trend.flat]


@given(st.floats(-5, 5), st.floats(-100, 100), st.integers(2, 30))
def test_the_slope_of_a_line_is_found(rise: float, start: float, count: int) -> None:
    times = list(range(count))
    assert slope(times, [start + rise * at for at in times]) == pytest.approx(rise, abs=1e-6)


@given(st.integers(0, 33))
def test_a_tenth_of_noise_does_not_matter(begin: int) -> None:
    times, values = np.arange(40.0), 2 * np.arange(40.0)
    values[begin : begin + 4] += 1e6
    assert slope(times.tolist(), values.tolist()) == pytest.approx(2)


def test_what_is_flat_passes() -> None:
    found = trends(samples())
    assert growing(found) == []
    assert [(trend.name, trend.median, trend.per_hour) for trend in found] == [
        ("memory, MB", 200.0, 0.0),
        ("threads", 7.0, 0.0),
        ("descriptors", 12.0, 0.0),
        ("age p99, ms", 30.0, 0.0),
    ]


@pytest.mark.parametrize(
    ("change", "grows"),
    [
        ({"rss": lambda at: 200 + 100 * HOUR_S / 600 * at}, ["memory, MB"]),  # 100 MB an hour
        ({"rss": lambda at: 200 + 6 * at}, ["memory, MB"]),  # 36 MB an hour: 340 bytes a frame at 30 a second
        ({"rss": lambda at: 200 + 1 * at}, []),  # an allocator
        ({"rss": lambda at: 50 + 150 * min(at / 0.15, 1)}, []),  # the warm-up
        ({"rss": lambda at: 200 + (80 if 0.4 < at < 0.5 else 0)}, []),  # a burst
        ({"rss": lambda at: 300 - 100 * at}, []),
        ({"threads": lambda at: 7 + int(at * 20)}, ["threads"]),
        ({"threads": lambda at: 7 + (at > 0.5)}, []),  # one that came once
        ({"descriptors": lambda at: 12 + int(at * 3)}, ["descriptors"]),
        ({"age": lambda at: 30 + 2000 * at}, ["age p99, ms"]),
        ({"age": lambda at: 30 + 10 * at}, []),
        ({"age": lambda at: None if at < 0.5 else 30.0}, []),
    ],
)
def test_what_grows_is_told_from_what_does_not(change: Any, grows: list[str]) -> None:
    assert growing(trends(samples(**change))) == grows


def test_no_age_at_all_is_no_trend() -> None:
    assert [trend.name for trend in trends(samples(age=lambda at: None))] == ["memory, MB", "threads", "descriptors"]


def run(leak: Callable[[], None], problem_sink: Any = None) -> Any:
    """A soak of a source that ends when there are enough samples; ``leak`` is called between any two."""
    source, taken = FakeSource(live=True), threading.Semaphore(0)

    def model(frame: Frame) -> int:
        leak()
        return index_of(frame)

    def sampled(sample: Sample) -> None:
        taken.release()
        source.feed(0)

    def make(see: Any) -> Pipeline:
        pipeline = Pipeline(source, model, [see, *([problem_sink] if problem_sink else [])], policy="lossless")

        def end() -> None:
            for _ in range(3 * LEAST_SAMPLES):
                taken.acquire(timeout=20)
            pipeline.stop()

        threading.Thread(target=end, daemon=True).start()
        return pipeline

    return soak(make, 60.0, 0.01, sampled)


def test_a_pipeline_that_leaks_nothing_passes() -> None:
    report = run(lambda: None)
    assert report.problem is None and report.samples >= LEAST_SAMPLES
    assert [trend.name for trend in report.trends][:3] == ["memory, MB", "threads", "descriptors"]
    assert {trend.name: trend.flat for trend in report.trends}["descriptors"]


def test_leaks_are_found() -> None:
    kept: list[Any] = []

    def leak() -> None:
        kept.append(open("/dev/null"))  # noqa: PTH123, SIM115
        kept.append(np.ones(500_000))  # 4 MB

    try:
        report = run(leak)
        assert not report.passed and {"memory, MB", "descriptors"} <= set(growing(report.trends))
    finally:
        for each in kept[::2]:
            each.close()
        kept.clear()
        gc.collect()


def test_too_few_samples_are_no_verdict() -> None:
    report = soak(lambda see: Pipeline(FakeSource(range(3)), index_of, see), 60.0, 60.0)
    assert not report.passed and report.trends == ()
    assert report.problem == f"expected {LEAST_SAMPLES} samples, got 0; run it longer"


def test_errors_of_a_sink_are_a_problem() -> None:
    def broken(result: Any) -> None:
        raise OSError("no room")

    report = run(lambda: None, broken)
    assert not report.passed and "broken: no room" in report.problem


def test_the_process_is_seen_as_it_is() -> None:
    rss, threads, descriptors = soaking._process()
    blocker = threading.Event()
    thread = threading.Thread(target=blocker.wait)
    thread.start()
    with open("/dev/null"):  # noqa: PTH123
        big = np.ones(10_000_000)
        now = soaking._process()
    blocker.set()
    thread.join()
    assert now[0] - rss > 70 and now[1] == threads + 1 and now[2] == descriptors + 1
    del big
    until(lambda: soaking._process()[1] == threads)
