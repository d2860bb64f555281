"""The README's example is run, its commands too; `make` targets are run by .ci/run and only looked up here."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from edgedet.camera.scene import draw_scene
from edgedet.cli import main

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def commands(program: str) -> list[list[str]]:
    lines = [shlex.split(line, comments=True) for block in blocks("sh") for line in block.splitlines()]
    return [line for line in lines if line and line[0] == program]


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that looks like a clone to the commands, with a picture in it."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    cv2.imwrite(str(tmp_path / "street.jpg"), draw_scene(7)[0])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_line_is_of_a_known_program() -> None:
    lines = [line for block in blocks("sh") for line in block.splitlines() if line.strip()]
    assert lines and all(line.split()[0] in ("edgedet", "make", "pip") for line in lines)


def test_the_example_runs(tmp_path: Path) -> None:
    (example,) = blocks("python")
    done = subprocess.run([sys.executable, "-c", example], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("(") >= 1, "the toy should find something in its own kind of picture"
    assert cv2.imread(str(tmp_path / "found.png")) is not None


def test_the_demo_runs(elsewhere: Path) -> None:
    (demo,) = (command for command in commands("edgedet") if command[1] == "demo")
    assert main([*demo[1:], "--frames", "3"]) == 0


def test_the_stream_runs() -> None:
    pytest.importorskip("aiohttp", reason="needs the extra [preview]")
    pytest.importorskip("prometheus_client", reason="needs the extra [preview]")
    (stream,) = (command for command in commands("edgedet") if command[1] == "stream")
    assert main([*stream[1:], "127.0.0.1:0", "--frames", "3"]) == 0


def test_the_doctor_runs() -> None:
    (doctor,) = (command for command in commands("edgedet") if command[1] == "doctor")
    assert main(doctor[1:]) == 0


@pytest.mark.convert
def test_the_commands_run_in_order(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    todo = [command[1:] for command in commands("edgedet") if command[1] not in ("demo", "doctor", "stream")]
    assert [command[0] for command in todo] == ["convert", "verify", "info", "detect", "bench"]
    for command in todo:
        assert main(command) == 0, command
    assert (elsewhere / "found" / "street-detected.jpg").is_file()
    assert "street.jpg: " in capsys.readouterr().out


@pytest.mark.parametrize("target", [command[1] for command in commands("make")])
def test_make_targets_exist(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("command", commands("pip"))
def test_extras_exist(command: list[str]) -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (extras,) = re.findall(r"\[([\w,]+)\]", " ".join(command))
    for extra in extras.split(","):
        assert re.search(rf"^{extra} = \[", project, re.MULTILINE)


def test_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)]+)\)", README)
    assert links and [link for link in links if not (ROOT / link).exists()] == []
