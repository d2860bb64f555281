"""Runs one workload: every answer asserted, then everything timed."""

from __future__ import annotations

import dataclasses
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.case import Case, Floor, NotHereError, Peer
from benchmarks.timing import Lane, race


class WrongAnswerError(Exception):
    """Ours is not the right answer, or a peer's is another; says whose and where."""


@dataclass(frozen=True)
class Against:
    """What one peer or floor came to.

    Attributes:
        name: of it.
        kind: ``peer`` or ``floor``.
        skipped: why it was not run, or None.
        ms: its fastest run.
        spread: see `timing.Lane`.
        ratio: of a peer, its time over ours; of a floor, ours over its.
        bar: what the ratio should be at least (peer) or at most (floor); None: no bar.
    """

    name: str
    kind: str
    skipped: str | None = None
    ms: float | None = None
    spread: float | None = None
    ratio: float | None = None
    bar: float | None = None

    @property
    def verdict(self) -> bool | None:
        """Whether the bar is reached; None if there is none, or nothing was measured."""
        if self.bar is None or self.ratio is None:
            return None
        return self.ratio >= self.bar if self.kind == "peer" else self.ratio <= self.bar


@dataclass(frozen=True)
class Outcome:
    """What one case came to.

    Attributes:
        name: the case's.
        ms: our own fastest run.
        spread: ours, see `timing.Lane`.
        against: peers and floors.
        skipped: why nothing was run, or None.
        cpu: the share of the time in which this process had a processor. Well below 1, others wanted it too, and long
            jobs look slower than they are.
    """

    name: str
    ms: float | None = None
    spread: float | None = None
    against: tuple[Against, ...] = ()
    skipped: str | None = None
    cpu: float | None = None

    def with_bars(self) -> Outcome:
        """What of it is measured against a bar."""
        return dataclasses.replace(self, against=tuple(against for against in self.against if against.bar is not None))

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Outcome:
        """The inverse of `to_dict`."""
        return cls(**{**data, "against": tuple(Against(**entry) for entry in data["against"])})


def measure(cases: Iterator[Case], *, timed: bool) -> Iterator[Outcome]:
    """Checks the answers of each case and, if ``timed``, times it; cases are made one at a time, as they are large.

    Raises:
        WrongAnswerError: an answer is not what it should be.
    """
    while True:
        try:
            case = next(cases)
        except StopIteration:
            return
        except (ImportError, NotHereError) as error:
            yield Outcome("", skipped=_word(error))
            return
        yield measure_case(case, timed=timed)


def measure_case(case: Case, *, timed: bool) -> Outcome:
    """One case; errors as `measure`."""
    ours = Lane(case.job, case.seconds)
    _assert(case, "ours", lambda: case.check(ours.begin()))
    lanes: list[tuple[Peer | Floor, Lane | str]] = []
    for rival in case.against:
        try:
            lane = Lane(rival.make(), rival.seconds)
        except (ImportError, NotHereError) as error:
            lanes.append((rival, _word(error)))
            continue
        lane.begin()
        if isinstance(rival, Peer):
            _assert(case, rival.name, lambda check=rival.check, lane=lane: check(ours.first, lane.first))
        lane.first = None
        lanes.append((rival, lane))
    ours.first = None
    if not timed:
        return Outcome(case.name, against=tuple(_against(rival, lane, None) for rival, lane in lanes))
    cpu = race([ours, *(lane for _, lane in lanes if isinstance(lane, Lane))], case.budget_s)
    against = tuple(_against(rival, lane, ours) for rival, lane in lanes)
    return Outcome(case.name, *_figures(ours), against, cpu=round(cpu, 2))


def is_busy(outcomes: Iterable[Outcome]) -> bool:
    """Whether the machine had other things to do, so that the figures are not to be trusted."""
    return any(outcome.cpu is not None and outcome.cpu < 0.9 for outcome in outcomes)


def _assert(case: Case, whose: str, check: Any) -> None:
    try:
        check()
    except AssertionError as error:
        line = traceback.extract_tb(error.__traceback__)[-1]
        said = " ".join(str(error).split()) or str(line.line)
        raise WrongAnswerError(f"{case.name}: {whose}: expected the same answer, got another: {said}") from error


def _figures(lane: Lane) -> tuple[float, float]:
    return float(f"{lane.best * 1e3:.4g}"), round(lane.spread, 3)


def _against(rival: Peer | Floor, lane: Lane | str, ours: Lane | None) -> Against:
    kind = "peer" if isinstance(rival, Peer) else "floor"
    if isinstance(lane, str):
        return Against(rival.name, kind, skipped=lane, bar=rival.bar)
    if ours is None:
        return Against(rival.name, kind, bar=rival.bar)
    ratio = lane.best / ours.best if kind == "peer" else ours.best / lane.best
    return Against(rival.name, kind, None, *_figures(lane), float(f"{ratio:.5g}"), rival.bar)


def _word(error: Exception) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name:
        return f"{error.name.split('.')[0]} is not installed"
    return str(error).splitlines()[0] if str(error) else type(error).__name__
