from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from pipeline_fakes import result

from edgedet.camera.result import Result
from edgedet.camera.sinks import open_sink
from edgedet.camera.sinks.csv import COLUMNS
from edgedet.results import Classification, Detections

TWO = Detections(
    np.array([[1, 2, 3.5, 4], [0, 0, 1, 1]], np.float32),
    np.array([0.5, 0.25], np.float32),
    np.array([1, 0], np.int32),
    ("cup", 'a "b", c'),
    (8, 6),
)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_row_for_each_thing(tmp_path: Path) -> None:
    with open_sink(f"csv:{tmp_path}/a.csv") as sink:
        sink.write(result(3, TWO))
        sink.write(result(4, TWO[:0]))
        sink.write(result(5, TWO[1:]))
    first, second, third = rows(tmp_path / "a.csv")
    assert tuple(first) == COLUMNS
    assert first == {
        "captured_at": "2023-11-14T22:13:20.250+00:00",
        "source": "fake",
        "index": "3",
        "source_s": "",
        "age_s": "0.015",
        "model": "",
        "label": 'a "b", c',
        "score": "0.5",
        "x1": "1.0",
        "y1": "2.0",
        "x2": "3.5",
        "y2": "4.0",
        "class_id": "1",
    }
    assert (second["index"], second["label"], third["index"]) == ("3", "cup", "5")


def test_several_models_and_no_boxes(tmp_path: Path) -> None:
    base, top = result(0), Classification(np.zeros(1, np.int32), np.ones(1, np.float32), ("cup",))
    with open_sink(f"csv:{tmp_path}/a.csv") as sink:
        sink.write(Result(base.frame, {"what": top, "where": TWO[:1]}, 0.0, 0.0, base.times, {}))
    first, second = rows(tmp_path / "a.csv")
    assert (first["model"], first["x1"], second["model"], second["x1"]) == ("what", "", "where", "1.0")


def test_the_names_of_the_columns_come_once(tmp_path: Path) -> None:
    for index in range(2):
        with open_sink(f"csv:{tmp_path}/a.csv?append=yes") as sink:
            sink.write(result(index, TWO))
    assert [row["index"] for row in rows(tmp_path / "a.csv")] == ["0", "0", "1", "1"]
