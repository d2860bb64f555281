"""What the threads of a pipeline have in common."""

from __future__ import annotations

import threading
import time


class Worker:
    """A thread that can be waited for, whether it was ever started or not, also by itself."""

    def __init__(self, name: str) -> None:
        """Nothing runs yet; a thread that hangs in a driver can't keep the process from ending."""
        self.thread = threading.Thread(target=self._run, name=f"edgedet-{name}", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self.thread.start()

    def _run(self) -> None:
        raise NotImplementedError

    def join_by(self, deadline: float) -> None:
        """Waits for the thread to end, until ``deadline`` on the monotonic clock."""
        if self.thread.ident is not None:
            self.thread.join(max(0.0, deadline - time.monotonic()))
