"""What a sink is: something that takes results, one after the other, on a thread of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TypeVar

from edgedet.camera.result import Result
from edgedet.camera.stats import Stats

S = TypeVar("S", bound="Sink")


class Enough(Exception):  # noqa: N818  no error, a wish
    """Raised by a sink's `write` when nobody wants results any more: the pipeline stops, as by `Pipeline.stop`."""


class Sink:
    """The base of the sinks; a subclass has `write`, and whatever else of this it needs.

    A `Pipeline` calls `open`, `write` and `close` on one thread that is this sink's own. A `write` that raises is
    counted and does not end anything; after five in a row the sink is closed, rests (1 s, 2 s, … 60 s) and is opened
    again. So `open` must be able to follow `close`.
    """

    #: What it is called in `Pipeline.stats` and in the log.
    name: str = "sink"
    #: How many results may wait for it.
    queue: int = 8
    #: Whether it shows what is happening now: it then never makes a lossless pipeline wait, but loses results.
    view: bool = False

    def watch(self, stats: Callable[[], Stats]) -> None:
        """Before `open`: where to ask for the pipeline's figures. For sinks that show them."""

    def open(self) -> None:
        """Gets ready. What it raises ends the start of the pipeline, before a frame is read."""

    def write(self, result: Result) -> None:
        """Takes one result. The frame is shared by all sinks: draw on a copy, as `Result.draw` does."""
        raise NotImplementedError

    def close(self) -> None:
        """Finishes what was begun and frees everything; may be called twice."""

    @property
    def problem(self) -> str | None:
        """What is wrong now, though nothing is raised; None if nothing is."""
        return None

    @property
    def lost(self) -> Mapping[str, int]:
        """How many results that it took it has lost since, by reason."""
        return {}

    def __enter__(self: S) -> S:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
