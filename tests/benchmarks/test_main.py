"""`python -m benchmarks`: exit codes, and what it writes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks import __main__ as command
from benchmarks import workloads
from benchmarks.case import Case, Floor, Peer
from benchmarks.measure import Outcome

ROOT = Path(__file__).parents[2]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Runs the command with one made-up workload, whose answer must be `right`; results go to `tmp_path`."""
    monkeypatch.setattr(command, "single_threaded", lambda module: None)
    monkeypatch.setattr(command, "RESULTS", tmp_path)
    monkeypatch.setattr(workloads, "names", lambda: ["made_up"])

    def call(*args: str, right: int = 1, bar: float = 1e-9) -> int:
        def check(answer: int) -> None:
            assert answer == right

        against = [Peer("peer", lambda: lambda: 1, lambda ours, theirs: None, bar), Floor("floor", lambda: lambda: 1)]
        workload = SimpleNamespace(__doc__="Nothing.", cases=lambda quick: iter([Case("c", lambda: 1, check, against)]))
        monkeypatch.setattr(workloads, "find", lambda name: workload)
        monkeypatch.setattr(sys, "argv", ["benchmarks", *args])
        return command.main()

    return call


def test_a_whole_run_is_written(run, tmp_path: Path) -> None:
    assert run() == 0
    (file,) = tmp_path.iterdir()
    data = json.loads(file.read_text(encoding="utf-8"))
    (outcome,) = (Outcome.from_dict(entry) for entry in data["workloads"]["made_up"])
    assert [against.kind for against in outcome.against] == ["peer", "floor"]
    assert outcome.against[0].verdict is True
    assert {"edgedet", "numpy", "vector level"} <= data["versions"].keys()


def test_parts_and_quick_runs_are_not(run, tmp_path: Path) -> None:
    assert run("made_up") == run("--quick") == 0
    assert not list(tmp_path.iterdir())
    assert run("made_up", "--out", str(tmp_path / "here.json")) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["here.json"]


def test_a_wrong_answer_is_an_error(run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(right=2) == run("--quick", right=2) == 1
    assert not list(tmp_path.iterdir())
    assert "made_up: c: ours: expected the same answer, got another" in capsys.readouterr().err


def test_a_missed_bar_is_an_error_only_if_asked(run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(bar=1e9) == 0
    out = capsys.readouterr().out
    assert "MISSED" in out and "bars missed: 1" in out
    assert run("--strict", bar=1e9) == 1


@pytest.mark.parametrize(
    ("args", "said"),
    [(["nope"], "workload: expected made_up, got nope"), (["--record", "--quick"], "--record: expected")],
)
def test_mistakes(run, args: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        run(*args)
    assert said in capsys.readouterr().err


def test_as_a_program() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick", "preprocess"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "right answers" in done.stdout
