"""The whole pipeline on sources, models and sinks that do what the test says."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from pipeline_fakes import LONG_S, FakeSink, FakeSource, Gate, frame, index_of, until

import edgedet
from edgedet.camera.frame import Frame
from edgedet.camera.pipeline import ModelCall, Pipeline, Result
from edgedet.camera.sinks.base import Enough
from edgedet.errors import InferenceError, SourceError, SourceTimeout


def threads() -> set[str]:
    return {thread.name for thread in threading.enumerate() if thread.name.startswith("edgedet-")}


@pytest.fixture(autouse=True)
def nothing_is_left_behind() -> Any:
    yield
    until(lambda: not threads())


def test_a_file_goes_through_whole_and_in_order() -> None:
    source, first, second = FakeSource(range(40)), FakeSink("a", queue=1), FakeSink("b")
    stats = Pipeline(source, index_of, [first, second]).run()
    assert first.got == second.got == list(range(40))
    assert source.closed and first.calls == second.calls == ["open", "close"]
    assert (stats.state, stats.reason, stats.captured, stats.inferred, stats.dropped) == ("ended", "end", 40, 40, {})
    assert [(each.name, each.written) for each in stats.sinks] == [("a", 40), ("b", 40)]
    assert stats.sources[0].state == "end" and stats.error is None


def test_what_a_result_says() -> None:
    fed = frame(3, age_s=5.0)
    (result,) = Pipeline(FakeSource([fed]), lambda each: [each.index])
    assert isinstance(result, Result)
    assert result.frame is fed and result.outputs == {"model": [3]} and result.detections == [3]
    assert 5.0 <= result.age_s < 5.0 + LONG_S
    assert result.image_wh == (8, 6) and result.drops == {}
    assert all(seconds >= 0 for seconds in result.times) and result.times.preprocess == 0
    assert abs(result.captured_at + result.age_s - __import__("time").time()) < LONG_S


def test_frames_are_shared_so_nobody_can_write_to_them() -> None:
    (result,) = Pipeline(FakeSource([0]), index_of)
    with pytest.raises(ValueError, match="read-only"):
        result.frame.image[0] = 1
    result.draw()[0] = 1


def test_latest_always_takes_the_newest() -> None:
    source, model = FakeSource(live=True), Gate()
    with Pipeline(source, model, (sink := FakeSink())) as pipeline:
        assert pipeline.policy.name == "latest"
        pipeline.start()
        source.feed(0)
        assert model.begun.get(timeout=LONG_S) == 0
        for index in range(1, 10):
            source.feed(index)
        until(lambda: pipeline.stats().captured == 10 and pipeline.stats().dropped == {"replaced": 8})
        model.let(2)
        assert model.begun.get(timeout=LONG_S) == 9
        until(lambda: sink.got == [0, 9])
    assert pipeline.stats().reason == "stop"


def test_drop_oldest_keeps_so_many_in_order() -> None:
    source, model = FakeSource(live=True), Gate()
    with Pipeline(source, model, (sink := FakeSink()), policy="drop_oldest(3)") as pipeline:
        pipeline.start()
        source.feed(0)
        model.begun.get(timeout=LONG_S)
        for index in range(1, 8):
            source.feed(index)
        until(lambda: pipeline.stats().dropped == {"replaced": 4})
        model.let(4)
        until(lambda: sink.got == [0, 5, 6, 7])


def test_max_age_passes_over_what_is_too_old() -> None:
    frames = [frame(0, age_s=9.0), frame(1), frame(2, age_s=7.0), frame(3)]
    results = list(Pipeline(FakeSource(frames), index_of, policy="max_age(5)"))
    assert [result.frame.index for result in results][-1:] == [3]
    assert not {0, 2} & {result.frame.index for result in results}


def test_lossless_makes_the_source_wait() -> None:
    source, model = FakeSource(range(30)), Gate()
    with Pipeline(source, model, (sink := FakeSink())) as pipeline:
        pipeline.start()
        model.begun.get(timeout=LONG_S)
        # One is with the model, four wait, one is in the hands of the thread that waits for room.
        until(lambda: pipeline.stats().captured == 6)
        model.let(30)
        until(lambda: sink.got == list(range(30)))


def test_a_slow_sink_stalls_no_one_under_latest() -> None:
    source, slow, quick = FakeSource(live=True), FakeSink("slow", queue=1), FakeSink("quick", queue=100)
    slow.free.clear()
    with Pipeline(source, index_of, [slow, quick], policy="drop_oldest(100)") as pipeline:
        pipeline.start()
        for index in range(50):
            source.feed(index)
        until(lambda: quick.got == list(range(50)))
        assert pipeline.stats().sinks[0].dropped["replaced"] >= 48
        slow.free.set()


def test_a_slow_sink_makes_a_lossless_pipeline_wait() -> None:
    slow, view = FakeSink("slow", queue=1), FakeSink("view", queue=1, view=True)
    slow.free.clear()
    with Pipeline(FakeSource(range(30)), index_of, [slow, view]) as pipeline:
        pipeline.start()
        until(lambda: pipeline.stats().inferred == 3)  # written, waiting, and the one that finds no room
        assert slow.taken.acquire(timeout=LONG_S)
        slow.free.set()
        until(lambda: slow.got == list(range(30)))


def test_a_raising_sink_harms_no_one() -> None:
    bad, good = FakeSink("bad", fails=lambda index: RuntimeError("bug")), FakeSink("good")
    stats = Pipeline(FakeSource(range(20)), index_of, [bad, good]).run()
    assert good.got == list(range(20)) and bad.got == []
    assert stats.sinks[0].errors >= 5 and stats.sinks[0].error == "bug" and stats.error is None


def test_a_sink_that_cannot_be_opened_ends_the_start() -> None:
    class Refusing(FakeSink):
        def open(self) -> None:
            raise PermissionError("not yours")

    source, good = FakeSource(range(3)), FakeSink()
    pipeline = Pipeline(source, index_of, [good, Refusing()])
    with pytest.raises(PermissionError, match="not yours"):
        pipeline.run()
    assert source.closed and good.calls == ["open", "close"] and good.got == []
    assert (pipeline.stats().state, pipeline.stats().reason) == ("ended", "error")


def test_several_models_are_asked_in_order() -> None:
    asked: list[str] = []

    def model(name: str) -> Any:
        return lambda frame: asked.append(name) or name

    (result,) = Pipeline(FakeSource([0]), {"faces": model("faces"), "cars": model("cars")})
    assert asked == ["faces", "cars"] == list(result.outputs) and result.detections == "faces"


def test_several_sources_are_served_in_turn() -> None:
    fast, slow, model = FakeSource(live=True, name="fast"), FakeSource(live=True, name="slow"), Gate()
    with Pipeline([fast, slow], model, (sink := Sources())) as pipeline:
        pipeline.start()
        fast.feed(0)
        model.begun.get(timeout=LONG_S)
        for index in range(1, 50):
            fast.feed(index)
        slow.feed(0)
        until(lambda: pipeline.stats().captured == 51)
        model.let(3)
        until(lambda: len(sink.names) == 3)
        assert sink.names == ["fast", "slow", "fast"]
    assert [each.dropped for each in pipeline.stats().sources] == [{"replaced": 48}, {}]


class Sources(FakeSink):
    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def write(self, result: Result) -> None:
        self.names.append(result.frame.source)


def test_one_live_source_makes_the_policy_latest() -> None:
    with Pipeline([FakeSource([]), FakeSource(live=True)], index_of) as pipeline:
        assert pipeline.policy.name == "latest"


def test_a_models_options_may_change_while_it_runs(whole_bundle: Any) -> None:
    image = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    with edgedet.load(whole_bundle) as model:
        call = ModelCall(model, score_threshold=0.0)
        frames = [Frame(image, index, 0.0, None, "fake") for index in range(2)]
        pipeline = iter(Pipeline(FakeSource(frames[:1]), call))
        many = next(pipeline)
        assert len(many.detections) > 0 and many.times.infer > 0 and many.times.preprocess > 0
        call.options["score_threshold"] = 1.0
        assert len(call(frames[1])) == 0
        pipeline.close()  # type: ignore[attr-defined]
        (direct,) = Pipeline(FakeSource([Frame(image[..., ::-1], 0, 0.0, None, "fake", "rgb")]), model)
        np.testing.assert_array_equal(direct.detections.boxes, model(image).boxes)


def test_a_timeout_is_counted_and_reading_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    source = FakeSource([0, SourceTimeout("fake: late"), SourceTimeout("fake: later"), 1])
    pipeline = Pipeline(source, index_of, (sink := FakeSink()))
    stats = pipeline.run()
    assert sink.got == [0, 1] and stats.sources[0].timeouts == 2 and stats.reason == "end"
    assert [record.getMessage() for record in caplog.records] == [
        "source fake: late",
        "source fake: frames come again",
    ]


def test_an_error_ends_its_source_and_is_raised_when_the_last_has_ended() -> None:
    broken, whole = FakeSource([0, SourceError("fake: unplugged")], name="broken"), FakeSource(range(5), name="whole")
    pipeline = Pipeline([broken, whole], index_of, (sink := FakeSink()))
    with pytest.raises(SourceError, match="fake: unplugged"):
        pipeline.run()
    assert sorted(sink.got) == [0, 0, 1, 2, 3, 4] and sink.calls == ["open", "close"]
    stats = pipeline.stats()
    assert [each.state for each in stats.sources] == ["error", "end"]
    assert (stats.reason, stats.error, stats.sources[0].error) == ("error", "fake: unplugged", "fake: unplugged")


def test_enough_frames_are_no_error_because_one_source_was_lost() -> None:
    broken, whole = FakeSource([SourceError("fake: unplugged")], name="broken"), FakeSource(range(9), name="whole")
    stats = Pipeline([broken, whole], index_of, FakeSink()).run(frames=5)
    assert (stats.reason, stats.inferred, stats.sources[0].state) == ("frames", 5, "error")
    assert [each.over for each in stats.sources] == [True, True]


def test_a_bug_in_a_source_is_an_error_of_the_source() -> None:
    with pytest.raises(SourceError, match=r"fake: expected a frame, got ZeroDivisionError: oops; ") as caught:
        Pipeline(FakeSource([ZeroDivisionError("oops")]), index_of).run()
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


@pytest.mark.parametrize("kind", [InferenceError, ValueError])
def test_a_frame_that_a_model_fails_on_is_dropped_and_counted(kind: type[Exception]) -> None:
    def model(frame: Frame) -> int:
        if frame.index % 2:
            raise kind(f"frame {frame.index}")
        return frame.index

    stats = Pipeline(FakeSource(range(30)), model, (sink := FakeSink())).run()
    assert sink.got == list(range(0, 30, 2))
    assert (stats.model_errors, stats.dropped, stats.error) == (15, {"model_error": 15}, "frame 29")


@pytest.mark.parametrize(("kind", "asked"), [(InferenceError, 10), (KeyError, 1)])
def test_a_model_that_always_fails_ends_the_pipeline(kind: type[Exception], asked: int) -> None:
    calls = []

    def model(frame: Frame) -> None:
        calls.append(frame.index)
        raise kind("lost")

    pipeline = Pipeline(FakeSource(live=True), model, (sink := FakeSink()), policy="lossless")
    for index in range(30):
        pipeline._engine.captures[0].source.feed(index)  # type: ignore[attr-defined]
    with pytest.raises(kind, match="lost"):
        pipeline.run()
    assert len(calls) == asked and sink.calls == ["open", "close"]
    assert pipeline.stats().reason == "error"


def test_run_stops_after_so_many_results() -> None:
    stats = Pipeline(FakeSource(range(1000)), index_of, (sink := FakeSink())).run(frames=7)
    assert sink.got == list(range(7)) and (stats.inferred, stats.reason) == (7, "frames")


def test_run_stops_after_so_many_seconds() -> None:
    assert Pipeline(FakeSource(live=True), index_of).run(seconds=0.01).reason == "seconds"


@pytest.mark.parametrize("limit", [{"seconds": 0}, {"frames": 0}, {"seconds": float("nan")}, {"frames": -1}])
def test_a_limit_must_be_positive(limit: Any) -> None:
    with pytest.raises(ValueError, match="expected more than 0, got"):
        Pipeline(FakeSource([]), index_of).run(**limit)


def test_iterating_gives_every_result_of_a_file() -> None:
    assert [result.detections for result in Pipeline(FakeSource(range(20)), index_of)] == list(range(20))


def test_iterating_raises_after_the_last_result() -> None:
    pipeline = iter(Pipeline(FakeSource([0, SourceError("fake: unplugged")]), index_of))
    assert next(pipeline).frame.index == 0
    with pytest.raises(SourceError, match="unplugged"):
        next(pipeline)


def test_leaving_the_loop_stops_the_pipeline() -> None:
    source, sink = FakeSource(range(100)), FakeSink()
    pipeline = Pipeline(source, index_of, sink)
    for result in pipeline:
        if result.frame.index == 3:
            break
    assert pipeline.stats().state == "ended" and source.closed and sink.calls == ["open", "close"]
    assert sink.got[:4] == [0, 1, 2, 3]


def test_leaving_the_loop_of_a_started_pipeline_leaves_it_running() -> None:
    source, sink = FakeSource(live=True), FakeSink()
    with Pipeline(source, index_of, sink) as pipeline:
        pipeline.start()
        loop = iter(pipeline)
        thread = threading.Thread(target=lambda: next(loop))
        thread.start()
        until(lambda: len(pipeline._engine._outlets) == 2)
        source.feed(0)
        thread.join(LONG_S)
        loop.close()  # type: ignore[attr-defined]
        source.feed(1)
        until(lambda: sink.got == [0, 1])


def test_a_loop_after_the_end_is_empty() -> None:
    with Pipeline(FakeSource([0]), index_of) as pipeline:
        pipeline.start()
        until(lambda: pipeline.stats().reason == "end")
        assert list(pipeline) == []


def test_it_runs_once() -> None:
    pipeline = Pipeline(FakeSource([0]), index_of)
    pipeline.run()
    with pytest.raises(RuntimeError, match="pipeline: expected a new one, got one that is ended; make another"):
        pipeline.run()


def test_stop_before_start_closes_the_source() -> None:
    source, sink = FakeSource(range(3)), FakeSink()
    with Pipeline(source, index_of, sink) as pipeline:
        assert pipeline.stats().state == "new"
    pipeline.stop()
    until(lambda: source.closed)
    assert sink.calls == [] and pipeline.stats().state == "ended"


def test_stop_writes_what_waits_and_drops_what_no_model_has_seen() -> None:
    sink, model = FakeSink(queue=100), Gate()
    sink.free.clear()
    pipeline = Pipeline(FakeSource(range(50)), model, sink)
    pipeline.start()
    model.let(5)
    until(lambda: pipeline.stats().inferred == 5)
    until(lambda: pipeline.stats().captured == 11)
    stopping = threading.Thread(target=pipeline.stop)
    stopping.start()
    until(lambda: pipeline.stats().state == "stopping")
    sink.free.set()
    model.let()
    stopping.join(LONG_S)
    assert sink.got == [0, 1, 2, 3, 4, 5]
    assert pipeline.stats().dropped == {"stopped": 5}


@pytest.mark.parametrize("who", ["sink", "model"])
def test_a_sink_or_a_model_may_stop_it(who: str) -> None:
    source = FakeSource(range(1000))

    def model(frame: Frame) -> int:
        if who == "model" and frame.index == 3:
            pipeline.stop()
        return frame.index

    def sink(result: Result) -> None:
        if who == "sink" and result.frame.index == 3:
            pipeline.stop()

    pipeline = Pipeline(source, model, sink)
    stats = pipeline.run()
    assert stats.reason == "stop" and 4 <= stats.inferred < 1000


def test_nothing_that_hangs_can_keep_stop_from_returning() -> None:
    sink, model = FakeSink(), Gate()
    sink.free.clear()
    source = FakeSource(range(20), live=True)
    pipeline = Pipeline(source, model, sink, policy="lossless")
    pipeline.start()
    model.let()
    assert sink.taken.acquire(timeout=LONG_S)  # the sink hangs with the first, the model with the second
    pipeline.stop(timeout_s=0.05)
    stats = pipeline.stats()
    assert stats.state == "ended" and stats.sinks[0].state == "stuck"
    sink.free.set()
    model.let(20)


def test_stats_are_plain_data() -> None:
    import json

    pipeline = Pipeline(FakeSource(range(3)), index_of, FakeSink())
    assert json.loads(json.dumps(pipeline.stats().to_dict()))["state"] == "new"
    stats = pipeline.run().to_dict()
    assert json.loads(json.dumps(stats)) is not None
    assert stats["times"].keys() == {"capture", "queue", "preprocess", "infer", "postprocess"}
    assert 0 < stats["age_p50_s"] <= stats["age_p99_s"] < LONG_S and stats["fps"] > 0


def test_uris_and_callables_are_understood(tmp_path: Any) -> None:
    got: list[Result] = []
    stats = Pipeline("test:?live=no&frames=3&size=64x48", index_of, [got.append, f"jsonl:{tmp_path}/a.jsonl"]).run()
    assert [result.frame.index for result in got] == [0, 1, 2] and stats.captured == 3
    assert (tmp_path / "a.jsonl").read_text().count("\n") == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (([], index_of), "source: expected one or more, got none"),
        (("test:", 5), "model: expected a model, a callable or a dict"),
        (("test:", {}), "model: expected a model, a callable or a dict"),
        (("test:", index_of, 5), "sink: expected a Sink, a URI or a callable, got int"),
        (("test:", index_of, "jsnol:x"), "sink: expected a kind among .*write jsonl:"),
        (("tset:", index_of), "source: expected a scheme among"),
    ],
)
def test_arguments_that_make_no_sense(arguments: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Pipeline(*arguments)


def test_a_sink_that_has_had_enough_ends_the_pipeline() -> None:
    source = FakeSource(range(1000))
    picky = FakeSink("picky", fails=lambda index: Enough("the reader has gone") if index == 5 else None)
    stats = Pipeline(source, index_of, [picky, (other := FakeSink())]).run()
    assert stats.reason == "picky" and stats.sinks[0].errors == 0
    assert picky.got[:5] == list(range(5)) and other.got == list(range(len(other.got))) and 5 < len(other.got) < 1000


def test_run_returns_when_no_thread_is_left_that_could_be_inside_a_driver() -> None:
    class Slow(FakeSource):
        closing, may = threading.Event(), threading.Event()

        def close(self) -> None:
            super().close()
            self.closing.set()
            assert self.may.wait(LONG_S)

    source, left = Slow(range(3)), []
    pipeline = Pipeline(source, index_of)
    running = threading.Thread(target=lambda: left.append((pipeline.run().state, threads())))
    running.start()
    assert source.closing.wait(LONG_S)
    assert running.is_alive() and not left
    source.may.set()
    running.join(LONG_S)
    assert left == [("ended", set())]
