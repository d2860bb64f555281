"""The benchmarks' own bookkeeping: a wrong answer is an error, a peer that is absent has a word, ratios have bars."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import pytest

from benchmarks import table, timing, workloads
from benchmarks.case import Case, Floor, NotHereError, Peer
from benchmarks.measure import Against, Outcome, WrongAnswerError, is_busy, measure


@pytest.fixture
def ticks(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """A clock that stands still unless a job moves it."""
    clock = {"now": 0.0}
    monkeypatch.setattr(timing.time, "perf_counter", lambda: clock["now"])
    monkeypatch.setattr(timing.time, "process_time", lambda: clock["now"] / 2)
    return clock


def job(ticks: dict[str, float], laps: Iterator[float], answer: object = 1):
    def run() -> object:
        ticks["now"] += next(laps)
        return answer

    return run


def right(answer: object) -> None:
    assert answer == 1


def same(ours: object, theirs: object) -> None:
    assert ours == theirs


def test_ratios_are_of_the_fastest_runs(ticks: dict[str, float]) -> None:
    ours = itertools.chain([0.5], itertools.cycle([0.004, 0.002, 0.004]))
    peer = Peer("peer", lambda: job(ticks, itertools.repeat(0.012)), same, bar=5.0)
    floor = Floor("floor", lambda: job(ticks, itertools.repeat(0.001), None), bar=1.5)
    (outcome,) = measure(iter([Case("case", job(ticks, ours), right, [peer, floor])]), timed=True)
    assert (outcome.ms, outcome.spread, outcome.cpu) == (2.0, 1.0, 0.5)
    assert is_busy([outcome])
    against_peer, against_floor = outcome.against
    assert (against_peer.ratio, against_peer.verdict) == (6.0, True)
    assert (against_floor.ratio, against_floor.verdict) == (2.0, False)


def test_a_job_longer_than_its_budget_runs_once(ticks: dict[str, float]) -> None:
    runs = iter([3.0])
    slow = Peer("slow", lambda: job(ticks, runs), same)
    (outcome,) = measure(iter([Case("case", job(ticks, itertools.repeat(0.1)), right, [slow])]), timed=True)
    assert outcome.against[0].ratio == 30.0


def test_a_budget_is_kept(ticks: dict[str, float]) -> None:
    lanes = [timing.Lane(job(ticks, itertools.repeat(cost))) for cost in (0.3, 0.001)]
    for lane in lanes:
        lane.begin()
    timing.race(lanes, 1.0)
    assert len(lanes[0].laps) == 3
    assert len(lanes[1].laps) > 3 * timing.ROUNDS


def test_what_counts_of_a_run_may_be_a_part(ticks: dict[str, float]) -> None:
    part = Floor("part", lambda: job(ticks, itertools.repeat(0.2)), seconds=lambda wall: wall / 2)
    case = Case("case", job(ticks, itertools.repeat(0.2)), right, [part], seconds=lambda wall: wall - 0.19)
    (outcome,) = measure(iter([case]), timed=True)
    assert outcome.ms == 10.0
    assert outcome.against[0].ms == 100.0


@pytest.mark.parametrize("timed", [False, True])
def test_wrong_answers_end_it(timed: bool) -> None:
    with pytest.raises(WrongAnswerError, match="case: ours: expected the same answer, got another: .* == 1"):
        list(measure(iter([Case("case", lambda: 2, right, [])]), timed=timed))
    peer = Peer("peer", lambda: lambda: np.ones(3), np.testing.assert_array_equal)
    with pytest.raises(WrongAnswerError, match=r"case: peer: .*Mismatched elements"):
        list(measure(iter([Case("case", lambda: np.zeros(3), lambda ours: None, [peer])]), timed=timed))


def test_what_is_absent_has_a_word() -> None:
    def absent() -> None:
        import no_such_package_at_all.part  # noqa: F401

    def unfit() -> None:
        raise NotHereError("built for another device")

    peers = [Peer("one", absent, same, bar=2.0), Peer("two", unfit, same)]
    (outcome,) = measure(iter([Case("case", lambda: 1, right, peers)]), timed=True)
    assert [a.skipped for a in outcome.against] == [
        "no_such_package_at_all is not installed",
        "built for another device",
    ]
    assert outcome.against[0].verdict is None
    assert "skipped: built for another device" in table.text(list(table.rows([outcome])))


def test_a_workload_that_can_not_run_has_a_word() -> None:
    def cases() -> Iterator[Case]:
        raise NotHereError("no model here")
        yield

    (outcome,) = measure(cases(), timed=True)
    assert outcome.skipped == "no model here"
    assert "skipped: no model here" in table.text(list(table.rows([outcome])))


def test_outcomes_survive_json() -> None:
    outcome = Outcome("case", 1.5, 0.1, (Against("peer", "peer", None, 3.0, 0.2, 2.0, 1.0),))
    assert Outcome.from_dict(outcome.to_dict()) == outcome


def test_the_table_says_what_missed() -> None:
    against = (
        Against("peer", "peer", None, 250.0, 0.0, 125.0, 40.0),
        Against("read", "floor", None, 1.0, 0.0, 2.0, 1.5),
        Against("network", "floor", None, 100.0, 0.0, 0.02, 0.05),
    )
    lines = table.text(list(table.rows([Outcome("case", 2.0, 0.0, against)]))).splitlines()
    assert [line.split() for line in lines] == [
        ["case", "peer", "2", "ms", "250", "ms", "125", "×", "≥", "40", "×", "reached"],
        ["read", "2", "ms", "1", "ms", "2.00", "×", "≤", "1.5", "×", "MISSED"],
        ["network", "2", "ms", "100", "ms", "2.00", "%", "≤", "5", "%", "reached"],
    ]


@pytest.mark.parametrize(
    ("ms", "text"), [(26140.0, "26.1 s"), (999.6, "1 s"), (123.4, "123 ms"), (0.9996, "1 ms"), (0.00269, "2.69 µs")]
)
def test_times_have_a_fitting_unit(ms: float, text: str) -> None:
    assert table.time(ms) == text


@pytest.mark.parametrize("name", workloads.names())
def test_every_workload_says_what_it_is(name: str) -> None:
    assert workloads.title(name).endswith(".")
