"""How far a download is, on a terminal and elsewhere."""

from __future__ import annotations

import io
import types

import pytest

from edgedet.cli import transfer
from edgedet.cli.transfer import Transfer

MB = 1_000_000


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Stands in for stderr; the clock jumps a second with every look."""
    screen, clock = Terminal(), iter(range(1000))
    # Not sys.stderr itself: pytest puts its own there between a fixture and its test.
    monkeypatch.setattr(transfer, "sys", types.SimpleNamespace(stderr=screen))
    monkeypatch.setattr(transfer.time, "monotonic", lambda: float(next(clock)))
    return screen


def lines(terminal: Terminal) -> list[str]:
    return terminal.getvalue().split("\r\x1b[K")[1:]


def test_bar_on_a_terminal(terminal: Terminal) -> None:
    with Transfer("a.ckpt") as bar:
        for done in (0, 1 * MB, 4 * MB, 6 * MB):
            bar(done, 12 * MB)
    assert lines(terminal) == [
        "a.ckpt [##########--------------------] 4.0 of 12.0 MB, 4 s left",
        "a.ckpt [###############---------------] 6.0 of 12.0 MB, 3 s left",
        "",
    ]


def test_what_was_here_before_says_nothing_of_the_speed(terminal: Terminal) -> None:
    bar = Transfer("a.ckpt")
    for done in (9 * MB, 10 * MB, 11 * MB):
        bar(done, 13 * MB)
    assert lines(terminal)[-1].endswith("11.0 of 13.0 MB, 2 s left")
    for done in (0, 1 * MB, 2 * MB):  # begun again
        bar(done, 13 * MB)
    assert lines(terminal)[-1].endswith("2.0 of 13.0 MB, 11 s left")


def test_unknown_size(terminal: Terminal) -> None:
    bar = Transfer("a.ckpt")
    for done in (0, MB, 2 * MB):
        bar(done, None)
    assert lines(terminal) == ["a.ckpt 2.0 MB, 1.0 MB/s"]


def test_no_speed_yet(terminal: Terminal) -> None:
    bar = Transfer("a.ckpt")
    for _ in range(3):
        bar(MB, 2 * MB)
    assert lines(terminal) == ["a.ckpt [###############---------------] 1.0 of 2.0 MB"]


def test_a_sentence_stands_above_the_bar(terminal: Terminal) -> None:
    with Transfer("a.ckpt") as bar:
        for done in (0, 1, 2):
            bar(done, 2)
        bar.say("trying again")
    assert lines(terminal)[-1] == "trying again\n"


def test_one_line_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    with Transfer("a.ckpt") as bar:
        bar(1, 2 * MB)
        bar(2 * MB, 2 * MB)
        bar.say("trying again")
    assert capsys.readouterr() == ("", "downloading a.ckpt (2.0 MB)\ntrying again\n")


def test_nothing_before_the_first_byte(capsys: pytest.CaptureFixture[str]) -> None:
    with Transfer("a.ckpt"):
        pass
    assert capsys.readouterr() == ("", "")


def test_quiet_says_nothing(terminal: Terminal) -> None:
    with Transfer("a.ckpt", quiet=True) as bar:
        for done in (0, 1, 2):
            bar(done, 2)
        bar.say("trying again")
    assert terminal.getvalue() == ""
