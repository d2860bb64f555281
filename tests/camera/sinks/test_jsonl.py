"""JSON Lines: what is in a line, and that no one ever reads half of one."""

from __future__ import annotations

import errno
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pipeline_fakes import result

from edgedet.camera.result import Result
from edgedet.camera.sinks import jsonl, open_sink
from edgedet.camera.sinks.jsonl import JsonLines
from edgedet.errors import SinkError
from edgedet.results import Classification, Detections

FOUND = Detections(
    np.array([[1, 2, 3.5, 4]], np.float32), np.array([0.5], np.float32), np.zeros(1, np.int32), ("cup",), (8, 6)
)
ENTRY = {"label": "cup", "score": 0.5, "box": [1.0, 2.0, 3.5, 4.0], "class_id": 0}


def written(sink: JsonLines, *results: Result) -> None:
    with sink:
        for each in results:
            sink.write(each)


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_line(tmp_path: Path) -> None:
    written(JsonLines("jsonl", tmp_path / "a"), result(3, FOUND))
    assert lines(tmp_path / "a") == [
        {
            "source": "fake",
            "index": 3,
            "captured_at": "2023-11-14T22:13:20.250+00:00",
            "source_s": None,
            "image_wh": [8, 6],
            "age_s": 0.015,
            "times_s": {"capture": 0.001, "queue": 0.002, "preprocess": 0.003, "infer": 0.004, "postprocess": 0.005},
            "drops": {"replaced": 2},
            "detections": [ENTRY],
        }
    ]


def test_what_the_module_describes_is_what_is_there(tmp_path: Path) -> None:
    assert jsonl.__doc__ is not None
    described = re.findall(r"^``(\w+)`` ", jsonl.__doc__, re.MULTILINE)
    assert described == list(result(0, FOUND).to_dict())


@pytest.mark.parametrize(
    ("outputs", "entries"),
    [
        ({"a": FOUND, "b": FOUND}, [{"model": "a", **ENTRY}, {"model": "b", **ENTRY}]),
        (
            {"model": Classification(np.zeros(1, np.int32), np.ones(1, np.float32), ("cup",))},
            [{"label": "cup", "score": 1.0, "class_id": 0}],
        ),
        ({"model": {"size": np.float32(1.5), "at": np.arange(2)}}, [{"value": {"size": 1.5, "at": [0, 1]}}]),
        ({"model": None}, []),
    ],
)
def test_what_models_give(outputs: Any, entries: Any, tmp_path: Path) -> None:
    base = result(0)
    written(JsonLines("jsonl", tmp_path / "a"), Result(base.frame, outputs, 0.0, 0.0, base.times, {}))
    assert lines(tmp_path / "a")[0]["detections"] == entries


@pytest.mark.parametrize("value", [float("nan"), object()])
def test_what_json_cannot_hold_is_refused_and_leaves_no_trace(value: Any, tmp_path: Path) -> None:
    with JsonLines("jsonl", tmp_path / "a") as sink:
        with pytest.raises((ValueError, TypeError)):
            sink.write(result(0, value))
        sink.write(result(1, None))
    assert [line["index"] for line in lines(tmp_path / "a")] == [1]


@pytest.mark.parametrize(("query", "count"), [("", 1), ("?append=no", 1), ("?append=yes", 2)])
def test_a_file_that_is_there(query: str, count: int, tmp_path: Path) -> None:
    for index in range(2):
        written(open_sink(f"jsonl:{tmp_path}/a{query}"), result(index))  # type: ignore[arg-type]
    assert len(lines(tmp_path / "a")) == count


def test_opened_again_it_goes_on(tmp_path: Path) -> None:
    sink = JsonLines("jsonl", tmp_path / "a")
    for index in range(2):
        written(sink, result(index))
    sink.close()
    assert [line["index"] for line in lines(tmp_path / "a")] == [0, 1]


def test_every_line_can_be_read_at_once(tmp_path: Path) -> None:
    with JsonLines("jsonl", tmp_path / "a") as sink:
        for index in range(3):
            sink.write(result(index))
            assert len(lines(tmp_path / "a")) == index + 1


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="expected a file to write, got No such file or directory; correct the path"):
        JsonLines("jsonl", tmp_path / "none" / "a").open()


def test_a_full_disk_is_an_error() -> None:
    with (
        JsonLines("jsonl", Path("/dev/full")) as sink,
        pytest.raises(SinkError, match="expected room for a line, got No space"),
    ):
        sink.write(result(0))


def test_a_disk_that_fills_within_a_line_gets_whole_lines_only(tmp_path: Path) -> None:
    class Filling:
        """The open file, whose disk takes a part of one line, then has room again."""

        def __init__(self, file: Any) -> None:
            self.file, self.writes = file, 0

        def write(self, line: bytes) -> int:
            self.writes += 1
            return int(self.file.write(line[:20] if self.writes == 2 else line))

        def __getattr__(self, name: str) -> Any:
            return getattr(self.file, name)

    with JsonLines("jsonl", tmp_path / "a") as sink:
        sink._file = Filling(sink._file)  # type: ignore[assignment]
        sink.write(result(0))
        with pytest.raises(SinkError, match="No space") as caught:
            sink.write(result(1))
        assert isinstance(caught.value.__cause__, OSError) and caught.value.__cause__.errno == errno.ENOSPC
        sink.write(result(2))
    assert [line["index"] for line in lines(tmp_path / "a")] == [0, 2]


def test_stdout(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    code = (
        "from edgedet.camera.pipeline import Pipeline\n"
        "Pipeline('test:?live=no&frames=3&size=64x48', lambda frame: None, 'jsonl:-').run()\n"
        "print('still open')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    out = done.stdout.splitlines()
    assert [json.loads(line)["index"] for line in out[:3]] == [0, 1, 2] and out[3:] == ["still open"]


def test_a_reader_that_goes_ends_the_pipeline() -> None:
    code = (
        "from edgedet.camera.pipeline import Pipeline\n"
        "import sys\n"
        "stats = Pipeline('test:?live=no&size=64x48', lambda frame: None, 'jsonl:-').run()\n"
        "print(stats.reason, file=sys.stderr)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.readline() == "jsonl:-\n"
    process.stderr.close()
    process.wait()
