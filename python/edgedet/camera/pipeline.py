"""`Pipeline`: frames from sources through models to sinks, each on a thread of its own, nothing unbounded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Union

from edgedet.camera import policies, signals
from edgedet.camera.calls import Callee, ModelCall, Models
from edgedet.camera.engine import Engine
from edgedet.camera.lanes import Lanes
from edgedet.camera.policies import Policy
from edgedet.camera.result import Result, StageTimes
from edgedet.camera.sinks import as_sink
from edgedet.camera.sinks.base import Sink
from edgedet.camera.sources import open_source
from edgedet.camera.sources.base import Source
from edgedet.camera.stats import SinkStats, SourceStats, Stats

__all__ = ["ModelCall", "Pipeline", "Policy", "Result", "SinkStats", "SourceStats", "StageTimes", "Stats"]

SourceLike = Union[str, Source]
SinkLike = Union[str, Sink, Callable[[Result], Any]]


class Pipeline:
    """Frames from one or more sources, through one or more models, to any number of sinks.

    Each source and each sink has a thread of its own, the models have one together. All queues are bounded. It runs
    once: with `run`, by iterating over it, or in the background between `start` and `stop`. It closes its sources and
    its sinks, but not its models.

    **Policies.** ``latest``: a frame that arrives while the models are busy waits alone, and the next takes its place;
    so a result is never older than twice the models' time and one frame's period. ``drop_oldest(n)``: up to n wait.
    ``max_age(s)``: what is older than s seconds when its turn comes is dropped. ``lossless``: the source waits, and the
    models wait for sinks whose queue is full, apart from views (a window), so that every other sink gets every frame.
    Under the other policies nobody waits for a sink: its queue drops its oldest result.

    **Errors.** A source's timeout is counted and reading goes on; any other error ends that source, and when the last
    source has ended, `run` and the iteration raise it. A frame on which a model raises `InferenceError` or `ValueError`
    is dropped and counted; ten in a row, or any other exception, end the pipeline. A sink that raises is counted; five
    times in a row, and it is closed, rests and is tried again.
    """

    def __init__(
        self,
        source: SourceLike | Sequence[SourceLike],
        model: Callee | Mapping[str, Callee],
        sinks: Sequence[SinkLike] | SinkLike = (),
        *,
        policy: Union[str, Policy, None] = None,
    ) -> None:
        """Nothing runs yet.

        Args:
            source: a source, its URI, or several of them; several are served in turn.
            model: one of edgedet's models (or `ModelCall`, for its thresholds), or anything that takes a `Frame`;
                several, by name, are asked one after the other about every frame.
            sinks: sinks, their URIs, or callables that take a `Result`.
            policy: see `policies.parse`; None: ``latest`` if a source is live, else ``lossless``.

        Raises:
            ValueError: an argument makes no sense.
            SourceError: a URI's source can't be opened.
        """
        models = Models(model)
        chosen = None if policy is None else policies.parse(policy)
        outlets = [as_sink(each) for each in _several(sinks)]
        sources = [open_source(each) if isinstance(each, str) else each for each in _several(source)]
        if not sources:
            raise ValueError("source: expected one or more, got none; give a source or its URI, such as test:")
        live = any(each.live for each in sources)
        self.policy = chosen or (policies.latest() if live else policies.lossless())
        self._engine = Engine(sources, models, outlets, self.policy)
        for outlet in outlets:
            outlet.watch(self.stats)

    def start(self) -> None:
        """Opens the sinks, then starts everything in the background.

        Raises:
            RuntimeError: it has been started before.
            Exception: what the first sink that can't be opened raised; everything is closed again.
        """
        self._engine.start()

    def run(self, *, seconds: float | None = None, frames: int | None = None) -> Stats:
        """Runs until the sources end, or so many seconds or results; then everything is flushed and closed.

        In the main thread SIGINT and SIGTERM end it in the same way; a second signal does what it always does.

        Raises:
            SourceError: the last source has ended, and one of them by an error.
            InferenceError: a model failed too often.
            Exception: what else a model raised, or a sink when it was opened.
        """
        for name, limit in (("seconds", seconds), ("frames", frames)):
            if limit is not None and not limit > 0:
                raise ValueError(f"{name}: expected more than 0, got {limit}; leave it out to run to the end")
        self._engine.inference.limit = frames
        with signals.caught(self._engine.events.put):
            self.start()
            self.stop(reason=self._engine.wait(seconds))
        if self.error is not None:
            raise self.error
        return self.stats()

    def __iter__(self) -> Iterator[Result]:
        """Results as they come, until the sources end; then everything has been flushed and closed.

        Leaving the loop early stops the pipeline, unless it was started before. Under ``lossless`` the models wait for
        the loop; otherwise the loop gets the newest result whenever it asks. Errors as `run`.
        """
        box: Lanes[Result] = Lanes(self.policy.depth if self.policy.blocks else 1, blocks=self.policy.blocks)
        mine = self._engine.state == "new"
        self._engine.attach(box)
        try:
            if mine:
                self.start()
            while (taken := box.get()) is not None:
                yield taken[0]
            if mine:
                self._engine.wait(None)
        finally:
            self._engine.detach(box)
            box.stop()
            if mine:
                self.stop()
        if self.error is not None:
            raise self.error

    def stop(self, timeout_s: float = 10.0, *, reason: str = "stop") -> None:
        """Ends it: frames that wait are dropped, results that wait are written, everything is closed.

        May be called from any thread and more than once; a sink or a model that calls it gets back at once.

        Args:
            timeout_s: after so long it returns whatever still runs: `stats` calls a sink that does not end ``stuck``.
            reason: for `stats`, if nothing has ended it before.
        """
        self._engine.stop(timeout_s, reason)

    def __enter__(self) -> Pipeline:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def error(self) -> Exception | None:
        """What ended the pipeline: a model's error, or, once all sources have ended, one of a source."""
        engine = self._engine
        if engine.inference.error is not None or engine.reason != "error":
            return engine.inference.error
        return next((each.error for each in engine.captures if each.error is not None), None)

    def stats(self) -> Stats:
        """A snapshot; may be asked from any thread at any time."""
        engine = self._engine
        tally = engine.inference.tally
        sources = tuple(each.stats() for each in engine.captures)
        error = self.error or tally.error
        return Stats(
            state=engine.state,
            reason=engine.reason or None,
            elapsed_s=engine.elapsed_s,
            captured=sum(each.captured for each in sources),
            inferred=tally.inferred,
            model_errors=tally.model_errors,
            dropped=dict(sum((Counter(each.dropped) for each in sources), Counter())),
            sources=sources,
            sinks=tuple(each.stats() for each in engine.deliveries),
            error=None if error is None else str(error),
            **tally.figures(engine.elapsed_s),
        )


def _several(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]
