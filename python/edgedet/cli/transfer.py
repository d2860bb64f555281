"""How far a download is, on stderr: a bar on a terminal, a line at the start elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Optional

_DELAY_S = 1.0  # a download that ends sooner needs no bar
_INTERVAL_S = 0.1
_WIDTH = 30


class Transfer:
    """Counts bytes, of which there may be more, fewer or none in between: a download that is resumed or begun again."""

    def __init__(self, what: str, *, quiet: bool = False) -> None:
        """Nothing is shown before the first bytes."""
        self._what, self._quiet = what, quiet
        self._live = not quiet and sys.stderr.isatty()
        self._first: Optional[tuple[float, int]] = None
        self._drawn = 0.0
        self._shown = False

    def __call__(self, done: int, total: Optional[int]) -> None:
        """So many bytes are here, of so many if that is known."""
        now = time.monotonic()
        if self._first is None:
            self._first = now, done
            if not self._live:
                self.say(f"downloading {self._what} ({_megabytes(total)})")
        # Begun again: what there was says nothing of the speed.
        self._first = min(self._first, (now, done), key=lambda first: first[1])
        began, already = self._first
        if self._live and now - began > _DELAY_S and now - self._drawn > _INTERVAL_S:
            self._drawn = now
            self._draw(done, total, (done - already) / (now - began))

    def _draw(self, done: int, total: Optional[int], speed: float) -> None:
        text = f"{_megabytes(done)}, {_megabytes(int(speed))}/s"
        if total:
            filled = _WIDTH * min(done, total) // total
            left = f", {(total - done) / speed:.0f} s left" if speed > 0 else ""
            text = f"[{'#' * filled}{'-' * (_WIDTH - filled)}] {done / 1e6:.1f} of {_megabytes(total)}{left}"
        sys.stderr.write(f"\r\x1b[K{self._what} {text}")
        sys.stderr.flush()
        self._shown = True

    def say(self, sentence: str) -> None:
        """Prints a sentence above the bar."""
        self._clear()
        if not self._quiet:
            print(sentence, file=sys.stderr, flush=True)

    def _clear(self) -> None:
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._shown = False

    def __enter__(self) -> Transfer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._clear()


def _megabytes(size: Optional[int]) -> str:
    return "of unknown size" if size is None else f"{size / 1e6:.1f} MB"
