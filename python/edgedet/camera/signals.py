"""SIGINT and SIGTERM as a wish to end, for as long as a ``with`` block lasts."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_ENDING = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def caught(report: Callable[[str], None]) -> Iterator[None]:
    """Calls ``report`` with the name of the first signal that wants the program to end.

    A second signal does what it did before the block, so that nothing can make the program immortal. Outside the main
    thread, where Python allows no handlers, nothing is caught; nor is a signal that the program ignores.

    Args:
        report: runs inside the handler: it must be reentrant, as ``queue.SimpleQueue.put`` is.
    """
    before: dict[signal.Signals, Any] = {}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def handle(number: int, frame: FrameType | None) -> None:
        restore()
        report(signal.Signals(number).name)

    try:
        if threading.current_thread() is threading.main_thread():
            for number in _ENDING:
                # None: a handler that was not set from Python, and can't be set again.
                if signal.getsignal(number) not in (signal.SIG_IGN, None):
                    before[number] = signal.signal(number, handle)
        yield
    finally:
        restore()
