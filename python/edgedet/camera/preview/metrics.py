"""A pipeline's figures as Prometheus reads them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from edgedet.camera.stats import SinkStats, SourceStats, Stats


def to_prometheus(stats: Stats | None, *, clients: int) -> bytes:
    """The text of ``/metrics``; without stats (nothing runs yet) only the number of clients."""
    registry = CollectorRegistry()
    registry.register(_Once(stats, clients))
    return bytes(generate_latest(registry))


class _Once:
    """One snapshot, counted by the pipeline itself: the library only writes it down."""

    def __init__(self, stats: Stats | None, clients: int) -> None:
        self._stats = stats
        self._clients = clients

    def collect(self) -> Iterator[Any]:
        yield GaugeMetricFamily("edgedet_preview_clients", "Live pages and streams open now.", self._clients)
        if self._stats is not None:
            yield from _pipeline(self._stats)
            yield from _sources(self._stats.sources)
            yield from _sinks(self._stats.sinks)


def _pipeline(stats: Stats) -> Iterator[Any]:
    yield GaugeMetricFamily("edgedet_up", "1 while the pipeline runs.", float(stats.state == "running"))
    yield GaugeMetricFamily("edgedet_frames_per_second", "Results per second, over the last seconds.", stats.fps)
    yield CounterMetricFamily("edgedet_frames_inferred", "Frames that the models have answered.", stats.inferred)
    yield CounterMetricFamily("edgedet_model_errors", "Frames on which a model failed.", stats.model_errors)
    age = GaugeMetricFamily("edgedet_frame_age_seconds", "Age of a frame at its result.", labels=["quantile"])
    age.add_metric(["0.5"], stats.age_p50_s)
    age.add_metric(["0.99"], stats.age_p99_s)
    yield age
    yield _by("edgedet_stage_seconds", "Median time of each stage.", "stage", stats.times._asdict())


def _sources(sources: tuple[SourceStats, ...]) -> Iterator[Any]:
    captured, timeouts, reconnects = (
        CounterMetricFamily(f"edgedet_source_{name}", text, labels=["source"])
        for name, text in (
            ("frames", "Frames that the source gave."),
            ("timeouts", "How often it gave nothing in time."),
            ("reconnects", "How often it came back."),
        )
    )
    up = GaugeMetricFamily("edgedet_source_up", "1 while frames come.", labels=["source"])
    dropped = CounterMetricFamily("edgedet_source_dropped", "Frames without a result.", labels=["source", "reason"])
    for source in sources:
        captured.add_metric([source.name], source.captured)
        timeouts.add_metric([source.name], source.timeouts)
        reconnects.add_metric([source.name], source.reconnects)
        up.add_metric([source.name], float(source.state == "running"))
        for reason, count in source.dropped.items():
            dropped.add_metric([source.name, reason], count)
    yield from (captured, timeouts, reconnects, up, dropped)


def _sinks(sinks: tuple[SinkStats, ...]) -> Iterator[Any]:
    written = CounterMetricFamily("edgedet_sink_written", "Results that the sink took.", labels=["sink"])
    errors = CounterMetricFamily("edgedet_sink_errors", "How often it raised.", labels=["sink"])
    dropped = CounterMetricFamily("edgedet_sink_dropped", "Results that it lost.", labels=["sink", "reason"])
    for sink in sinks:
        written.add_metric([sink.name], sink.written)
        errors.add_metric([sink.name], sink.errors)
        for reason, count in sink.dropped.items():
            dropped.add_metric([sink.name, reason], count)
    yield from (written, errors, dropped)


def _by(name: str, text: str, label: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family
