"""Bars on terminals, lines elsewhere."""

from __future__ import annotations

import io
from types import SimpleNamespace

import pytest

from edgedet.cli import progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Stands in for stderr; the clock jumps a second with every look."""
    screen, clock = Terminal(), iter(range(1000))
    monkeypatch.setattr(progress, "sys", SimpleNamespace(stderr=screen))
    monkeypatch.setattr(progress.time, "monotonic", lambda: float(next(clock)))
    return screen


def test_bar_on_a_terminal(terminal: Terminal, capsys: pytest.CaptureFixture[str]) -> None:
    with progress.Bar("working", 4) as bar:
        bar.step()
        bar.step()
        bar.say("a result")
        bar.step()
    text = terminal.getvalue()
    assert "working [###############---------------] 2/4, 2 s left" in text
    assert text.endswith("\r\x1b[K")


def test_short_work_shows_no_bar(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress.time, "monotonic", lambda: 0.0)
    with progress.Bar("working", 2) as bar:
        bar.step()
        bar.step()
    assert terminal.getvalue() == ""


def test_one_line_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.Bar("working", 2) as bar:
        bar.step()
        bar.say("a result")
        bar.complain("a problem")
    assert capsys.readouterr() == ("a result\n", "working (2)\na problem\n")


def test_quiet_says_problems_only(terminal: Terminal) -> None:
    with progress.Bar("working", 2, quiet=True) as bar:
        bar.step()
        bar.complain("a problem")
    progress.Steps(quiet=True)("a step")
    assert terminal.getvalue() == "a problem\n"


def test_steps_have_the_time(capsys: pytest.CaptureFixture[str]) -> None:
    progress.Steps()("exporting")
    assert capsys.readouterr().err == "   0.0 s  exporting\n"
