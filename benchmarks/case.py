"""What a workload consists of: cases, each one job of ours beside the peers that do it too and the floors below it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

# What is timed: it does the whole job once and gives the answer.
Job = Callable[[], Any]


class NotHereError(Exception):
    """Something that a peer or a case needs is not installed; the message is the word it is skipped with."""


@dataclass(frozen=True)
class Peer:
    """Another program that does the same.

    Attributes:
        name: whose, and what of it.
        make: builds the job on the case's arrays; what it does before it returns is not timed. An ``ImportError`` or a
            `NotHereError` skips the peer.
        check: is given our answer and theirs, and raises ``AssertionError`` unless they are the same.
        bar: the ratio, their time over ours, that is to be reached; None: no bar.
        seconds: what of the wall time of one run counts; None: all.
    """

    name: str
    make: Callable[[], Job]
    check: Callable[[Any, Any], None]
    bar: float | None = None
    seconds: Callable[[float], float] | None = None


@dataclass(frozen=True)
class Floor:
    """Something that the job can't do without, such as reading its input once.

    Attributes:
        name: what.
        make: builds it, as of `Peer`.
        bar: our time over its time is to be no more than this; None: no bar.
        seconds: as of `Peer`.
    """

    name: str
    make: Callable[[], Job]
    bar: float | None = None
    seconds: Callable[[float], float] | None = None


@dataclass(frozen=True)
class Case:
    """One job of ours on one set of arrays, and what it is measured against.

    Attributes:
        name: the sizes, in words.
        job: ours.
        check: is given our answer and raises ``AssertionError`` unless it is right (by a slow reference, say).
        against: peers and floors.
        seconds: as of `Peer`, for our own job.
        budget_s: how long each contender is run at most, once it has been run once; long jobs need more.
    """

    name: str
    job: Job
    check: Callable[[Any], None]
    against: Sequence[Peer | Floor]
    seconds: Callable[[float], float] | None = None
    budget_s: float = 1.0
