"""The command line as a whole: help, exit codes, and what it says when something goes wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from edgedet import __version__, cli
from edgedet.cli import info
from edgedet.errors import VerificationError

NAMES = sorted(cli.commands())


def run(*argv: str, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "edgedet", *argv]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]


def test_every_file_with_a_help_is_a_command() -> None:
    assert {"convert", "demo", "detect", "info", "verify"} <= set(NAMES)
    assert not {"options", "pictures", "progress"} & set(NAMES)


def test_alone_prints_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_help_has_an_example_that_parses(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.main([name, "--help"])
    assert stop.value.code == 0
    assert f"  edgedet {name}" in capsys.readouterr().out.split("example:")[1]


def test_version() -> None:
    done = run("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"edgedet {__version__}\n", "")


@pytest.mark.parametrize("argv", [["detekt"], ["info"], ["info", "x", "--colour"], ["info", "x", "--js"]])
def test_wrong_use_is_2(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.main(argv)
    assert stop.value.code == 2
    assert "usage: edgedet" in capsys.readouterr().err


def test_an_error_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["info", str(tmp_path / "none")]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("edgedet info: ") and err.count("\n") == 1 and "Traceback" not in err


@pytest.mark.parametrize("argv", [["--debug", "info", "none"], ["info", "none", "--debug"]])
def test_debug_shows_where(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(argv) == 2
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (ValueError("a\n  b"), 2, "edgedet info: a b\n"),
        (PermissionError(13, "Permission denied", "x.txt"), 2, "x.txt: expected a usable path, got Permission denied"),
        (OSError("no space"), 2, "edgedet info: no space\n"),
        (VerificationError("other answers\n  table"), 1, "edgedet info: other answers\n  table\n"),
    ],
)
def test_errors_become_sentences(
    error: Exception, code: int, line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(args: object) -> int:
        raise error

    monkeypatch.setattr(info, "run", fail)
    assert cli.main(["info", "x"]) == code
    err = capsys.readouterr().err
    assert line in err and "Traceback" not in err


def test_a_bug_is_no_answer(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(info, "run", lambda args: {}["missing"])
    assert cli.main(["info", "x"]) == 2
    assert "KeyError: 'missing'" in capsys.readouterr().err


def test_interrupt_is_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def stop(args: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(info, "run", stop)
    assert cli.main(["info", "x"]) == 130
    assert capsys.readouterr() == ("", "")


def test_a_reader_that_leaves_is_no_error(whole_bundle: Path) -> None:
    command = [sys.executable, "-u", "-m", "edgedet", "info", str(whole_bundle)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 141
