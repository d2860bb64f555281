from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgedet import cli
from edgedet.cli import main


def test_a_short_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sink = f"jsonl:{tmp_path}/a.jsonl"
    code = main(["soak", "demo", "test:?rate=60&cycle=4&size=64x48", "--minutes", "0.05", "--sink", sink, "--json"])
    report = json.loads(capsys.readouterr().out)
    assert code == (0 if report["passed"] else 1)
    assert report["samples"] >= 10 and report["problem"] is None
    assert {trend["name"] for trend in report["trends"]} == {"memory, MB", "threads", "descriptors", "age p99, ms"}
    assert {trend["name"]: trend["flat"] for trend in report["trends"]}["descriptors"]
    assert report["stats"]["sinks"][1]["written"] == len((tmp_path / "a.jsonl").read_text().splitlines()) > 0


def test_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    main(["soak", "demo", "test:?live=no&frames=3&size=64x48", "--minutes", "1"])
    out = capsys.readouterr().out
    assert "3 results in" in out and "ended by end" in out
    assert out.rstrip().endswith("FAILED: expected 10 samples, got 0; run it longer")


@pytest.mark.parametrize("argv", [["--minutes", "0"], ["--minutes", "x"], ["--minutes", "nan"]])
def test_wrong_minutes(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.main(["soak", "demo", *argv])
    assert stop.value.code == 2 and "expected minutes from 0.05" in capsys.readouterr().err


@pytest.mark.parametrize("argv", [["test:", "--sink", "jsnl:x"], ["tset:"], ["test:", "--policy", "newest"]])
def test_mistakes_are_told_before_it_begins(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["soak", "demo", *argv]) == 2
    err = capsys.readouterr().err
    assert "expected" in err and "; " in err and "Traceback" not in err
