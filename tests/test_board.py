"""docs/board.md and the systemd unit: whatever can be checked without a board."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import peers
import pytest

from edgedet import cli
from edgedet.camera.sinks import open_sink
from edgedet.cli import main

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "board.md").read_text(encoding="utf-8")
UNIT = ROOT / "examples" / "systemd" / "edgedet-camera@.service"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def environment() -> dict[str, str]:
    (text,) = blocks("ini")
    return dict(line.split("=", 1) for line in text.splitlines())


def command() -> list[str]:
    """What the unit would run with the page's example, without the program."""
    (line,) = re.findall(r"^ExecStart=(.*)$", UNIT.read_text(encoding="utf-8"), re.MULTILINE)
    words: list[str] = []
    for word in line.split()[1:]:
        if word.startswith("${"):
            words.append(environment()[word[2:-1]])
        else:
            words += environment()[word[1:]].split() if word.startswith("$") else [word]
    return words


def analyze(*arguments: str, folder: Path) -> str:
    program = peers.program("systemd-analyze", "systemd")
    unit = folder / UNIT.name
    # It wants the program to be there.
    unit.write_text(UNIT.read_text(encoding="utf-8").replace("/opt/edgedet/bin/edgedet", sys.executable))
    done = subprocess.run([program, *arguments, str(unit)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    assert [line for line in analyze("verify", folder=tmp_path).splitlines() if UNIT.name in line] == []


def test_the_unit_exposes_little(tmp_path: Path) -> None:
    assert "Overall exposure level" in analyze("security", "--offline=yes", "--threshold=20", folder=tmp_path)


def test_the_units_command_is_one_of_ours() -> None:
    args = cli.make_parser().parse_args(command())
    assert args.command == "stream" and args.bundle == environment()["BUNDLE"]


def test_the_sinks_of_the_example_are_sinks() -> None:
    words = command()
    uris = [words[at + 1] for at, word in enumerate(words) if word == "--sink"]
    assert [open_sink(uri).name for uri in uris] == ["mqtt://broker.local:1883/cameras/door", "images:pictures"]


@pytest.mark.parametrize(
    "line",
    [
        line.split("edgedet ", 1)[1]
        for block in blocks("sh")
        for line in block.splitlines()
        if line.startswith("/opt/edgedet/bin/edgedet ")
    ],
)
def test_the_pages_commands_parse(line: str) -> None:
    assert cli.make_parser().parse_args(shlex.split(line)).command == line.split()[0]


def test_the_page_names_files_that_exist() -> None:
    for path in re.findall(r"\b(?:examples|tests)/[\w./@-]+", PAGE):
        assert (ROOT / path.rstrip(".")).exists(), path


def test_doctor_runs() -> None:
    assert main(["doctor"]) in (0, 1)
