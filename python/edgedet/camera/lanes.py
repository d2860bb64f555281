"""The one queue between threads: bounded, counted, woken by condition variables."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Generic, Optional, TypeVar

T = TypeVar("T")


class Lanes(Generic[T]):
    """Bounded queues, one for each producer, that one consumer empties in turn.

    Several lanes are served round robin, so that a fast producer can't starve a slow one. What is dropped is counted
    per lane by reason: ``replaced`` (a newer one took the place), ``too_old`` and ``stopped``.
    """

    def __init__(
        self,
        depth: int,
        *,
        blocks: bool = False,
        count: int = 1,
        stale: Callable[[T], bool] | None = None,
    ) -> None:
        """Lanes that are open and empty.

        Args:
            depth: how many may wait in each lane.
            blocks: a full lane makes its producer wait; otherwise its oldest is dropped.
            count: the number of lanes.
            stale: says of one whose turn has come whether it is too old to be used.
        """
        self._depth, self._blocks, self._stale = depth, blocks, stale
        self._lanes: list[deque[tuple[T, float]]] = [deque() for _ in range(count)]
        self._open = [True] * count
        self._dropped: list[Counter[str]] = [Counter() for _ in range(count)]
        self._turn = 0
        self._stopped = False
        self._hurried = False
        self._changed = threading.Condition()

    def put(self, item: T, lane: int = 0) -> bool:
        """Adds one; what does not fit is dropped or waited for. False: it was stopped, and ``item`` dropped."""
        with self._changed:
            waiting = self._lanes[lane]
            if self._blocks:
                self._changed.wait_for(lambda: len(waiting) < self._depth or self._stopped or self._hurried)
            if self._stopped or not self._open[lane]:
                self._dropped[lane]["stopped"] += 1
                return False
            if len(waiting) >= self._depth and not self._blocks:
                waiting.popleft()
                self._dropped[lane]["replaced"] += 1
            waiting.append((item, time.monotonic()))
            self._changed.notify_all()
            return True

    def get(self) -> Optional[tuple[T, float]]:
        """The next one and the seconds that it waited; None when no lane is open any more and all are empty."""
        with self._changed:
            while True:
                lane = self._next()
                if lane is not None:
                    item, since = self._lanes[lane].popleft()
                    self._changed.notify_all()
                    if self._stale is None or not self._stale(item):
                        return item, time.monotonic() - since
                    self._dropped[lane]["too_old"] += 1
                elif self._stopped or not any(self._open):
                    return None
                else:
                    self._changed.wait()

    def _next(self) -> int | None:
        """The first lane that has something, from the one whose turn it is; the turn goes to the one after it."""
        count = len(self._lanes)
        for step in range(count):
            lane = (self._turn + step) % count
            if self._lanes[lane]:
                self._turn = (lane + 1) % count
                return lane
        return None

    def close(self, lane: int = 0) -> None:
        """Nothing more will come from this producer; what waits is still given out."""
        with self._changed:
            self._open[lane] = False
            self._changed.notify_all()

    def hurry(self) -> None:
        """Producers no longer wait: the end is near, and what they hold now may exceed the depth."""
        with self._changed:
            self._hurried = True
            self._changed.notify_all()

    def stop(self) -> None:
        """Drops what waits and all that comes; wakes everybody."""
        with self._changed:
            self._stopped = True
            for waiting, dropped in zip(self._lanes, self._dropped):
                if waiting:
                    dropped["stopped"] += len(waiting)
                    waiting.clear()
            self._changed.notify_all()

    def __len__(self) -> int:
        with self._changed:
            return sum(map(len, self._lanes))

    def dropped(self, lane: int = 0) -> dict[str, int]:
        """How many were dropped until now, by reason."""
        with self._changed:
            return dict(self._dropped[lane])
