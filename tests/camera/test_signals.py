"""SIGINT and SIGTERM end a pipeline with everything flushed; everything else is as it was before."""

from __future__ import annotations

import json
import queue
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from edgedet.camera import signals

BOTH = (signal.SIGINT, signal.SIGTERM)
# Says when the first result is written; then the test sends the signal.
PROGRAM = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
from edgedet.camera.pipeline import Pipeline
def told(result, said=[]):
    if not said:
        said.append(print("running", flush=True))
pipeline = Pipeline("test:?size=64x48&rate=200", lambda frame: None, [f"jsonl:{sys.argv[1]}", told])
stats = pipeline.run()
print(stats.reason, stats.sinks[0].written, stats.sinks[0].state, flush=True)
"""
STUCK = """
import threading
from edgedet.camera.pipeline import Pipeline
def stuck(result):
    print("running", flush=True)
    threading.Event().wait()
Pipeline("test:?size=64x48", lambda frame: None, stuck).run()
"""


@pytest.fixture
def handlers() -> Any:
    before = [signal.getsignal(number) for number in BOTH]
    yield before
    for number, handler in zip(BOTH, before):
        signal.signal(number, handler)


@pytest.mark.parametrize("number", BOTH)
def test_the_first_signal_is_reported_the_second_does_what_it_did(number: signal.Signals, handlers: Any) -> None:
    events: queue.SimpleQueue[str] = queue.SimpleQueue()
    before: list[int] = []
    signal.signal(number, lambda number, frame: before.append(number))
    with signals.caught(events.put):
        signal.raise_signal(number)
        assert (events.get(timeout=1), before) == (number.name, [])
        signal.raise_signal(number)
        assert before == [number] and events.empty()


def test_the_handlers_come_back(handlers: Any) -> None:
    with pytest.raises(KeyError), signals.caught(print):
        assert [signal.getsignal(number) for number in BOTH] != handlers
        raise KeyError
    assert [signal.getsignal(number) for number in BOTH] == handlers


def test_what_the_program_ignores_stays_ignored(handlers: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with signals.caught(print):
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_other_threads_leave_the_handlers_alone(handlers: Any) -> None:
    seen: list[Any] = []

    def look() -> None:
        with signals.caught(print):
            seen.extend(signal.getsignal(number) for number in BOTH)

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == handlers


@pytest.mark.parametrize("number", BOTH)
def test_a_signal_ends_a_pipeline_with_everything_written(number: signal.Signals, tmp_path: Path) -> None:
    out = tmp_path / "found.jsonl"
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(out)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "running\n"
    process.send_signal(number)
    reason, written, state = process.stdout.readline().split()
    assert process.wait(30) == 0
    process.stdout.close()
    assert (reason, state) == (number.name, "closed")
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert len(lines) == int(written) >= 1


def test_a_second_signal_ends_even_a_stuck_one() -> None:
    process = subprocess.Popen([sys.executable, "-c", STUCK], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "running\n"
    while process.poll() is None:
        process.send_signal(signal.SIGTERM)
    process.stdout.close()
    assert process.returncode == -signal.SIGTERM
