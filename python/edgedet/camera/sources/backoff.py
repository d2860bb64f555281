"""How long to wait before a lost camera is tried again."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Backoff:
    """Waits that double from ``first_s`` to ``most_s``, each shortened at random so that cameras come back apart."""

    first_s: float = 0.5
    most_s: float = 30.0

    def wait_s(self, failures: int) -> float:
        """How long to wait after so many failures in a row (1 or more)."""
        longest: float = min(self.most_s, self.first_s * 2.0 ** min(failures - 1, 30))
        return longest * random.uniform(0.5, 1.0)
