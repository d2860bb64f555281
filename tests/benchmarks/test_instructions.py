"""The check of instruction counts fails when it should. What it counts is run by `make instructions`."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from benchmarks import callgrind, instructions

ROOT = Path(__file__).parents[2]
HERE = "GCC 99, here"
COUNTS = {"detect": {"scalar": 1000, "avx2": 500}, "nms": {"scalar": 300, "avx2": 300}}


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine on which counting takes no time, and the file of its record."""
    monkeypatch.setattr(callgrind, "version", lambda: "3")
    monkeypatch.setattr(callgrind, "build", lambda root: callgrind.Build(root / "program", HERE, tuple(COUNTS)))
    monkeypatch.setattr(callgrind, "count", lambda built: COUNTS)
    monkeypatch.setattr(callgrind, "flags", lambda root: {"kernels": "-O3"})
    return tmp_path / "record.json"


def check(file: Path) -> int:
    return instructions.main(["--check", "--file", str(file)])


def record(file: Path, **changed: int) -> None:
    """Records COUNTS, of detect's levels other ones."""
    counts = {**COUNTS, "detect": {**COUNTS["detect"], **changed}}
    file.write_text(json.dumps({HERE: {"counts": counts}}), encoding="utf-8")


def test_what_was_recorded_passes(counted: Path) -> None:
    assert instructions.main(["--record", "--file", str(counted)]) == 0
    assert check(counted) == 0


def test_a_record_of_another_compiler_is_kept(counted: Path) -> None:
    counted.write_text('{"GCC 1, there": {"counts": {}}}', encoding="utf-8")
    assert instructions.main(["--record", "--file", str(counted)]) == 0
    assert sorted(json.loads(counted.read_text(encoding="utf-8"))) == ["GCC 1, there", HERE]


@pytest.mark.parametrize(("before", "code"), [(953, 0), (952, 1), (1000, 0), (2000, 0)])
def test_more_than_a_twentieth_fails(counted: Path, before: int, code: int) -> None:
    record(counted, scalar=before)
    assert check(counted) == code


def test_it_names_what_has_grown(counted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record(counted, avx2=400)
    assert check(counted) == 1
    assert "detect (avx2): grew by 25.0 %\n1 of 4 counts grew by more than 5 %\n" in capsys.readouterr().out


def test_a_job_without_a_record_fails(counted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = {HERE: {"counts": {"detect": COUNTS["detect"]}}}
    counted.write_text(json.dumps(file), encoding="utf-8")
    assert check(counted) == 1
    assert "nms (avx2): expected a recorded count, got none; do --record" in capsys.readouterr().out


def test_what_is_no_longer_counted_is_told(counted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record(counted, neon=5)
    assert check(counted) == 0
    assert "detect (neon): recorded, but not counted here" in capsys.readouterr().out


def test_no_record_and_no_history_is_no_pass(counted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(counted) == 3
    assert f"NOT CHECKED: no record for {HERE} (there is: none)" in capsys.readouterr().out


def test_another_compiler_counts_the_recorded_sources(
    counted: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@x"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "record"]):
        record(counted)
        subprocess.run([*git, *command], cwd=counted.parent, check=True)
    roots = []

    def build(root: Path) -> callgrind.Build:
        roots.append((root, (root / counted.name).is_file()))
        return callgrind.Build(root / "program", "Clang 99, here", tuple(COUNTS))

    monkeypatch.setattr(callgrind, "build", build)
    monkeypatch.setattr(instructions, "ROOT", counted.parent)
    assert check(counted) == 0
    assert "no record for this compiler: counting the sources of" in capsys.readouterr().out
    (here, _), (there, holds_the_record) = roots
    assert here == counted.parent != there and holds_the_record


def test_a_missing_tool_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert instructions.main(["--check"]) == 2
    assert "valgrind: expected it on the PATH, got nothing; do apt-get install valgrind" in capsys.readouterr().err


def test_every_job_has_a_record() -> None:
    """Of every job in the sources, so that a new one can't be forgotten."""
    sources = (path.read_text(encoding="utf-8") for path in (ROOT / "benchmarks" / "cpp").glob("*.cpp"))
    jobs = {name for source in sources for name in re.findall(r'\{"(\w+)",', source)}
    recorded = json.loads(instructions.RECORD.read_text(encoding="utf-8"))
    assert jobs
    assert all(set(entry["counts"]) == jobs for entry in recorded.values())
