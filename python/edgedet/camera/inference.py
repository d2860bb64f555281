"""The thread that asks the models: takes frames in turn, hands results on."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from edgedet.camera.calls import Models
from edgedet.camera.capture import Captured
from edgedet.camera.lanes import Lanes
from edgedet.camera.result import Result, StageTimes
from edgedet.camera.stats import Tally
from edgedet.camera.worker import Worker
from edgedet.errors import InferenceError

ERRORS_IN_A_ROW = 10
_LOG = logging.getLogger("edgedet.camera")


class Inference(Worker):
    """Asks the models about every frame that the lanes give.

    A frame on which a model raises `InferenceError`, or `ValueError` (a picture that it can't use), is dropped and
    counted; after `ERRORS_IN_A_ROW` of them without a success between, and at once after any other exception, the
    pipeline ends with that error.
    """

    def __init__(
        self, lanes: Lanes[Captured], models: Models, deliver: Callable[[Result], None], left: Callable[[], None]
    ) -> None:
        """Nothing runs yet; ``left`` is called by the thread as the last thing it does."""
        self._lanes, self._models, self._deliver, self._left = lanes, models, deliver, left
        super().__init__("inference")
        self._in_a_row = 0
        self.tally = Tally()
        #: What ended it before the sources did.
        self.error: Exception | None = None
        #: How many results there shall be; None: as many as there are frames.
        self.limit: int | None = None

    @property
    def full(self) -> bool:
        """Whether there are as many results as there shall be."""
        return self.limit is not None and self.tally.inferred >= self.limit

    def _run(self) -> None:
        try:
            while not self.full and (taken := self._lanes.get()) is not None:
                captured, queue_s = taken
                try:
                    self._infer(captured, queue_s)
                except Exception as error:
                    self._failed(captured, error)
        except Exception as error:
            self.error = error
            _LOG.error("model: %s: %s", type(error).__name__, error)
        finally:
            self._lanes.stop()
            self._left()

    def _infer(self, captured: Captured, queue_s: float) -> None:
        frame = captured.frame
        answer = self._models(frame)
        self._in_a_row = 0
        age_s = frame.age_s()
        times = StageTimes(captured.wait_s, queue_s, *answer.times)
        result = Result(frame, answer.outputs, age_s, time.time() - age_s, times, captured.capture.drops())
        self.tally.add(result)
        self._deliver(result)

    def _failed(self, captured: Captured, error: Exception) -> None:
        """Counts a frame that was lost; raises when it was one too many."""
        captured.capture.model_failed()
        self.tally.fail(error)
        self._in_a_row += 1
        if not isinstance(error, (InferenceError, ValueError)) or self._in_a_row >= ERRORS_IN_A_ROW:
            raise error
        if self._in_a_row == 1:
            _LOG.warning("model: frame %d of %s: %s", captured.frame.index, captured.frame.source, error)
