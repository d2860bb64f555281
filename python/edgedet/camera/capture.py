"""One source's thread: reads frames into its lane until the source has no more."""

from __future__ import annotations

import logging
import time
from typing import NamedTuple

from edgedet.camera.frame import Frame
from edgedet.camera.lanes import Lanes
from edgedet.camera.sources.base import Source
from edgedet.camera.stats import SourceStats, told
from edgedet.camera.worker import Worker
from edgedet.errors import EndOfStream, SourceError, SourceTimeout

_LOG = logging.getLogger("edgedet.camera")


class Captured(NamedTuple):
    """A frame on its way to the models."""

    frame: Frame
    wait_s: float
    capture: Capture


class Capture(Worker):
    """Reads one source on a thread of its own.

    A timeout is counted and reading goes on: the source itself reconnects. Any other error ends this source.
    """

    def __init__(self, source: Source, lanes: Lanes[Captured], lane: int) -> None:
        """Nothing runs yet."""
        self.source, self._lanes, self._lane = source, lanes, lane
        super().__init__(f"capture-{lane}")
        self._stopping = self._late = self._over = False
        self._timeouts = self._model_errors = 0
        #: What ended the source; None for the end of the stream.
        self.error: Exception | None = None

    def close(self) -> None:
        """Closes the source, which wakes a read that waits."""
        self._stopping = True
        try:
            self.source.close()
        except Exception as error:
            _LOG.warning("source %s: while it was closed: %s", self.source.name, error)

    def _run(self) -> None:
        try:
            while not self._stopping and self._read():
                pass
        except EndOfStream:
            pass
        except Exception as error:
            if not self._stopping:
                self.error = error if isinstance(error, SourceError) else _as_source_error(self.source, error)
                _LOG.warning("source %s", told(self.source.name, self.error))
        finally:
            self._over = True
            self._lanes.close(self._lane)

    def _read(self) -> bool:
        """Reads once; whether to go on."""
        began = time.monotonic()
        try:
            frame = self.source.read()
        except SourceTimeout as error:
            if not self._stopping:
                if not self._late:
                    _LOG.warning("source %s", told(self.source.name, error))
                self._timeouts += 1
                self._late = True
            return True
        if self._late:
            _LOG.warning("source %s: frames come again", self.source.name)
            self._late = False
        frame.image.flags.writeable = False
        return self._lanes.put(Captured(frame, time.monotonic() - began, self), self._lane)

    def model_failed(self) -> None:
        """A model raised on a frame of this source."""
        self._model_errors += 1

    def drops(self) -> dict[str, int]:
        """How many of its frames were dropped until now, by reason."""
        own = {"model_error": self._model_errors, "unread": self.source.counts.dropped}
        return {**self._lanes.dropped(self._lane), **{reason: count for reason, count in own.items() if count}}

    def stats(self) -> SourceStats:
        """A snapshot."""
        counts = self.source.counts
        problem = self.source.problem if self.error is None else str(self.error)
        state = "error" if self.error is not None else self.source.state.value
        name, captured, reconnects = self.source.name, counts.captured, counts.reconnects
        return SourceStats(name, state, captured, self.drops(), self._timeouts, reconnects, problem, self._over)


class Closer(Worker):
    """Closes a source on a thread of its own: its driver may hang."""

    def __init__(self, capture: Capture) -> None:
        """Nothing runs yet."""
        self._capture = capture
        super().__init__("close")

    def _run(self) -> None:
        self._capture.close()


def _as_source_error(source: Source, error: Exception) -> SourceError:
    wrapped = SourceError(f"{source.name}: expected a frame, got {type(error).__name__}: {error}; see the log")
    wrapped.__cause__ = error
    return wrapped
