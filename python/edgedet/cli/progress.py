"""How far the work is, on stderr: a bar on a terminal, plain lines elsewhere, nothing with ``--json``."""

from __future__ import annotations

import sys
import time
from types import TracebackType

_DELAY_S = 1.0  # work that ends sooner needs no bar
_INTERVAL_S = 0.1
_WIDTH = 30


class Bar:
    """Counts equal pieces of work.

    On a terminal a bar that appears when the work takes longer than a second; elsewhere one line at the start.
    """

    def __init__(self, what: str, total: int, *, quiet: bool = False) -> None:
        """Announces ``total`` pieces of ``what``."""
        self._what, self._total, self._done = what, total, 0
        self._live = not quiet and sys.stderr.isatty()
        self._began = self._drawn = time.monotonic()
        self._shown = False
        if not quiet and not self._live:
            print(f"{what} ({total})", file=sys.stderr, flush=True)

    def step(self) -> None:
        """One piece is done."""
        self._done += 1
        now = time.monotonic()
        if self._live and now - self._began > _DELAY_S and now - self._drawn > _INTERVAL_S:
            self._drawn = now
            self._draw(now - self._began)

    def _draw(self, elapsed_s: float) -> None:
        filled = _WIDTH * self._done // self._total
        left_s = elapsed_s / self._done * (self._total - self._done)
        bar = "#" * filled + "-" * (_WIDTH - filled)
        sys.stderr.write(f"\r\x1b[K{self._what} [{bar}] {self._done}/{self._total}, {left_s:.0f} s left")
        sys.stderr.flush()
        self._shown = True

    def say(self, text: str) -> None:
        """Prints ``text`` on stdout, above the bar."""
        self._clear()
        print(text, flush=self._live)

    def complain(self, text: str) -> None:
        """Prints ``text`` on stderr, above the bar; also when it is quiet."""
        self._clear()
        print(text, file=sys.stderr, flush=True)

    def _clear(self) -> None:
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._shown = False

    def __enter__(self) -> Bar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._clear()


class Steps:
    """Names the steps of work whose length nobody knows; a line each, with the seconds since the start."""

    def __init__(self, *, quiet: bool = False) -> None:
        """Starts the clock."""
        self._quiet = quiet
        self._began = time.monotonic()

    def __call__(self, sentence: str) -> None:
        """A step begins."""
        if not self._quiet:
            print(f"{time.monotonic() - self._began:6.1f} s  {sentence}", file=sys.stderr, flush=True)
